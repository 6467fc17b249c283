package hold

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
)

// Keep puts into the spec of a machine what KubeVirt, or somebody by KubeVirt's means, has rewritten in the existing machine by right:
//
//   - the claim of a volume. A restore and a volume migration put another one in its place; with the old name, the machine would boot
//     from a fresh image, or a migration would be cancelled.
//   - volumes that were plugged into the running machine, with their disks. With server-side apply the lists are atomic, so what is
//     missing from an answer is unplugged.
//   - the DataVolume templates, as KubeVirt's webhook has written them.
//
// The table in docs/decisions.md has its rows.
func Keep(spec map[string]any, existing *facts.Machine) {
	if existing == nil {
		return
	}
	keepVolumes(spec, existing)
	keepTemplates(spec, existing)
}

// Moved reports whether a machine has a volume on another claim than the wanted one, and keeps it. A volume that is made from a template
// of the machine cannot be asked for on another claim, so that is never an old wish. The claim of any other volume may have changed in the
// spec, so there it counts whether KubeVirt has restored or moved the machine's volumes.
func Moved(m *facts.Machine, volume, wanted string, fromTemplate bool) bool {
	have := m.Volumes.Named(volume)
	if have.Claim == "" || wanted == "" || have.Claim == wanted {
		return false
	}
	return fromTemplate || m.Restored || m.MovesVolumes || slices.Contains(m.Moving, volume)
}

func keepVolumes(spec map[string]any, existing *facts.Machine) {
	template := at(spec, "template", "spec")
	if template == nil || len(existing.Volumes) == 0 {
		return
	}
	was := observed(&existing.Object).Object
	present := at(was, "spec", "template", "spec")
	volumes := items(template, "volumes")
	for i, v := range volumes {
		name := itemName(v)
		claim, fromTemplate := claimOf(v), templateOf(spec, claimOf(v)) != nil
		if Moved(existing, name, claim, fromTemplate) {
			volumes[i] = named(items(present, "volumes"), name)
			replaceTemplate(spec, claim, templateOf(at(was, "spec"), existing.Volumes.Named(name).Claim))
		}
	}
	disks := items(at(template, "domain", "devices"), "disks")
	for _, have := range existing.Volumes {
		if have.Hotplugged && named(volumes, have.Name) == nil {
			volumes = append(volumes, named(items(present, "volumes"), have.Name))
			if disk := named(items(at(present, "domain", "devices"), "disks"), have.Name); disk != nil && named(disks, have.Name) == nil {
				disks = append(disks, disk)
			}
		}
	}
	if len(volumes) > 0 {
		template["volumes"] = volumes
	}
	if devices := at(template, "domain", "devices"); devices != nil && len(disks) > 0 {
		devices["disks"] = disks
	}
}

// dropUnplugged leaves out of a last answer the volumes that were plugged into the running machine then, and have been unplugged since.
func dropUnplugged(spec map[string]any, existing *facts.Machine) {
	template := at(spec, "template", "spec")
	if template == nil {
		return
	}
	gone := func(item any) bool { return existing.Volumes.Named(itemName(item)).Name == "" }
	var names []string
	for _, v := range items(template, "volumes") {
		if hotpluggable(v) && gone(v) {
			names = append(names, itemName(v))
		}
	}
	unplugged := func(item any) bool { return slices.Contains(names, itemName(item)) }
	if len(names) > 0 {
		template["volumes"] = slices.DeleteFunc(items(template, "volumes"), unplugged)
		if devices := at(template, "domain", "devices"); devices != nil {
			devices["disks"] = slices.DeleteFunc(items(devices, "disks"), unplugged)
		}
	}
}

// sources are where a volume names its claim.
var sources = [][2]string{{"dataVolume", "name"}, {"persistentVolumeClaim", "claimName"}, {"memoryDump", "claimName"}}

// claimOf is the DataVolume or claim that a volume of an answer is on; empty where it is on neither.
func claimOf(volume any) string {
	fields, _ := volume.(map[string]any)
	for _, source := range sources {
		if name, _, _ := unstructured.NestedString(fields, source[0], source[1]); name != "" {
			return name
		}
	}
	return ""
}

// hotpluggable reports whether a volume of an answer was plugged into a running machine.
func hotpluggable(volume any) bool {
	fields, _ := volume.(map[string]any)
	return slices.ContainsFunc(sources, func(source [2]string) bool {
		hot, _, _ := unstructured.NestedBool(fields, source[0], "hotpluggable")
		return hot
	})
}

// templateOf is the DataVolume template of a name in a spec; nil where there is none.
func templateOf(spec map[string]any, name string) any {
	for _, t := range items(spec, "dataVolumeTemplates") {
		if name != "" && templateName(t) == name {
			return t
		}
	}
	return nil
}

// replaceTemplate puts a template in the place of another, or of nothing where it is nil: KubeVirt refuses a template that no volume is on.
func replaceTemplate(spec map[string]any, name string, by any) {
	templates := items(spec, "dataVolumeTemplates")
	i := slices.IndexFunc(templates, func(t any) bool { return templateName(t) == name })
	switch {
	case i < 0:
		return
	case by != nil && !slices.ContainsFunc(templates, func(t any) bool { return templateName(t) == templateName(by) }):
		templates[i] = by
	default:
		templates = slices.Delete(templates, i, i+1)
	}
	if len(templates) == 0 {
		delete(spec, "dataVolumeTemplates")
		return
	}
	spec["dataVolumeTemplates"] = templates
}

// at is the map at a path; nil where there is none.
func at(fields map[string]any, path ...string) map[string]any {
	for _, key := range path {
		fields, _ = fields[key].(map[string]any)
	}
	return fields
}

// items are the items of the list in a field.
func items(fields map[string]any, field string) []any {
	list, _ := fields[field].([]any)
	return list
}

// named is the first item with a name; nil where there is none.
func named(list []any, name string) any {
	i := slices.IndexFunc(list, func(item any) bool { return itemName(item) == name })
	if i < 0 {
		return nil
	}
	return list[i]
}
