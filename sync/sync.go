// Package sync decides what should exist. It is the pure core of the hook: functions from what Metacontroller posts to
// what it is answered. Nothing here reads a clock, a network, a file or the environment, logs, or keeps anything between
// two calls; it has nothing to do with the standard library's sync, and nothing here locks.
//
// The one rule: a child that is missing from an answer is deleted. So readiness gates the creation of children, and
// whatever exists is answered again, come what may, until the user removes it.
package sync

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Sync answers what should exist of a Wukong, given what does: first the policies that build bridges on the nodes, then,
// as each becomes available, the attachments that point at the bridges, and when all exist the machine.
//
// An error means that the request is none that can be answered, and that everything stays as it is.
func Sync(req *Request, settings Settings, now time.Time) (*Response, error) {
	if err := isWukong(req.Parent); err != nil {
		return nil, err
	}
	w := defaulted(req.Parent)
	obs := observe(w, req.Controller, req.Children, req.Related)
	nets := networks(w, settings, obs)
	if errs := validate(w, nets); len(errs) > 0 {
		return &Response{Status: invalidStatus(w, obs, errs, now), Children: holdAll(obs)}, nil
	}

	var policies, nads []step
	for _, n := range nets {
		policy, nad := step{ready: true}, step{ready: true}
		if n.policy != "" {
			policy = policyStep(w, n, nets, obs, settings, now)
		}
		if n.nad != "" || n.superseded != "" {
			nad = nadStep(w, n, obs, settings, policy)
		}
		policies, nads = append(policies, policy), append(nads, nad)
	}
	machine := vmStep(w, nets, obs, settings, policies, nads)
	leaving, notes := leaving(nets, obs, settings, now)

	var children Children
	for _, s := range slices.Concat(policies, nads, []step{machine}, leaving) {
		if s.child != nil {
			children = append(children, s.child)
		}
		if s.note != "" {
			notes = append(notes, s.note)
		}
	}
	return &Response{
		Status:             status(w, nets, obs, policies, nads, machine, leaving, now),
		Children:           children,
		ResyncAfterSeconds: resync(slices.Concat(policies, leaving), settings),
		Notes:              notes,
	}, nil
}

// stillUsed is said of a network that the spec no longer has and the machine still does.
const stillUsed = "is removed from the spec, and goes when the machine no longer uses it: at its next restart"

// leaving decides about what exists and no network of the spec asks for any more. The machine lets go first; an
// attachment goes when neither the machine nor its running instance refers to it, and its policy after it.
func leaving(nets []network, obs *observed, settings Settings, now time.Time) (steps []step, notes []string) {
	wanted := wantedNames(nets)
	staying := map[string]bool{} // networks whose attachment is still there
	for _, key := range slices.Sorted(maps.Keys(obs.nads)) {
		existing := obs.nads[key]
		if wanted[key] {
			continue
		}
		network := networkOf(obs.w, existing.GetName(), "-nad")
		staying[network] = true
		if used(obs, network) {
			steps = append(steps, step{child: hold(existing), network: network, message: stillUsed})
		}
	}
	standing := maps.Clone(wanted) // with the policies that the machine still stands on
	for name := range obs.policies {
		if network := networkOf(obs.w, name, "-bridge"); staying[network] || used(obs, network) {
			standing[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(obs.policies)) {
		existing := obs.policies[name]
		if wanted[name] {
			continue
		}
		network := networkOf(obs.w, name, "-bridge")
		if standing[name] {
			steps = append(steps, step{child: hold(existing), network: network, message: stillUsed})
			continue
		}
		s, note := teardown(obs, existing, winnerOver(obs, existing), standing, settings, now)
		if note != "" {
			notes = append(notes, note)
		}
		if s.child != nil {
			s.network = network
			steps = append(steps, s)
		}
	}
	// A machine of another name is none that this hook made, though it carries this Wukong's mark. It is never deleted
	// for that.
	for _, key := range slices.Sorted(maps.Keys(obs.vms)) {
		if key != qualified(obs.w.Spec.Namespace, obs.w.Name) {
			steps = append(steps, step{child: hold(obs.vms[key])})
		}
	}
	return steps, notes
}

// wantedNames are the names of the policies and attachments of networks that are in the spec.
func wantedNames(nets []network) map[string]bool {
	wanted := map[string]bool{}
	for _, n := range nets {
		if n.superseded == "" {
			wanted[n.nad], wanted[n.policy] = wanted[n.nad] || n.ownNAD, true
		}
	}
	return wanted
}

// used says that a machine refers to the attachment of a network of ours: our machine, its running instance, or one of our
// name that is somebody else's by now. One that cannot be read may refer to anything.
func used(obs *observed, network string) bool {
	name := nadName(obs.w, network)
	refers := func(machine *unstructured.Unstructured, path ...string) bool {
		return machine != nil && (value(machine, path...) == nil || slices.ContainsFunc(items(machine, append(path, "networks")...), func(n map[string]any) bool {
			refers := text(n, "multus", "networkName")
			return refers == name || refers == qualified(obs.w.Spec.Namespace, name)
		}))
	}
	key := qualified(obs.w.Spec.Namespace, obs.w.Name)
	return refers(obs.vm(), "spec", "template", "spec") ||
		refers(obs.relatedObject(vmKind, key), "spec", "template", "spec") ||
		refers(obs.relatedObject(instanceKind, key), "spec")
}

// resync asks to be called again while a bridge is being removed: that nothing moves any more is no event.
func resync(policies []step, settings Settings) float64 {
	for _, s := range policies {
		if s.child != nil && s.child.GetAnnotations()[annotationRemoving] != "" {
			return max(1, settings.TeardownTimeout.Seconds()/10)
		}
	}
	return 0
}
