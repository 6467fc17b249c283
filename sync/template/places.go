package template

import (
	"slices"
	"strings"
)

// Places in a VirtualMachine, from its top. An item of a list is named by its key: disks[data].
const (
	Instance = "spec.template.spec"
	Domain   = Instance + ".domain"
	Devices  = Domain + ".devices"
)

// keys are the lists whose items are found again by a key, and that key.
var keys = map[string]string{
	"spec.dataVolumeTemplates":   "metadata.name",
	Instance + ".volumes":        "name",
	Instance + ".networks":       "name",
	Instance + ".utilityVolumes": "name",
	Instance + ".resourceClaims": "name",
	Devices + ".disks":           "name",
	Devices + ".interfaces":      "name",
	Devices + ".gpus":            "name",
	Devices + ".hostDevices":     "name",
	Devices + ".filesystems":     "name",
	Devices + ".inputs":          "name",
	Domain + ".cpu.features":     "name",
}

// sets are the lists that are merged by putting together what is in both.
var sets = []string{
	Instance + ".tolerations",
	Instance + ".accessCredentials",
	Instance + ".affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution",
	Instance + ".affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution",
	Instance + ".affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution",
}

// keyOf is the key of an item in a list of a kind; empty where the item has none.
func keyOf(list string, item any) string {
	key, keyed := keys[list]
	fields, ok := item.(map[string]any)
	if !keyed || !ok {
		return ""
	}
	for name := range strings.SplitSeq(key, ".") {
		if text, isText := fields[name].(string); isText {
			return text
		}
		fields, _ = fields[name].(map[string]any)
	}
	return ""
}

// find is the index of the item with a key in a list; -1 where there is none.
func find(list string, items []any, key string) int {
	return slices.IndexFunc(items, func(item any) bool { return key != "" && keyOf(list, item) == key })
}

// get is the value at a place.
func get(object map[string]any, at string) (v any, found bool) {
	v = object
	list := ""
	for segment := range strings.SplitSeq(at, ".") {
		name, key, isItem := strings.Cut(strings.TrimSuffix(segment, "]"), "[")
		fields, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = fields[name]; !ok {
			return nil, false
		}
		list = join(list, name)
		if !isItem {
			continue
		}
		items, _ := v.([]any)
		i := find(list, items, key)
		if i < 0 {
			return nil, false
		}
		v, list = items[i], list+"[]"
	}
	return v, true
}

// remove removes what is at a place, and the maps and lists that are empty without it. An item of a list stays, unless it is itself
// what is removed.
func remove(object map[string]any, at string) {
	parent, last := "", at
	if i := strings.LastIndex(at, "."); i >= 0 {
		parent, last = at[:i], at[i+1:]
	}
	holder := object
	if parent != "" {
		v, _ := get(object, parent)
		if holder, _ = v.(map[string]any); holder == nil {
			return
		}
	}
	name, key, isItem := strings.Cut(strings.TrimSuffix(last, "]"), "[")
	if items, isList := holder[name].([]any); isItem && isList {
		list := join(kindOf(parent), name)
		items = slices.DeleteFunc(slices.Clone(items), func(item any) bool { return keyOf(list, item) == key })
		if len(items) > 0 {
			holder[name] = items
			return
		}
	}
	delete(holder, name)
	if len(holder) == 0 && parent != "" && !strings.HasSuffix(parent, "]") {
		remove(object, parent)
	}
}

// kindOf is a place without the keys of items: what all items of a list have in common.
func kindOf(at string) string {
	var kind string
	for segment := range strings.SplitSeq(at, ".") {
		name, _, isItem := strings.Cut(segment, "[")
		if kind = join(kind, name); isItem {
			kind += "[]"
		}
	}
	return kind
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// Items are the items of a list in a machine.
func Items(object map[string]any, list string) []map[string]any {
	v, _ := get(object, list)
	items, _ := v.([]any)
	var all []map[string]any
	for _, item := range items {
		if fields, ok := item.(map[string]any); ok {
			all = append(all, fields)
		}
	}
	return all
}

// Keys are the keys of the items of a list in a machine.
func Keys(object map[string]any, list string) []string {
	var all []string
	for _, item := range Items(object, list) {
		all = append(all, keyOf(list, item))
	}
	return all
}

// Sort sorts a list in a machine by a rank of each key. Items of one rank stay in their order.
func Sort(object map[string]any, list string, rank func(key string) int) {
	v, _ := get(object, list)
	items, _ := v.([]any)
	slices.SortStableFunc(items, func(a, b any) int { return rank(keyOf(list, a)) - rank(keyOf(list, b)) })
}

// BootSources are the sources of a volume that an operating system can be on.
func BootSources() []string {
	return []string{"persistentVolumeClaim", "dataVolume", "containerDisk", "ephemeral", "hostDisk"}
}

// AddDisks adds the disks of volumes that an operating system can be on and that have none. KubeVirt would add them as well, but
// behind all others, and without a bootOrder the machine boots from the first.
func AddDisks(object map[string]any) {
	has := append(Keys(object, Devices+".disks"), Keys(object, Devices+".filesystems")...)
	devices, _ := get(object, Devices)
	fields, isMap := devices.(map[string]any)
	for _, volume := range Items(object, Instance+".volumes") {
		boots := slices.ContainsFunc(BootSources(), func(source string) bool { return volume[source] != nil })
		if name := keyOf(Instance+".volumes", volume); isMap && boots && !slices.Contains(has, name) {
			disks, _ := fields["disks"].([]any)
			fields["disks"] = append(disks, map[string]any{"name": name})
		}
	}
}
