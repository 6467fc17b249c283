// Package template reads what spec.virtualMachine of a Wukong says, and merges it under the machine that the other
// fields of the Wukong make.
//
// What a Wukong says stays: a template adds to it, and what it says against it is a collision, which the caller refuses. What
// a template adds has the form in which the API server and KubeVirt keep it, so that nothing is written twice: no nulls, no
// values that KubeVirt leaves out, quantities as they are stored.
package template

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kubevirtv1 "kubevirt.io/api/core/v1"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/types/v1alpha1"
)

// APIVersion is the version of the Go module kubevirt.io/api whose fields are known here.
const APIVersion = "v1.8.0"

// limit is how many bytes a template may have. Metacontroller notes each answer in an annotation of the machine, and
// annotations may have 256 KiB together.
const limit = 64 << 10

// mostUnknown is how many unknown fields are passed on. A status has to tell of each.
const mostUnknown = 32

// mostDataVolumes is how many DataVolumes a virtualMachine may make. Others are asked about the name of each.
const mostDataVolumes = 64

// Template is what spec.virtualMachine says. The zero Template says nothing.
type Template struct {
	object  map[string]any // metadata and spec, as in the machine
	unknown []unknown      // what is in object and not among the fields that are known here

	// LeftOut are the paths of unknown fields that are not in object, because the cluster does not know them either.
	LeftOut []string
}

// Options are what a template is read with.
type Options struct {
	// Networks are the names of the Wukong's networks.
	Networks []string

	// DataVolumes is how the name of each DataVolume begins that the machine makes. By it the machines are found whose
	// DataVolume may have the same name.
	DataVolumes string

	// PassUnknown lets fields through that are not known here.
	PassUnknown bool

	// Pruned are such fields that the cluster does not know either, by their paths. They are left out.
	Pruned []string
}

// Read reads what spec.virtualMachine says; vm may be nil. With errors there is no template.
func Read(vm *v1alpha1.VirtualMachine, o Options) (*Template, field.ErrorList) {
	t := &Template{object: map[string]any{}}
	if vm == nil {
		return t, nil
	}
	at := field.NewPath("spec", "virtualMachine")
	if size := sizeOf(vm); size > limit {
		return nil, field.ErrorList{field.Invalid(at, fmt.Sprintf("%d bytes", size),
			fmt.Sprintf("is more than %d: move user data and scripts into a Secret", limit))}
	}
	errs := t.readMetadata(at.Child("metadata"), vm.Metadata)
	if vm.Spec != nil && len(vm.Spec.Raw) > 0 {
		errs = append(errs, t.readSpec(at.Child("spec"), vm.Spec.Raw, o)...)
	}
	if len(errs) == 0 {
		errs = t.refused(at, o)
	}
	if len(errs) > 0 {
		return nil, short(errs)
	}
	return t, nil
}

// short is the first of many errors, without the rest of long values: a condition has room for a few, and nobody reads more.
func short(errs field.ErrorList) field.ErrorList {
	const most = 8
	if len(errs) > most {
		rest := field.Invalid(field.NewPath("spec", "virtualMachine"), fmt.Sprintf("%d more", len(errs)-most), "are wrong as well")
		errs = append(errs[:most:most], rest)
	}
	for _, err := range errs {
		err.BadValue = shown(err.BadValue)
	}
	return errs
}

func sizeOf(vm *v1alpha1.VirtualMachine) int {
	size := 0
	if vm.Spec != nil {
		size += len(vm.Spec.Raw)
	}
	if vm.Metadata != nil {
		for key, value := range vm.Metadata.Labels {
			size += len(key) + len(value)
		}
		for key, value := range vm.Metadata.Annotations {
			size += len(key) + len(value)
		}
	}
	return size
}

func (t *Template) readMetadata(at *field.Path, m *v1alpha1.VirtualMachineMetadata) field.ErrorList {
	if m == nil {
		return nil
	}
	metadata := map[string]any{}
	if labels := texts(m.Labels); len(labels) > 0 {
		metadata["labels"] = labels
	}
	if annotations := texts(m.Annotations); len(annotations) > 0 {
		metadata["annotations"] = annotations
	}
	if len(metadata) > 0 {
		t.object["metadata"] = metadata
	}
	return refusedMarks(at, metadata)
}

func texts[T ~string](m map[string]T) map[string]any {
	all := map[string]any{}
	for key, value := range m {
		all[key] = string(value)
	}
	return all
}

