package sync

import (
	"fmt"
	"slices"
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// said is what KubeVirt itself says about a machine that does not run.
type said struct {
	sentence string // on one line; empty where KubeVirt says nothing
	reason   string // KubeVirt's word for it
	failed   bool   // an error, and not a step on the way

	disk diskState // what keeps a disk of it from being there
}

// condition is one condition of a machine's instance. KubeVirt copies the conditions of the instance to the machine, and leaves them there when
// the instance is gone: those are of the run before.
func condition(m *facts.Machine, instance *facts.Instance, kind string) facts.Condition {
	if instance != nil {
		if c := instance.Conditions.Of(kind); c.Type != "" {
			return c
		}
	}
	if instance == nil && !m.Created {
		return facts.Condition{}
	}
	return m.Conditions.Of(kind)
}

// refusing are the conditions of an instance that say by being False why it does not run, those that say most first.
var refusing = []string{string(kubevirtv1.VirtualMachineInstanceSynchronized), "PodScheduled", "AccessCredentialsSynchronized"}

// kubevirtSays is KubeVirt's own sentence about a machine that does not run, the one that says most, with what the Containerized Data
// Importer says of its disks. Of a machine that does not wait for its disks, only what has failed there counts.
func (v *view) kubevirtSays(m *facts.Machine, instance *facts.Instance) said {
	s := sentenceOf(m, instance)
	if m.PrintableStatus == string(kubevirtv1.VirtualMachineStatusPaused) {
		return s // it had its disks when it started
	}
	disk := v.diskSays(m)
	if disk.failed || disk.says != "" && awaitsDisks[kubevirtv1.VirtualMachinePrintableStatus(m.PrintableStatus)] {
		s.disk, s.failed = disk, s.failed || disk.failed
	}
	return s
}

// sentenceOf is KubeVirt's own sentence.
func sentenceOf(m *facts.Machine, instance *facts.Instance) said {
	if c := m.Conditions.Of("Failure"); c.True() {
		return said{sentence: oneLine(c.Message), reason: c.Reason, failed: true}
	}
	if c := m.Conditions.Of("ManualRecoveryRequired"); c.True() {
		return said{sentence: oneLine(sentences(c.Message, c.Reason)), reason: c.Reason, failed: true}
	}
	if c := condition(m, instance, "Paused"); c.True() {
		return said{sentence: oneLine(c.Message), reason: c.Reason, failed: c.Reason == pausedByStorage}
	}
	for _, kind := range refusing {
		if c := condition(m, instance, kind); c.Status == "False" && c.Message != "" {
			return said{sentence: oneLine(c.Message), reason: c.Reason, failed: true}
		}
	}
	ready := m.Conditions.Of("Ready")
	if slices.Contains([]string{"GuestNotRunning", "VMINotExists"}, ready.Reason) {
		return said{} // that is known
	}
	return said{sentence: oneLine(ready.Message), reason: ready.Reason}
}

// pausedByStorage is the reason of a machine that KubeVirt has paused because a disk could not be read or written.
const pausedByStorage = "PausedIOError"

// whatToDo is what the user can do about a machine that will not run by itself, by KubeVirt's word for its state, and by what KubeVirt says;
// empty where there is nothing to do but to wait.
func (v *view) whatToDo(m *facts.Machine, s said) string {
	namespace, name := m.Namespace, m.Name
	if hint := diskHint(m, s); hint != "" {
		return hint
	}
	switch word := kubevirtv1.VirtualMachinePrintableStatus(m.PrintableStatus); word {
	case kubevirtv1.VirtualMachineStatusPaused:
		return unpause(m, s)
	case kubevirtv1.VirtualMachineStatusUnschedulable:
		return "no node takes it: see highAvailability, and whether the nodes have memory and cores free"
	case kubevirtv1.VirtualMachineStatusErrImagePull, kubevirtv1.VirtualMachineStatusImagePullBackOff:
		return v.pullAdvice()
	case kubevirtv1.VirtualMachineStatusUnknown:
		return "KubeVirt has lost sight of its node: see `kubectl get nodes`"
	case kubevirtv1.VirtualMachineStatusCrashLoopBackOff:
		return fmt.Sprintf("it stops again and again: see `kubectl describe vmi -n %s %s`", namespace, name)
	case kubevirtv1.VirtualMachineStatusStarting:
		if secrets := secretsOf(v.w); s.sentence == "" && len(secrets) > 0 {
			return fmt.Sprintf("if that lasts, see whether its Secrets exist: `kubectl get secret -n %s %s`", namespace, strings.Join(secrets, " "))
		}
	}
	return ""
}

// diskHint is what the user can do about a machine that waits for its disks: by what is known of them, else by KubeVirt's word alone.
func diskHint(m *facts.Machine, s said) string {
	if s.disk.wayOut != "" {
		return s.disk.wayOut
	}
	switch word := kubevirtv1.VirtualMachinePrintableStatus(m.PrintableStatus); word {
	case kubevirtv1.VirtualMachineStatusPvcNotFound:
		return fmt.Sprintf("the claim of a volume does not exist: see `kubectl get pvc -n %s`", m.Namespace)
	case "ErrorDataVolumeNotFound":
		return "the DataVolume of a disk does not exist: see whether the Containerized Data Importer is installed"
	case kubevirtv1.VirtualMachineStatusDataVolumeError:
		return fmt.Sprintf("a disk cannot be filled: see `kubectl describe datavolume -n %s`", m.Namespace)
	case kubevirtv1.VirtualMachineStatusWaitingForVolumeBinding:
		return "a disk waits for its volume: see whether its storage class can provide one"
	case kubevirtv1.VirtualMachineStatusProvisioning:
		if s.sentence == "" && s.disk.says == "" {
			return fmt.Sprintf("its disks are being filled: see `kubectl get datavolume -n %s`", m.Namespace)
		}
	}
	return ""
}

// pullAdvice is what the user can do about an image that cannot be pulled.
func (v *view) pullAdvice() string {
	const pulled = "the image of its container disk cannot be pulled: "
	switch {
	case bootsFromDisk(v.w):
		return pulled + "correct it in spec.virtualMachine, or give the volume an imagePullSecret there"
	case v.w.Spec.ImagePullSecret != "":
		return fmt.Sprintf("%scorrect osImage, or see whether Secret %s is for its registry", pulled, v.w.Spec.ImagePullSecret)
	}
	return pulled + "correct osImage, or, for a private registry, set imagePullSecret"
}

// unpause is what the user can do about a paused machine.
func unpause(m *facts.Machine, s said) string {
	command := fmt.Sprintf("`virtctl unpause vm -n %s %s`", m.Namespace, m.Name)
	switch s.reason {
	case pausedByStorage:
		return "the storage of a disk has failed: mend that first, then " + command + " resumes it"
	case "PausedByMigrationMonitor":
		return "it goes on when its migration ends"
	}
	return command + " resumes it"
}

// secretsOf are the Secrets that the machine cannot start without. KubeVirt does not say when one is missing, and the hook sees no Secrets.
func secretsOf(w *v1alpha1.Wukong) []string {
	all := []string{w.Spec.SSHKeySecret, w.Spec.UserDataSecret, w.Spec.NetworkDataSecret}
	return distinct(slices.DeleteFunc(all, func(name string) bool { return name == "" }))
}

// longest is how many characters of somebody else's message are repeated.
const longest = 1000

// oneLine is somebody else's message on one line, without what is too long to read.
func oneLine(message string) string {
	line := strings.Join(strings.Fields(message), " ")
	if runes := []rune(line); len(runes) > longest {
		line = string(runes[:longest]) + "…"
	}
	return line
}
