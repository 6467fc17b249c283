package sync

import (
	"time"

	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Decision is what was decided about the bridge of one network of a Wukong, or of one uplink of a WukongNetwork.
type Decision struct {
	Name    string // of the network, or of the uplink; empty for the uplink of a WukongNetwork without a list
	Want    bridges.Want
	Refusal *outcome.Refusal
	Ways    []bridges.Way
}

// Decisions are the decisions about the bridges of a Wukong. valid is whether anything is decided.
func Decisions(req *Request, settings Settings, now time.Time) (all []Decision, valid bool) {
	v := newView(req, settings, now)
	if errs := v.validate(); len(errs) > 0 {
		return nil, false
	}
	v.decide()
	wants := v.bridges.Wants
	for _, n := range v.networks {
		if n.policyName != "" {
			all, wants = append(all, Decision{n.Name, wants[0], n.policy.Refusal, n.policy.Ways}), wants[1:]
		}
	}
	return all, true
}

// NetworkDecisions are the decisions about the uplinks of a WukongNetwork.
func NetworkDecisions(req *NetworkRequest, settings Settings, now time.Time) (all []Decision, valid bool) {
	v := newNetworkView(req, settings, now)
	if errs := v.validate(); len(errs) > 0 || !v.nmstate {
		return nil, false
	}
	for i, w := range v.bridges.Wants {
		o := v.bridges.Decide(&v.bridges.Wants[i])
		d := Decision{Want: w, Refusal: o.Refusal, Ways: o.Ways}
		if len(v.w.Spec.Uplinks) > 0 {
			d.Name = v.w.Spec.Uplinks[i].Name
		}
		all = append(all, d)
	}
	return all, true
}

// Refuses reports whether a decision is one that only the user can end, by another spec or on the nodes.
func (d Decision) Refuses() bool {
	return d.Refusal != nil && d.Refusal.Stuck &&
		(d.Refusal.Reason == v1alpha1.ReasonConflict || d.Refusal.Reason == v1alpha1.ReasonPreflightRefused)
}
