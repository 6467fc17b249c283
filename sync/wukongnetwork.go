package sync

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/types/v1alpha1"
)

// NetworkRequest is what Metacontroller posts to /network/sync and /network/finalize: a WukongNetwork, and what exists of it.
type NetworkRequest = RequestOf[v1alpha1.WukongNetwork]

// NetworkCustomizeRequest is what Metacontroller posts to /network/customize.
type NetworkCustomizeRequest = CustomizeRequestOf[v1alpha1.WukongNetwork]

// NetworkResponse is the answer to /network/sync and /network/finalize. A child that exists and is missing from Children is deleted.
type NetworkResponse struct {
	Status             v1alpha1.WukongNetworkStatus `json:"status"`
	Children           Children                     `json:"children"`
	ResyncAfterSeconds float64                      `json:"resyncAfterSeconds,omitempty"`
	Finalized          bool                         `json:"finalized,omitempty"`
	Notes              []string                     `json:"-"`
}

// SyncNetwork answers which policies should exist of a WukongNetwork.
//
// An error means that the request cannot be answered, and that everything stays as it is.
// The table in docs/decisions.md has its rows.
func SyncNetwork(req *NetworkRequest, settings Settings, now time.Time) (resp *NetworkResponse, err error) {
	defer hold.Recover(&err)
	if err := isNetwork(req.Parent); err != nil {
		return nil, err
	}
	v := newNetworkView(req, settings, now)
	if errs := v.validate(); len(errs) > 0 {
		return &NetworkResponse{Status: v.invalidStatus(errs), Children: v.holdAll()}, nil
	}
	if !v.nmstate {
		return &NetworkResponse{Status: v.unregisteredStatus(), Children: v.holdAll()}, nil
	}
	return v.sync(), nil
}

// sync decides about the policy of each uplink, and about those of uplinks that were removed.
// The table in docs/decisions.md has its rows.
func (v *networkView) sync() *NetworkResponse {
	resp := &NetworkResponse{}
	var outcomes []bridges.Outcome
	staying := map[string]bool{}
	for i := range v.bridges.Wants {
		w := &v.bridges.Wants[i]
		staying[w.Policy] = w.Superseded == ""
		outcomes = append(outcomes, v.bridges.Decide(w))
	}
	for _, p := range v.children.Policies.All() {
		switch {
		case staying[p.Key]:
		case v.copied(p):
			resp.Children = append(resp.Children, hold.Policy(p))
		default:
			outcomes = append(outcomes, v.bridges.Leave(p, staying))
		}
	}
	for _, o := range outcomes {
		resp.take(o, v.settings)
	}
	resp.Status = v.status(outcomes)
	return resp
}

// take adds what became of one policy to the answer.
func (r *NetworkResponse) take(o bridges.Outcome, settings Settings) {
	if o.Note != "" {
		r.Notes = append(r.Notes, o.Note)
	}
	if o.Refusal != nil && o.Refusal.Again > 0 {
		r.ResyncAfterSeconds = o.Refusal.Again.Seconds()
	}
	if o.Child == nil {
		return
	}
	r.Children = append(r.Children, o.Child)
	if o.Child.GetAnnotations()[facts.AnnotationRemoving] != "" {
		// A removal that makes no progress causes no event.
		r.ResyncAfterSeconds = patience(settings)
	}
}

// validate is what is wrong with a WukongNetwork that the schema's rules cannot say: what depends on the default NIC. Names are looked
// at again, because two policies with one name would corrupt each other.
func (v *networkView) validate() field.ErrorList {
	var errs field.ErrorList
	for i, u := range v.w.Spec.Uplinks {
		if facts.Disjoint(selectorOf(v.w.Spec.NodeSelector), selectorOf(u.NodeSelector)) {
			errs = append(errs, field.Invalid(field.NewPath("spec", "uplinks").Index(i).Child("nodeSelector"), u.Name,
				"contradicts spec.nodeSelector, so that no node can have both: correct one of the two"))
		}
	}
	seen := map[string]bool{}
	for i, w := range v.bridges.Wants {
		path := field.NewPath("spec")
		if len(v.w.Spec.Uplinks) > 0 {
			path = path.Child("uplinks").Index(i)
		}
		if seen[w.Policy] {
			errs = append(errs, field.Duplicate(path.Child("name"), w.Policy))
		}
		seen[w.Policy] = true
		if len(w.Policy) > labelLimit {
			errs = append(errs, field.Invalid(path.Child("name"), w.Policy,
				fmt.Sprintf("is a policy name longer than the %d characters that NMState takes: choose shorter names", labelLimit)))
		}
		if len(w.Bridge.NIC) > kernelNameLimit {
			errs = append(errs, field.Invalid(path.Child("physicalInterface"), w.Bridge.NIC,
				fmt.Sprintf("is longer than the kernel's %d characters: name the NIC as the node does", kernelNameLimit)))
		}
		if w.Bridge.Name == w.Bridge.NIC || w.Bridge.Name == w.Bridge.Uplink {
			errs = append(errs, field.Invalid(field.NewPath("spec", "bridgeName"), w.Bridge.Name,
				"is the name of the bridge's own uplink: a bridge needs a name of its own"))
		}
		if len(w.Bridge.Name) > kernelNameLimit {
			errs = append(errs, field.Invalid(field.NewPath("spec", "bridgeName"), w.Bridge.Name,
				fmt.Sprintf("is longer than the kernel's %d characters: set a shorter bridgeName", kernelNameLimit)))
		}
	}
	return errs
}

// isNetwork is why a parent is no WukongNetwork.
func isNetwork(w *v1alpha1.WukongNetwork) error {
	switch {
	case w == nil:
		return fmt.Errorf("parent: Required value: the request has no parent")
	case w.APIVersion != v1alpha1.APIVersion || w.Kind != v1alpha1.NetworkKind:
		return fmt.Errorf("parent: Invalid value: %q: this hook serves %s %s only",
			w.APIVersion+" "+w.Kind, v1alpha1.APIVersion, v1alpha1.NetworkKind)
	case w.Name == "":
		return fmt.Errorf("parent.metadata.name: Required value")
	}
	return nil
}
