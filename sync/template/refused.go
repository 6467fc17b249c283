package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/facts"
)

// never are the places that no template may say, whatever the Wukong says, and what to do instead.
var never = []struct{ at, instead string }{
	{"spec.running", "write spec.startStrategy.runStrategy of the Wukong: KubeVirt takes one of the two"},
	{"spec.instancetype.inferFromVolume", "KubeVirt replaces it by a name, which would be taken back: write the name of the instance type"},
	{"spec.preference.inferFromVolume", "KubeVirt replaces it by a name, which would be taken back: write the name of the preference"},
	{Devices + ".autoattachPodInterface", "spec.networks says whether the machine is on the pod network: remove it"},
}

// refused is what is wrong with a template by itself.
func (t *Template) refused(at *field.Path, o Options) field.ErrorList {
	var errs field.ErrorList
	for _, n := range never {
		if t.Says(n.at) {
			errs = append(errs, field.Forbidden(in(at, n.at), n.instead))
		}
	}
	if metadata, ok := get(t.object, "spec.template.metadata"); ok {
		errs = append(errs, refusedMetadata(in(at, "spec.template.metadata"), metadata, "labels", "annotations")...)
	}
	errs = append(errs, t.refusedDataVolumes(in(at, "spec.dataVolumeTemplates"), o.DataVolumes)...)
	errs = append(errs, t.refusedPlugs(at, o.Networks)...)
	return append(errs, doubles(at.Child("spec"), "spec", t.object["spec"])...)
}

// refusedDataVolumes is what is wrong with the DataVolumes that the machine makes.
func (t *Template) refusedDataVolumes(at *field.Path, prefix string) field.ErrorList {
	var errs field.ErrorList
	all := t.Items("spec.dataVolumeTemplates")
	if len(all) > mostDataVolumes {
		return field.ErrorList{field.TooMany(at, len(all), mostDataVolumes)}
	}
	for i, dv := range all {
		below := at.Index(i)
		errs = append(errs, refusedMetadata(below.Child("metadata"), dv["metadata"], "name", "labels", "annotations")...)
		if dv["status"] != nil {
			errs = append(errs, field.Forbidden(below.Child("status"), "a status is not asked for: remove it"))
		}
		switch name := keyOf("spec.dataVolumeTemplates", dv); {
		case name == "": // which is missed elsewhere
		case !isName(name):
			errs = append(errs, field.Invalid(below.Child("metadata", "name"), name,
				"must have lower-case letters, digits, '-' and '.' only, and at most 253 of them"))
		case !strings.HasPrefix(name, prefix):
			errs = append(errs, field.Invalid(below.Child("metadata", "name"), name,
				"must begin with "+prefix+": two machines must not write to one disk, and by their names they find each other"))
		}
	}
	return errs
}

// in is a place of the machine in a Wukong.
func in(at *field.Path, place string) *field.Path {
	for name := range strings.SplitSeq(place, ".") {
		at = at.Child(name)
	}
	return at
}

// refusedMetadata is what is wrong with the metadata of a part of the machine.
func refusedMetadata(at *field.Path, metadata any, allowed ...string) field.ErrorList {
	fields, _ := metadata.(map[string]any)
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(allowed, name) {
			errs = append(errs, field.Forbidden(at.Child(name), "only "+strings.Join(allowed, ", ")+" can be written: remove it"))
		}
	}
	return append(errs, refusedMarks(at, fields)...)
}

// refusedMarks is what is wrong with labels and annotations: they are malformed, or are somebody else's to write.
func refusedMarks(at *field.Path, metadata map[string]any) field.ErrorList {
	labels, annotations := textsOf(metadata["labels"]), textsOf(metadata["annotations"])
	errs := metavalidation.ValidateLabels(labels, at.Child("labels"))
	errs = append(errs, validation.ValidateAnnotations(annotations, at.Child("annotations"))...)
	for _, err := range errs {
		err.Detail, _, _ = strings.Cut(err.Detail, " (e.g. ") // examples, and a regular expression
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if facts.OwnLabel(key) {
			errs = append(errs, field.Forbidden(at.Child("labels").Key(key), "the machine is found again by this label: choose another key"))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if facts.OwnAnnotation(key) {
			errs = append(errs, field.Forbidden(at.Child("annotations").Key(key), "others write this annotation: remove it"))
		}
	}
	return errs
}

func textsOf(v any) map[string]string {
	fields, _ := v.(map[string]any)
	all := map[string]string{}
	for key, value := range fields {
		all[key], _ = value.(string)
	}
	return all
}

// refusedPlugs is what is wrong with networks and interfaces: they are those of spec.networks, and a template says more of these.
func (t *Template) refusedPlugs(at *field.Path, networks []string) field.ErrorList {
	var errs field.ErrorList
	for _, list := range []string{Instance + ".networks", Devices + ".interfaces"} {
		for i, item := range t.Items(list) {
			below := in(at, list).Index(i)
			name, _ := item["name"].(string)
			if !slices.Contains(networks, name) {
				if name != "" { // which is missed elsewhere
					errs = append(errs, field.Invalid(below.Child("name"), name,
						"is no network of the Wukong: write it in spec.networks"))
				}
				continue
			}
			if item["macAddress"] != nil {
				errs = append(errs, field.Forbidden(below.Child("macAddress"),
					fmt.Sprintf("write it as macAddress of network %s in spec.networks", name)))
			}
			if item["state"] == "absent" {
				errs = append(errs, field.Forbidden(below.Child("state"), fmt.Sprintf("remove network %s from spec.networks", name)))
			}
		}
	}
	return errs
}

// doubles are the items of lists that cannot be told apart. Metacontroller's dynamic apply merges a list by the first of some keys
// that all items have, and of two with one key it writes the last one twice.
func doubles(at *field.Path, kind string, v any) field.ErrorList {
	var errs field.ErrorList
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			errs = append(errs, doubles(at.Child(name), join(kind, name), v[name])...)
		}
	case []any:
		key, keyed := keys[kind]
		if !keyed {
			key = mergeKey(v)
		}
		seen := map[string]bool{}
		for i, item := range v {
			errs = append(errs, doubles(at.Index(i), kind+"[]", item)...)
			fields, ok := item.(map[string]any)
			if !ok || key == "" {
				continue
			}
			value, _ := get(fields, key)
			id := fmt.Sprint(value)
			switch {
			case keyed && (value == nil || value == ""):
				errs = append(errs, field.Required(in(at.Index(i), key), "items of this list are merged by it"))
			case len(id) > longestName:
				errs = append(errs, field.Invalid(in(at.Index(i), key), id, fmt.Sprintf("is longer than %d characters", longestName)))
			case seen[id]:
				errs = append(errs, field.Invalid(in(at.Index(i), key), value,
					"is there twice: Metacontroller merges this list by it, so each item needs its own"))
			}
			seen[id] = true
		}
	}
	return errs
}

// mergeKey is the key by which Metacontroller merges a list; empty where it replaces the list as a whole.
func mergeKey(list []any) string {
	for _, key := range []string{"containerPort", "port", "mountPath", "name", "uid", "ip", "path"} {
		lacks := func(item any) bool {
			fields, _ := item.(map[string]any)
			return fields[key] == nil
		}
		if !slices.ContainsFunc(list, lacks) {
			return key
		}
	}
	return ""
}
