package template

import (
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// Collision is a value that the machine has already and the template says, too.
type Collision struct {
	Path *field.Path // in the Wukong
	At   string      // in the machine
}

// Fallback is a value of the machine that only a default says, and the places in the template to which it gives way; without places it
// gives way in any case.
type Fallback struct {
	At string
	To []string
}

// GiveWay removes the defaults to which the template says something else.
func (t *Template) GiveWay(machine map[string]any, fallbacks []Fallback) {
	for _, f := range fallbacks {
		if len(f.To) == 0 || t.Says(f.To...) {
			remove(machine, f.At)
		}
	}
}

// Merge merges the template under a machine. What the machine has stays. Where the template says that too, there is a collision.
func (t *Template) Merge(machine map[string]any) []Collision {
	m := merging{}
	m.maps(merged{path: field.NewPath("spec", "virtualMachine")}, machine, t.object)
	return m.collisions
}

// unions are the values of which an object may have one only, by where the object stands.
var unions = map[string][][]string{
	Instance + ".volumes[]":                  {VolumeSources()},
	Instance + ".volumes[].cloudInitNoCloud": {userDataFields, networkDataFields},
	Instance + ".networks[]":                 {namesOf(reflect.TypeFor[kubevirtv1.NetworkSource]())},
	Devices + ".disks[]":                     {DiskDevices()},
	Devices + ".interfaces[]":                {Bindings()},
	"spec.dataVolumeTemplates[].spec":        {{"source", "sourceRef"}, {"pvc", "storage"}},
	"spec.dataVolumeTemplates[].spec.source": {{"blank", "gcs", "http", "imageio", "pvc", "registry", "s3", "snapshot", "upload", "vddk"}},
}

var (
	userDataFields    = []string{"userData", "userDataBase64", "secretRef"}
	networkDataFields = []string{"networkData", "networkDataBase64", "networkDataSecretRef"}
)

// VolumeSources are the fields of a volume that say what it is.
func VolumeSources() []string {
	return namesOf(reflect.TypeFor[kubevirtv1.VolumeSource]())
}

// DiskDevices are the fields of a disk that say what the guest sees it as.
func DiskDevices() []string {
	return namesOf(reflect.TypeFor[kubevirtv1.DiskDevice]())
}

// Bindings are the fields of an interface that say how it is bound to its network.
func Bindings() []string {
	return append(namesOf(reflect.TypeFor[kubevirtv1.InterfaceBindingMethod]()), "binding")
}

func namesOf(t reflect.Type) []string {
	var names []string
	for name := range fieldsOf(t) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// merging is one merge, and what it has found.
type merging struct {
	collisions []Collision
}

// merged is where two values stand that are merged.
type merged struct {
	path *field.Path
	at   string // as in Collision
	kind string // at without the keys of items
}

func (p merged) child(name string) merged {
	return merged{p.path.Child(name), join(p.at, name), join(p.kind, name)}
}

func (p merged) item(i int, key string) merged {
	return merged{p.path.Index(i), p.at + "[" + key + "]", p.kind + "[]"}
}

func (m *merging) collide(at merged) {
	m.collisions = append(m.collisions, Collision{at.path, at.at})
}

func (m *merging) maps(at merged, have, want map[string]any) {
	excluded := map[string]bool{}
	for _, union := range unions[at.kind] {
		taken := slices.ContainsFunc(union, func(name string) bool { _, has := have[name]; return has })
		for _, name := range union {
			_, has := have[name]
			excluded[name] = taken && !has
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		below := at.child(name)
		switch before, has := have[name]; {
		case excluded[name]:
			m.collide(below)
		case has:
			have[name] = m.values(below, before, want[name])
		default:
			have[name] = runtime.DeepCopyJSONValue(want[name])
		}
	}
}

// values are two values as one.
func (m *merging) values(at merged, have, want any) any {
	switch have := have.(type) {
	case map[string]any:
		if want, ok := want.(map[string]any); ok {
			m.maps(at, have, want)
			return have
		}
	case []any:
		want, ok := want.([]any)
		switch _, keyed := keys[at.kind]; {
		case ok && keyed:
			return m.lists(at, have, want)
		case ok && slices.Contains(sets, at.kind):
			return together(have, want)
		}
	}
	m.collide(at)
	return have
}

// lists are two lists as one: what have has in its order, then what only want has.
func (m *merging) lists(at merged, have, want []any) []any {
	for i, item := range want {
		key := keyOf(at.kind, item)
		j := find(at.kind, have, key)
		if j < 0 {
			have = append(have, runtime.DeepCopyJSONValue(item))
			continue
		}
		before, _ := have[j].(map[string]any)
		fields, _ := item.(map[string]any)
		m.maps(at.item(i, key), before, withoutKey(at.kind, fields))
	}
	return have
}

// withoutKey is an item without its key, which is no collision.
func withoutKey(list string, item map[string]any) map[string]any {
	rest := runtime.DeepCopyJSON(item)
	remove(rest, keys[list])
	return rest
}

// together are the items of two lists, each once.
func together(have, want []any) []any {
	for _, item := range want {
		if !slices.ContainsFunc(have, func(before any) bool { return reflect.DeepEqual(before, item) }) {
			have = append(have, runtime.DeepCopyJSONValue(item))
		}
	}
	return have
}
