package sync

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// conditionReason is what the API server takes as a condition's reason.
var conditionReason = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`)

// whatToDo is, for KubeVirt's words for a machine that does not run and will not by itself, what the user can do.
var whatToDo = map[string]string{
	"Paused":                  "the machine is paused: `virtctl unpause vm %s`",
	"ErrorUnschedulable":      "no node takes the machine: see highAvailability, and whether the nodes have memory and cores free",
	"ErrImagePull":            "the image of a container disk cannot be pulled: correct osImage",
	"ImagePullBackOff":        "the image of a container disk cannot be pulled: correct osImage",
	"ErrorPvcNotFound":        "a volume's claim does not exist",
	"ErrorDataVolumeNotFound": "a disk's DataVolume does not exist: see whether the Containerized Data Importer is installed",
	"DataVolumeError":         "a disk cannot be filled: see `kubectl describe datavolume` for the disks of %s",
	"CrashLoopBackOff":        "the machine stops again and again: see `kubectl describe vmi %s`",
	"WaitingForVolumeBinding": "a disk waits for its volume: see whether its storage class can provide one",
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
	if word == "" {
		s = step{reason: "MachinePending", message: fmt.Sprintf("machine %s exists, and KubeVirt has not taken it up yet", key)}
	} else if !conditionReason.MatchString(word) || word == "Running" || word == "Stopped" {
		s = step{reason: "NotReady", message: fmt.Sprintf("machine %s is not ready", key)}
	}
	switch failure := conditionOf(machine, "Failure"); {
	case failure.Status == "True":
		s.reason, s.message = "MachineFailed", fmt.Sprintf("machine %s: %s", key, oneLine(failure.Message))
	case whatToDo[word] != "":
		hint := whatToDo[word]
		if strings.Contains(hint, "%s") {
			hint = fmt.Sprintf(hint, "-n "+machine.GetNamespace()+" "+machine.GetName())
		}
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
		return text(instance, "status", "phase") == "Succeeded"
	default:
		return false
	}
}

// oneLine is a message of somebody else's on one line.
func oneLine(message string) string {
	return strings.Join(strings.Fields(message), " ")
}
