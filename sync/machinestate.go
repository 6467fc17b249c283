package sync

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// whatToDo is the message that says what the user can do about a machine that will not run by itself, by KubeVirt's
// word for its state; empty for any other word.
func whatToDo(word, namespace, name string) string {
	switch kubevirtv1.VirtualMachinePrintableStatus(word) {
	case kubevirtv1.VirtualMachineStatusPaused:
		return fmt.Sprintf("`virtctl unpause vm -n %s %s` resumes it", namespace, name)
	case kubevirtv1.VirtualMachineStatusUnschedulable:
		return "no node takes it: see highAvailability, and whether the nodes have memory and cores free"
	case kubevirtv1.VirtualMachineStatusErrImagePull, kubevirtv1.VirtualMachineStatusImagePullBackOff:
		return "the image of its container disk cannot be pulled: correct osImage"
	case kubevirtv1.VirtualMachineStatusPvcNotFound:
		return fmt.Sprintf("the claim of a volume does not exist: see `kubectl get pvc -n %s`", namespace)
	case kubevirtv1.VirtualMachineStatusUnknown:
		return "KubeVirt has lost sight of its node: see `kubectl get nodes`"
	case "ErrorDataVolumeNotFound":
		return "the DataVolume of a disk does not exist: see whether the Containerized Data Importer is installed"
	case kubevirtv1.VirtualMachineStatusDataVolumeError:
		return fmt.Sprintf("a disk cannot be filled: see `kubectl describe datavolume -n %s`", namespace)
	case kubevirtv1.VirtualMachineStatusCrashLoopBackOff:
		return fmt.Sprintf("it stops again and again: see `kubectl describe vmi -n %s %s`", namespace, name)
	case kubevirtv1.VirtualMachineStatusWaitingForVolumeBinding:
		return "a disk waits for its volume: see whether its storage class can provide one"
	}
	return ""
}

// machineState is the outcome for an observed machine, from what KubeVirt reports of it.
func (v *view) machineState(m *facts.Machine, instance *facts.Instance) machineOutcome {
	ready := m.Conditions.Of("Ready")
	switch {
	case m.Deleting:
		return refuseMachine(&outcome.Refusal{Reason: v1alpha1.ReasonTerminating, Message: fmt.Sprintf("machine %s is being deleted", m.Key)})
	case m.PrintableStatus == "Stopped" && v.stoppedOnRequest(instance):
		return machineOutcome{reason: v1alpha1.ReasonStopped, message: fmt.Sprintf("machine %s is stopped, as asked", m.Key), stopped: true}
	case ready.True():
		return runs(m)
	}
	r := notRunning(m)
	failed := failedWord(string(r.Reason))
	switch failure, hint := m.Conditions.Of("Failure"), whatToDo(m.PrintableStatus, m.Namespace, m.Name); {
	case failure.True():
		r.Reason, r.Message, failed = v1alpha1.ReasonMachineFailed, fmt.Sprintf("machine %s: %s", m.Key, oneLine(failure.Message)), true
	case hint != "":
		r.Message += ": " + hint
	case ready.Message != "" && ready.Reason != "GuestNotRunning":
		r.Message += ": " + oneLine(ready.Message)
	}
	o := refuseMachine(r)
	o.failed = failed
	return o
}

// runs is the outcome for a machine that runs.
func runs(m *facts.Machine) machineOutcome {
	switch {
	case m.Conditions.Of("RestartRequired").True():
		return machineOutcome{reason: v1alpha1.ReasonRestartRequired, message: fmt.Sprintf(
			"machine %s runs, and takes up the changes made since at its next restart: `virtctl restart -n %s %s`", m.Key, m.Namespace, m.Name)}
	case m.PrintableStatus == string(kubevirtv1.VirtualMachineStatusMigrating):
		return machineOutcome{reason: v1alpha1.ReasonMigrating, message: fmt.Sprintf("machine %s is running, and moving to another node", m.Key)}
	}
	return machineOutcome{reason: v1alpha1.ReasonRunning, message: fmt.Sprintf("machine %s is running", m.Key)}
}

// notRunning is the refusal for a machine that does not run, without what to do about that.
func notRunning(m *facts.Machine) *outcome.Refusal {
	switch word := m.PrintableStatus; {
	case word == "":
		return &outcome.Refusal{
			Reason: v1alpha1.ReasonMachinePending, Message: fmt.Sprintf("machine %s exists, and KubeVirt has not taken it up yet", m.Key),
		}
	case word == "Stopped":
		return &outcome.Refusal{Reason: v1alpha1.ReasonNotReady, Message: fmt.Sprintf("machine %s has not started yet", m.Key)}
	case word == "Running", !isWord(word):
		return &outcome.Refusal{Reason: v1alpha1.ReasonNotReady, Message: fmt.Sprintf("machine %s is not ready", m.Key)}
	default:
		return &outcome.Refusal{Reason: v1alpha1.Reason(word), Message: fmt.Sprintf("machine %s is %s", m.Key, word)}
	}
}

// failedWord reports whether KubeVirt's word for the state of a machine means an error, and not a step on the way.
func failedWord(word string) bool {
	return word == "CrashLoopBackOff" || word == "ImagePullBackOff" || strings.HasPrefix(word, "Err") || strings.HasSuffix(word, "Error")
}

// stoppedOnRequest reports whether a stopped machine is stopped because its run strategy wants that. Otherwise the
// machine should run, or should run once and has not yet.
func (v *view) stoppedOnRequest(instance *facts.Instance) bool {
	switch runStrategy(v.w) {
	case kubevirtv1.RunStrategyHalted, kubevirtv1.RunStrategyManual:
		return true
	case kubevirtv1.RunStrategyOnce, kubevirtv1.RunStrategyRerunOnFailure:
		if instance == nil {
			return hasRun(v.w)
		}
		return instance.Phase == string(kubevirtv1.Succeeded)
	default:
		return false
	}
}

// hasRun reports whether the machine ran, according to the last status. Then somebody has stopped it. A machine that
// has just been created is also Stopped for a moment.
func hasRun(w *v1alpha1.Wukong) bool {
	c := meta.FindStatusCondition(w.Status.Conditions, v1alpha1.ConditionMachineReady)
	return c != nil && (c.Status == metav1.ConditionTrue || c.Reason == string(kubevirtv1.VirtualMachineStatusStopping))
}

// isWord reports whether a word of KubeVirt's is a valid reason of a condition.
func isWord(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// oneLine is somebody else's message on one line.
func oneLine(message string) string {
	return strings.Join(strings.Fields(message), " ")
}
