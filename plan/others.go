package plan

import (
	"fmt"
	"regexp"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// others are the Wukongs and WukongNetworks in no file that would be told something else, or lose or get something, once the files are
// applied.
func (s *simulation) others(before *dump.Cluster) ([]*Object, error) {
	planned := map[string]bool{}
	for _, o := range s.planned {
		planned[o.Kind+" "+o.Name] = true
	}
	var all []*Object
	for _, kind := range []string{facts.WukongNetworkKind, facts.WukongKind} {
		for _, parent := range before.All(kind) {
			if planned[parent.GetKind()+" "+parent.GetName()] {
				continue
			}
			was, err := before.Ask(s.hook, parent)
			if err != nil {
				continue // the hook cannot read it, with the files and without
			}
			is, err := s.cluster.Ask(s.hook, parent)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", parent.GetKind(), parent.GetName(), err)
			}
			o := &Object{Kind: parent.GetKind(), Name: parent.GetName(), parent: parent}
			if changedFor(o, was, is) {
				s.last[o] = is
				all = append(all, o)
			}
		}
	}
	return all, nil
}

// changedFor says what is different for another object, and whether anything is.
func changedFor(o *Object, was, is *dump.Answer) bool {
	before, now := was.Of(v1alpha1.ConditionReady), is.Of(v1alpha1.ConditionReady)
	stalled := is.Of(v1alpha1.ConditionStalled).Status == "True" && was.Of(v1alpha1.ConditionStalled).Status != "True"
	if before.Reason == now.Reason && before.Message == now.Message && len(was.Children) == len(is.Children) {
		return false
	}
	o.Verb, o.Before, o.Reason = Keep, before.Message, now.Reason
	if stalled {
		o.Refused = now.Message
	} else {
		o.Waits = now.Message
	}
	return true
}

// conflicts are the objects of the files that the refusal of one of them names.
func conflicts(o *Object, all []*Object) []string {
	if o.Reason != string(v1alpha1.ReasonConflict) {
		return nil
	}
	var named []string
	for _, other := range all {
		same := other.Kind == o.Kind && other.Name == o.Name
		if !same && regexp.MustCompile(`\b`+regexp.QuoteMeta(other.Kind+" "+other.Name)+`\b`).MatchString(o.Refused) {
			named = append(named, fmt.Sprintf("%s %s in %s", other.Kind, other.Name, other.File))
		}
	}
	return named
}
