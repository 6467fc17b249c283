package sync

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// whatToDo is, for KubeVirt's words for a machine that does not run and will not by itself, what the user can do.
func whatToDo(word, namespace, name string) string {
	switch word {
	case "Paused":
		return fmt.Sprintf("`virtctl unpause vm -n %s %s` resumes it", namespace, name)
	case "ErrorUnschedulable":
		return "no node takes it: see highAvailability, and whether the nodes have memory and cores free"
	case "ErrImagePull", "ImagePullBackOff":
		return "the image of its container disk cannot be pulled: correct osImage"
	case "ErrorPvcNotFound":
		return fmt.Sprintf("the claim of a volume does not exist: see `kubectl get pvc -n %s`", namespace)
	case "Unknown":
		return "KubeVirt has lost sight of its node: see `kubectl get nodes`"
	case "ErrorDataVolumeNotFound":
		return "the DataVolume of a disk does not exist: see whether the Containerized Data Importer is installed"
	case "DataVolumeError":
		return fmt.Sprintf("a disk cannot be filled: see `kubectl describe datavolume -n %s`", namespace)
	case "CrashLoopBackOff":
		return fmt.Sprintf("it stops again and again: see `kubectl describe vmi -n %s %s`", namespace, name)
	case "WaitingForVolumeBinding":
		return "a disk waits for its volume: see whether its storage class can provide one"
	}
	return ""
}

// machineState is what KubeVirt says of an observed machine.
func machineState(w *v1alpha1.Wukong, machine, instance *unstructured.Unstructured) step {
	key := qualified(machine.GetNamespace(), machine.GetName())
	if machine.GetDeletionTimestamp() != nil {
		return step{reason: "Terminating", message: fmt.Sprintf("machine %s is being deleted", key)}
	}
	word := text(machine, "status", "printableStatus")
	ready := conditionOf(machine, "Ready")
	switch {
	case word == "Stopped" && stoppedOnRequest(w, instance):
		return step{ready: true, reason: "Stopped", message: fmt.Sprintf("machine %s is stopped, as asked", key)}
	case ready.Status == "True" && conditionOf(machine, "RestartRequired").Status == "True":
		return step{ready: true, reason: "RestartRequired", message: fmt.Sprintf("machine %s runs, and takes up the changes made since at its next restart: `virtctl restart -n %s %s`", key, machine.GetNamespace(), machine.GetName())}
	case ready.Status == "True":
		s := step{ready: true, reason: "Running", message: fmt.Sprintf("machine %s is running", key)}
		if word == "Migrating" {
			s.reason, s.message = word, fmt.Sprintf("machine %s is running, and moving to another node", key)
		}
		return s
	}

	s := step{reason: word, message: fmt.Sprintf("machine %s is %s", key, word)}
	switch {
	case word == "":
		s = step{reason: "MachinePending", message: fmt.Sprintf("machine %s exists, and KubeVirt has not taken it up yet", key)}
	case word == "Stopped":
		s = step{reason: "NotReady", message: fmt.Sprintf("machine %s has not started yet", key)}
	case word == "Running", !isWord(word):
		s = step{reason: "NotReady", message: fmt.Sprintf("machine %s is not ready", key)}
	}
	switch failure, hint := conditionOf(machine, "Failure"), whatToDo(word, machine.GetNamespace(), machine.GetName()); {
	case failure.Status == "True":
		s.reason, s.message = "MachineFailed", fmt.Sprintf("machine %s: %s", key, oneLine(failure.Message))
	case hint != "":
		s.message += ": " + hint
	case ready.Message != "" && ready.Reason != "GuestNotRunning":
		s.message += ": " + oneLine(ready.Message)
	}
	return s
}

// stoppedOnRequest says that a stopped machine is as its run strategy wants it. One that shall run, or shall run once
// and has not yet, is on its way.
func stoppedOnRequest(w *v1alpha1.Wukong, instance *unstructured.Unstructured) bool {
	switch runStrategy(w) {
	case kubevirtv1.RunStrategyHalted, kubevirtv1.RunStrategyManual:
		return true
	case kubevirtv1.RunStrategyOnce, kubevirtv1.RunStrategyRerunOnFailure:
		return text(instance, "status", "phase") == "Succeeded" || instance == nil && hasRun(w)
	default:
		return false
	}
}

// hasRun says that the status told of a machine that ran: when it is stopped now, somebody stopped it. One that has just
// been created is Stopped for a moment too.
func hasRun(w *v1alpha1.Wukong) bool {
	c := meta.FindStatusCondition(w.Status.Conditions, v1alpha1.ConditionMachineReady)
	return c != nil && (c.Status == metav1.ConditionTrue || c.Reason == "Stopping")
}

// isWord says that the API server takes a word of KubeVirt's as a condition's reason.
func isWord(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// oneLine is a message of somebody else's on one line.
func oneLine(message string) string {
	return strings.Join(strings.Fields(message), " ")
}
