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

// whatToDo is, for KubeVirt's words for a machine that does not run and will not by itself, what the user can do.
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

// machineState is what KubeVirt says of an observed machine.
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

// runs is what is said of a machine that runs.
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

// notRunning is what is said of a machine that does not run, without what to do about it.
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

// failedWord reports whether KubeVirt's word for the state of a machine is an error rather than a step on the way.
func failedWord(word string) bool {
	return word == "CrashLoopBackOff" || word == "ImagePullBackOff" || strings.HasPrefix(word, "Err") || strings.HasSuffix(word, "Error")
}

// stoppedOnRequest reports whether a stopped machine is as its run strategy wants it. One that shall run, or shall run once and
// has not yet, is on its way.
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

// hasRun reports whether the status told of a machine that ran: when it is stopped now, somebody stopped it. One that has just
// been created is Stopped for a moment too.
func hasRun(w *v1alpha1.Wukong) bool {
	c := meta.FindStatusCondition(w.Status.Conditions, v1alpha1.ConditionMachineReady)
	return c != nil && (c.Status == metav1.ConditionTrue || c.Reason == string(kubevirtv1.VirtualMachineStatusStopping))
}

// isWord reports whether the API server takes a word of KubeVirt's as a condition's reason.
func isWord(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// oneLine is a message of somebody else's on one line.
func oneLine(message string) string {
	return strings.Join(strings.Fields(message), " ")
}