// readSpec reads the spec by KubeVirt's types: first as they are written down, so that whatever they do not have is seen, then as
// KubeVirt itself reads and writes it.
func (t *Template) readSpec(at *field.Path, raw []byte, o Options) field.ErrorList {
	var written map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &written); err != nil {
		return field.ErrorList{field.Invalid(at, "", fmt.Sprintf("must be a part of a VirtualMachine's spec: %v", err))}
	}
	r := reading{pass: o.PassUnknown}
	known, _ := r.value(place{path: at}, specType, written).(map[string]any)
	if len(r.errs) > 0 {
		return r.errs
	}
	spec, err := asKubeVirtWrites(known)
	if err != nil {
		return field.ErrorList{field.Invalid(at, "", err.Error())}
	}
	if len(r.unknown) > mostUnknown {
		return field.ErrorList{field.Invalid(at, fmt.Sprintf("%d unknown fields", len(r.unknown)),
			fmt.Sprintf("are more than the %d that are passed on: correct them", mostUnknown))}
	}
	for _, u := range r.unknown {
		if slices.Contains(o.Pruned, u.Path) {
			t.LeftOut = append(t.LeftOut, u.Path)
			continue
		}
		t.unknown = append(t.unknown, u)
		put(spec, u.steps, u.value)
	}
	if len(spec) > 0 {
		t.object["spec"] = spec
	}
	return nil
}

// asKubeVirtWrites is a spec as KubeVirt's webhook writes it back, without what was not in it before.
func asKubeVirtWrites(known map[string]any) (map[string]any, error) {
	raw, err := json.Marshal(known)
	if err != nil {
		return nil, err
	}
	var typed kubevirtv1.VirtualMachineSpec
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &typed); err != nil {
		return nil, err
	}
	if raw, err = json.Marshal(typed); err != nil {
		return nil, err
	}
	var written map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &written); err != nil {
		return nil, err
	}
	spec, _ := only(written, known).(map[string]any)
	sizeHostDisks(spec)
	return spec, nil
}

// sizeHostDisks gives host disks without a capacity the one that KubeVirt writes there. Elsewhere what KubeVirt adds stays beside what is
// answered; but server-side apply replaces a list as a whole, and would write this one at every sync.
func sizeHostDisks(spec map[string]any) {
	for _, volume := range Items(map[string]any{"spec": spec}, Instance+".volumes") {
		if disk, ok := volume["hostDisk"].(map[string]any); ok && disk["capacity"] == nil {
			disk["capacity"] = "0"
		}
	}
}

// only is the part of a value that is in another one, too. A map of which nothing is left is left out, unless it was empty before.
func only(v, in any) any {
	switch in := in.(type) {
	case map[string]any:
		whole, ok := v.(map[string]any)
		if !ok {
			return v
		}
		part := map[string]any{}
		for key, below := range in {
			value, exists := whole[key]
			if !exists {
				continue
			}
			if left, isMap := only(value, below).(map[string]any); !isMap {
				part[key] = only(value, below)
			} else if before, _ := below.(map[string]any); len(left) > 0 || len(before) == 0 {
				part[key] = left
			}
		}
		return part
	case []any:
		whole, ok := v.([]any)
		if !ok || len(whole) != len(in) {
			return v
		}
		var part []any
		for i := range in {
			part = append(part, only(whole[i], in[i]))
		}
		return part
	}
	return v
}

// Says reports whether the template says something at one of some places in the machine.
func (t *Template) Says(places ...string) bool {
	for _, at := range places {
		if _, found := get(t.object, at); found {
			return true
		}
	}
	return false
}

// Text is the text that the template says at a place; empty where it says none.
func (t *Template) Text(at string) string {
	v, _ := get(t.object, at)
	text, _ := v.(string)
	return text
}

// Labels are the labels that the template says at a place.
func (t *Template) Labels(at string) map[string]string {
	v, _ := get(t.object, at)
	said, _ := v.(map[string]any)
	labels := map[string]string{}
	for key, value := range said {
		labels[key], _ = value.(string)
	}
	return labels
}

// Items are the items of a list that the template says.
func (t *Template) Items(list string) []map[string]any {
	return Items(t.object, list)
}

// Without is the template without the items of some names in its networks and interfaces.
func (t *Template) Without(names []string) *Template {
	if len(names) == 0 {
		return t
	}
	less := &Template{object: runtime.DeepCopyJSON(t.object)}
	for _, list := range []string{Instance + ".networks", Devices + ".interfaces"} {
		for _, name := range names {
			remove(less.object, fmt.Sprintf("%s[%s]", list, name))
		}
	}
	return less
}
