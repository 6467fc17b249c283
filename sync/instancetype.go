package sync

import (
	"cmp"
	"fmt"
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
)

// size sets how large the machine is and what it is like: by cores and memory, by an instance type, by a preference.
func (v *view) size(spec *kubevirtv1.VirtualMachineSpec) {
	instancetype, preference := v.matchers()
	if p := preference; p.Name != "" {
		spec.Preference = &kubevirtv1.PreferenceMatcher{Name: p.Name, Kind: p.Kind, RevisionName: p.Revision}
	}
	if t := instancetype; t.Name != "" {
		spec.Instancetype = &kubevirtv1.InstancetypeMatcher{Name: t.Name, Kind: t.Kind, RevisionName: t.Revision}
		return
	}
	domain := &spec.Template.Spec.Domain
	if cores := v.w.Spec.CPU; cores != 0 {
		domain.CPU = &kubevirtv1.CPU{Cores: uint32(cores)} //nolint:gosec // the schema bounds cpu to 1..256
	}
	if memory := v.w.Spec.Memory; memory != nil {
		domain.Memory = &kubevirtv1.Memory{Guest: memory}
	}
}

// matchers are the instance type and the preference that the machine names; zero where it names none. The kind is always
// said: KubeVirt's webhook would fill it in, and under server-side apply it would stay behind when the name goes.
func (v *view) matchers() (instancetype, preference facts.Matcher) {
	if m := v.machine(); m != nil && !v.template.Says("spec.instancetype") {
		instancetype = letGo(m, "instancetype", m.Instancetype)
	}
	if m := v.machine(); m != nil && !v.template.Says("spec.preference") {
		preference = letGo(m, "preference", m.Preference)
	}
	t, p := v.w.Spec.Instancetype, v.w.Spec.Preference
	if t != nil {
		instancetype = facts.Matcher{Name: t.Name, Kind: cmp.Or(t.Kind, "VirtualMachineClusterInstancetype")}
	}
	if p != nil {
		preference = facts.Matcher{Name: p.Name, Kind: cmp.Or(p.Kind, "VirtualMachineClusterPreference")}
	}
	if v.expanded() {
		return facts.Matcher{}, facts.Matcher{}
	}
	return instancetype, preference
}

// letGo is what is answered of an instance type, or a preference, that the spec no longer names: nothing, or once more what
// the machine has, with the revision that KubeVirt has noted there. Under server-side apply only what was answered goes when
// it is no longer answered, and KubeVirt refuses a revision that is left alone.
// The table in docs/decisions.md has its rows.
func letGo(m *facts.Machine, field string, had facts.Matcher) facts.Matcher {
	if had.Revision == "" || hold.Answered(m, "spec", field, "revisionName") {
		return facts.Matcher{}
	}
	return had
}

// expanded reports whether KubeVirt has written the instance type into the machine in place of its name, as it does where
// its configuration says so (instancetype.referencePolicy). It refuses a machine that has both, so the name is not answered
// again. The size of such a machine is somebody else's: it is not in what the hook answered last.
// The table in docs/decisions.md has its rows.
func (v *view) expanded() bool {
	m := v.machine()
	if m == nil || v.w.Spec.Instancetype == nil || m.Instancetype.Name != "" || !m.Sized {
		return false
	}
	answered := func(size ...string) bool {
		return hold.Answered(m, append([]string{"spec", "template", "spec", "domain"}, size...)...)
	}
	return !answered("cpu", "cores") && !answered("cpu", "sockets") && !answered("cpu", "threads") && !answered("memory", "guest")
}

// forgetExpanded leaves the instance type and the preference out where KubeVirt has written what they mean into the machine in place of
// their names. It shows by a machine that was asked to have them and has neither: KubeVirt never takes away one alone. Answered again they
// would be replaced again, at every sync.
// The table in docs/decisions.md has its rows.
func (v *view) forgetExpanded(machine map[string]any) {
	spec, _ := machine["spec"].(map[string]any)
	var asked []string
	for _, field := range []string{"instancetype", "preference"} {
		if matcher, ok := spec[field].(map[string]any); ok {
			kind, _ := matcher["kind"].(string)
			name, _ := matcher["name"].(string)
			asked = append(asked, fmt.Sprintf("%s=%s/%s", field, kind, name))
		}
	}
	metadata, _ := machine["metadata"].(map[string]any)
	if len(asked) == 0 || metadata == nil {
		return
	}
	types := strings.Join(asked, " ")
	annotations, _ := metadata["annotations"].(map[string]any)
	if annotations == nil {
		annotations = map[string]any{}
		metadata["annotations"] = annotations
	}
	annotations[facts.AnnotationTypes] = types
	m := v.machine()
	if m != nil && m.Types == types && m.Instancetype.Name == "" && m.Preference.Name == "" && (spec["instancetype"] == nil || m.Sized) {
		delete(spec, "instancetype")
		delete(spec, "preference")
	}
}

// forgetRevisions makes KubeVirt look up an instance type, or a preference, that the machine had none of before. The
// versions that note in the spec which revision they found refuse another name beside the old revision. An empty text
// is answered only until it has taken its effect: KubeVirt's webhook drops it, and it would be written at every sync.
// The table in docs/decisions.md has its rows.
func (v *view) forgetRevisions(spec map[string]any) {
	m := v.machine()
	if m == nil {
		return
	}
	for field, had := range map[string]facts.Matcher{"instancetype": m.Instancetype, "preference": m.Preference} {
		if matcher, ok := spec[field].(map[string]any); ok && had.Revision != "" {
			name, _ := matcher["name"].(string)
			kind, _ := matcher["kind"].(string)
			if !had.Same(facts.Matcher{Name: name, Kind: kind}) {
				matcher["revisionName"] = ""
			}
		}
	}
}
