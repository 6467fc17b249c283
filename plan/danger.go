package plan

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
)

// dangers are what a change of a child takes from a running machine or a node.
func (s *simulation) dangers(existing, merged *unstructured.Unstructured) []Danger {
	switch kindKey(existing) {
	case facts.PolicyKind:
		if merged.GetAnnotations()[facts.AnnotationRemoving] != "" {
			return []Danger{{"Bridge", "its bridge is taken off the nodes"}}
		}
	case facts.MachineKind:
		return s.machineDangers(existing, merged)
	}
	return nil
}

// machineDangers are those of a machine that runs. KubeVirt takes most changes of the template over at a restart only.
func (s *simulation) machineDangers(existing, merged *unstructured.Unstructured) []Danger {
	running := s.cluster.Get(facts.InstanceKind, facts.Qualified(existing.GetNamespace(), existing.GetName()))
	if running == nil {
		return nil
	}
	var all []Danger
	strategy := func(u *unstructured.Unstructured) string {
		text, _, _ := unstructured.NestedString(u.Object, "spec", "runStrategy")
		return text
	}
	if now := strategy(merged); now == "Halted" && strategy(existing) != now {
		all = append(all, Danger{"Stop", "the machine runs, and is stopped"})
	}
	for _, name := range removed(existing, merged, "spec", "template", "spec", "networks") {
		all = append(all, Danger{"Network", fmt.Sprintf("the running machine loses network %s at its next restart or migration", name)})
	}
	for _, name := range removed(existing, merged, "spec", "template", "spec", "volumes") {
		all = append(all, Danger{"Disk", fmt.Sprintf("the running machine loses disk %s at its next restart", name)})
	}
	changes := differences("", existing.Object["spec"], merged.Object["spec"])
	var paths []string
	for _, c := range changes {
		if path, ok := strings.CutPrefix(c.Path, "template.spec."); ok {
			paths = append(paths, path)
		}
	}
	if len(paths) > 0 {
		some := strings.Join(paths[:min(3, len(paths))], ", ")
		if len(paths) > 3 {
			some += fmt.Sprintf(" and %d more", len(paths)-3)
		}
		all = append(all, Danger{"Restart", "the running machine takes this up at its next restart: " + some})
	}
	return all
}

// removed are the names in a list that one object has and the other has no more.
func removed(existing, merged *unstructured.Unstructured, path ...string) []string {
	names := func(u *unstructured.Unstructured) []string {
		var all []string
		list, _, _ := unstructured.NestedSlice(u.Object, path...)
		for _, item := range list {
			object, _ := item.(map[string]any)
			if name, ok := object["name"].(string); ok {
				all = append(all, name)
			}
		}
		return all
	}
	kept := names(merged)
	return slices.DeleteFunc(names(existing), func(name string) bool { return slices.Contains(kept, name) })
}

// lost is what goes with a child that is deleted.
func (s *simulation) lost(child *unstructured.Unstructured) []Danger {
	switch kindKey(child) {
	case facts.MachineKind:
		all := []Danger{{"Machine", "the machine is deleted"}}
		templates, _, _ := unstructured.NestedSlice(child.Object, "spec", "dataVolumeTemplates")
		for _, t := range templates {
			template, _ := t.(map[string]any)
			metadata, _ := template["metadata"].(map[string]any)
			all = append(all, Danger{"Disk", fmt.Sprintf("its disk %v is deleted, with what is on it", metadata["name"])})
		}
		return all
	case facts.PolicyKind:
		if child.GetAnnotations()[facts.AnnotationRemoving] == "" {
			return []Danger{{"Bridge", "NMState no longer keeps the bridge: the nodes keep it until somebody takes it off"}}
		}
	}
	return nil
}
