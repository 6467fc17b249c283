package sync

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// part is one of the three conditions that Ready sums up.
type part struct {
	condition string
	status    metav1.ConditionStatus
	reason    v1alpha1.Reason
	message   string
	refusal   *outcome.Refusal // nil where Ready does not wait
}

func readyPart(condition string, reason v1alpha1.Reason, message string) part {
	return part{condition: condition, status: metav1.ConditionTrue, reason: reason, message: message}
}

// unknownPart is a part that the hook cannot see, so nothing waits for it.
func unknownPart(condition string, reason v1alpha1.Reason, message string) part {
	return part{condition: condition, status: metav1.ConditionUnknown, reason: reason, message: message}
}

func refusedPart(condition string, r *outcome.Refusal) part {
	return part{condition: condition, status: metav1.ConditionFalse, reason: r.Reason, message: r.Message, refusal: r}
}

// machinePart is about the machine, with what is to be told of one that runs or stands still as it should.
func (v *view) machinePart(m machineOutcome) part {
	p := readyPart(v1alpha1.ConditionMachineReady, m.reason, m.message)
	if m.Refusal != nil {
		p = refusedPart(v1alpha1.ConditionMachineReady, m.Refusal)
	}
	p.message = inShort(p.message, v.concerns()...)
	return p
}

// sentences are the sentences that there are, in one message.
func sentences(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), "; ")
}

// enough is how many characters a message has before what else there is to tell is only counted.
const enough = 150

// inShort is a lead, which may be empty, the first sentence, and as many others as are soon read. The others are counted: what is told of
// first is to be done first.
func inShort(lead string, all ...string) string {
	all = slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "" })
	message := lead
	for i, sentence := range all {
		longer := sentences(message, sentence)
		if i > 0 && utf8.RuneCountInString(longer) > enough {
			return fmt.Sprintf("%s; %d more", message, len(all)-i)
		}
		message = longer
	}
	return message
}

// inOneLine is what is wrong with a spec, in short. render tells all of it.
func inOneLine(errs field.ErrorList) string {
	var messages []string
	for _, err := range errs {
		messages = append(messages, err.Error())
	}
	return inShort("", messages...)
}

// worst is the refusal that Ready repeats; nil where all is well.
func worst(parts []part) *outcome.Refusal {
	var refusals []*outcome.Refusal
	for _, p := range parts {
		refusals = append(refusals, p.refusal)
	}
	return outcome.Worst(refusals...)
}

// conditions are Ready, the parts, and Stalled while only the user can make progress.
func (v *view) conditions(parts []part) []metav1.Condition {
	last := parts[len(parts)-1]
	all := []part{readyPart(v1alpha1.ConditionReady, last.reason, last.message)}
	var stalled []part
	if r := worst(parts); r != nil {
		all[0] = refusedPart(v1alpha1.ConditionReady, r)
		if v.w.DeletionTimestamp == nil {
			all[0].message = inShort(r.Message, v.copiesNotes()...) // a deletion says so first
		}
		if r.Stuck {
			stalled = append(stalled, readyPart(v1alpha1.ConditionStalled, r.Reason, r.Message))
		}
	}
	return stamp{v.w.Status.Conditions, v.w.Generation, v.now}.conditions(slices.Concat(all, parts, stalled))
}

// messageLimit is how many characters a message of the status has at most. The CRD takes 32,768 in a condition, and refuses the whole
// status with a longer one; what people read is much shorter.
const messageLimit = 4096

// bounded is a message that the CRD takes.
func bounded(message string) string {
	if len(message) <= messageLimit {
		return message
	}
	runes := []rune(message)
	return string(runes[:min(len(runes), messageLimit)]) + "…"
}

// stamp is what conditions are made with beside what they say.
type stamp struct {
	before     []metav1.Condition
	generation int64
	now        time.Time
}

// conditions are the parts as the status has them. A condition whose status is unchanged keeps its transition time.
func (s stamp) conditions(parts []part) []metav1.Condition {
	before := slices.Clone(s.before)
	var conditions []metav1.Condition
	for _, p := range parts {
		meta.SetStatusCondition(&before, metav1.Condition{
			Type: p.condition, Status: p.status, Reason: string(p.reason), Message: bounded(p.message),
			ObservedGeneration: s.generation, LastTransitionTime: metav1.NewTime(s.now.UTC().Truncate(time.Second)),
		})
		conditions = append(conditions, *meta.FindStatusCondition(before, p.condition))
	}
	return conditions
}
