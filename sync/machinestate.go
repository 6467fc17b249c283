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

// machineState is the outcome for an observed machine, from what KubeVirt reports of it.
// The table in docs/decisions.md has its rows.
func (v *view) machineState(m *facts.Machine, instance *facts.Instance) machineOutcome {
	switch {
	case m.Deleting:
		return refuseMachine(&outcome.Refusal{Reason: v1alpha1.ReasonTerminating, Message: fmt.Sprintf("machine %s is being deleted", m.Key)})
	case crashed(instance):
		return v.crash(m, instance)
	case m.PrintableStatus == "Stopped" && v.stoppedOnRequest(instance):
		return machineOutcome{reason: v1alpha1.ReasonStopped, message: fmt.Sprintf("machine %s is stopped, as asked", m.Key), stopped: true}
	case m.Conditions.Of("Ready").True():
		return v.runs(m)
	}
	return v.halts(m, instance)
}

// halts is the outcome for a machine that does not run: KubeVirt's own sentence, and what the user can do.
func (v *view) halts(m *facts.Machine, instance *facts.Instance) machineOutcome {
	r, says := notRunning(m), v.kubevirtSays(m, instance)
	paused := m.PrintableStatus == string(kubevirtv1.VirtualMachineStatusPaused)
	switch {
	case m.Conditions.Of("Failure").True():
		r.Reason, r.Message = v1alpha1.ReasonMachineFailed, fmt.Sprintf("machine %s", m.Key)
	case says.failed && !paused && !failedWord(string(r.Reason)):
		r.Reason = v1alpha1.ReasonMachineFailed
	}
	if told := sentences(says.sentence, says.disk.says, v.whatToDo(m, says)); told != "" {
		r.Message += ": " + told
	}
	r.Stuck = says.reason == pausedByStorage
	o := refuseMachine(r)
	o.failed, o.paused = says.failed || failedWord(string(r.Reason)), paused
	return o
}

// crashed reports whether an instance has failed, and nobody has stopped it.
func crashed(instance *facts.Instance) bool {
	return instance != nil && instance.Phase == string(kubevirtv1.Failed) && !instance.Deleting
}

// crash is the outcome for a machine whose guest has crashed. That is never what the spec asks for. KubeVirt starts some such machines
// again by itself; the others are stuck.
// The table in docs/decisions.md has its rows.
func (v *view) crash(m *facts.Machine, instance *facts.Instance) machineOutcome {
	r := &outcome.Refusal{Reason: v1alpha1.ReasonMachineFailed, Message: fmt.Sprintf("machine %s has crashed", m.Key)}
	if failedWord(m.PrintableStatus) && isWord(m.PrintableStatus) {
		r.Reason = v1alpha1.Reason(m.PrintableStatus)
	}
	if instance.Reason != "" {
		r.Message += fmt.Sprintf(" (%s)", oneLine(instance.Reason))
	}
	says := v.kubevirtSays(m, instance)
	var advice string
	switch v.runStrategy() {
	case kubevirtv1.RunStrategyManual:
		advice, r.Stuck = fmt.Sprintf("`virtctl start -n %s %s` starts it again", m.Namespace, m.Name), true
	case kubevirtv1.RunStrategyOnce:
		advice, r.Stuck = fmt.Sprintf("it runs once only: `kubectl delete vmi -n %s %s` has it started anew", m.Namespace, m.Name), true
	case kubevirtv1.RunStrategyHalted:
		advice = "it stays off, as runStrategy says"
	default:
		advice = fmt.Sprintf("KubeVirt starts it again; if that lasts: `kubectl describe vmi -n %s %s`", m.Namespace, m.Name)
	}
	r.Message = sentences(r.Message, says.sentence, advice)
	o := refuseMachine(r)
	o.failed = true
	return o
}

// runs is the outcome for a machine that runs.
func (v *view) runs(m *facts.Machine) machineOutcome {
	switch restart := m.Conditions.Of("RestartRequired"); {
	case restart.True():
		why := "takes up the changes made since at its next restart"
		if restart.Message != "" {
			why = "needs a restart: " + oneLine(restart.Message)
		}
		return machineOutcome{reason: v1alpha1.ReasonRestartRequired, message: fmt.Sprintf(
			"machine %s runs, and %s: %s", m.Key, why, v.restarting(m))}
	case m.PrintableStatus == string(kubevirtv1.VirtualMachineStatusMigrating):
		return machineOutcome{reason: v1alpha1.ReasonMigrating, message: fmt.Sprintf("machine %s is running, and moving to another node", m.Key)}
	}
	return machineOutcome{reason: v1alpha1.ReasonRunning, message: fmt.Sprintf("machine %s is running", m.Key)}
}

// restarting is the command that restarts a machine that runs. KubeVirt refuses to restart one that runs once only, and starts it anew when
// its instance is deleted.
func (v *view) restarting(m *facts.Machine) string {
	if v.runStrategy() == kubevirtv1.RunStrategyOnce {
		return fmt.Sprintf("`kubectl delete vmi -n %s %s`", m.Namespace, m.Name)
	}
	return fmt.Sprintf("`virtctl restart -n %s %s`", m.Namespace, m.Name)
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
	switch v.runStrategy() {
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
