package template

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

var (
	specType     = reflect.TypeFor[kubevirtv1.VirtualMachineSpec]()
	quantityType = reflect.TypeFor[resource.Quantity]()
	ownDecoding  = reflect.TypeFor[json.Unmarshaler]()
)

// reading is a spec that is read by the Go types of KubeVirt's API. Decoding into these types would not do: the UnmarshalJSON that
// VirtualMachineInstanceSpec, PodNetwork and DHCPOptions have lets every unknown field below them pass, and takes a name in
// another case for the field.
type reading struct {
	pass    bool
	errs    field.ErrorList
	unknown []unknown
}

// unknown is a field that KubeVirt's types do not have.
type unknown struct {
	Path  string
	steps []any // names of fields and indexes of items
	value any
}

// place is where a value stands: for people, and as steps from the spec.
type place struct {
	path  *field.Path
	steps []any
}

func (p place) child(name string) place {
	return place{p.path.Child(name), append(slices.Clip(p.steps), name)}
}

func (p place) item(i int) place {
	return place{p.path.Index(i), append(slices.Clip(p.steps), i)}
}

func (r *reading) wrong(at place, v any, what string) any {
	r.errs = append(r.errs, field.Invalid(at.path, shown(v), what))
	return nil
}

// longestName is how long a name may be: that of a field, of a key, or of an item in a list. A name stands in messages.
const longestName = 317

// shown is a value in an error: a scalar as it is, and a word for anything else.
func shown(v any) any {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	if text, ok := v.(string); ok && len(text) > 64 {
		return text[:64] + "…"
	}
	return v
}

// value is what a type has of a value: without nulls, and without fields that the type does not have.
func (r *reading) value(at place, t reflect.Type, v any) any {
	switch {
	case v == nil:
		return nil // as the API server drops it
	case t.Kind() == reflect.Pointer:
		return r.value(at, t.Elem(), v)
	case t == quantityType:
		return r.quantity(at, v)
	case decodesItself(t):
		return r.decoded(at, t, v)
	}
	switch t.Kind() {
	case reflect.Struct:
		return r.object(at, t, v)
	case reflect.Map:
		return r.byKey(at, t, v)
	case reflect.Slice:
		return r.list(at, t, v)
	default:
		return r.scalar(at, t, v)
	}
}

// decodesItself reports whether only a type itself knows its JSON. KubeVirt's own types with an UnmarshalJSON have the fields that
// one sees, and only tidy some values up.
func decodesItself(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(ownDecoding) && !strings.HasPrefix(t.PkgPath(), "kubevirt.io/api/")
}

func (r *reading) object(at place, t reflect.Type, v any) any {
	written, ok := v.(map[string]any)
	if !ok {
		return r.wrong(at, v, "must be an object")
	}
	known := map[string]any{}
	fields := fieldsOf(t)
	for _, name := range slices.Sorted(maps.Keys(written)) {
		below := at.child(name)
		of, isKnown := fields[name]
		switch {
		case len(name) > longestName:
			r.wrong(place{at.path.Child(name[:64] + "…"), nil}, nil, "no field has such a long name")
		case !isKnown && !r.pass:
			r.errs = append(r.errs, field.Forbidden(below.path, "KubeVirt "+APIVersion+" has no such field: correct it, "+
				"or set -unknown-machine-fields=pass"))
		case !isKnown:
			if value := withoutNulls(written[name]); value != nil {
				r.unknown = append(r.unknown, unknown{below.path.String(), below.steps, value})
			}
		default:
			if value := r.value(below, of, written[name]); value != nil {
				known[name] = value
			}
		}
	}
	return known
}

// fieldsOf are the fields of a struct by their names in JSON.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	all := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && f.Anonymous:
			maps.Copy(all, fieldsOf(f.Type))
		case name != "" && name != "-" && f.IsExported():
			all[name] = f.Type
		}
	}
	return all
}

func (r *reading) byKey(at place, t reflect.Type, v any) any {
	written, ok := v.(map[string]any)
	if !ok {
		return r.wrong(at, v, "must be an object")
	}
	known := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(written)) {
		if len(key) > longestName {
			return r.wrong(at, key, fmt.Sprintf("is longer than the %d characters that a key may have", longestName))
		}
		below := place{at.path.Key(key), append(slices.Clip(at.steps), key)}
		if value := r.value(below, t.Elem(), written[key]); value != nil {
			known[key] = value
		}
	}
	return known
}

func (r *reading) list(at place, t reflect.Type, v any) any {
	written, ok := v.([]any)
	if !ok {
		return r.wrong(at, v, "must be a list")
	}
	known := []any{}
	for i, item := range written {
		if item == nil {
			return r.wrong(at.item(i), nil, "is nothing: remove the item")
		}
		known = append(known, r.value(at.item(i), t.Elem(), item))
	}
	return known
}

func (r *reading) scalar(at place, t reflect.Type, v any) any {
	zero := reflect.New(t).Elem()
	number, isInt := v.(int64)
	_, isText := v.(string)
	_, isBool := v.(bool)
	switch {
	case zero.Kind() == reflect.String && !isText:
		return r.wrong(at, v, "must be text: put it into quotes")
	case zero.Kind() == reflect.Bool && !isBool:
		return r.wrong(at, v, "must be true or false")
	case zero.Kind() == reflect.String, zero.Kind() == reflect.Bool:
		return v
	case !isInt, zero.CanInt() && zero.OverflowInt(number), zero.CanUint() && (number < 0 || zero.OverflowUint(uint64(number))): //nolint:gosec // not negative
		return r.wrong(at, v, fmt.Sprintf("must be a whole number that fits into %s", t.Kind()))
	}
	return v
}

func (r *reading) quantity(at place, v any) any {
	text, isText := v.(string)
	if !isText {
		raw, _ := json.Marshal(v)
		text = string(raw)
	}
	if !v1alpha1.SaneQuantity(text) {
		return r.wrong(at, v, "must be a number and a unit such as Mi, Gi or Ti, for example 2Gi (not 2GB)")
	}
	return r.decoded(at, quantityType, v)
}

// decoded lets a type decode what only it knows.
func (r *reading) decoded(at place, t reflect.Type, v any) any {
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, reflect.New(t).Interface())
	}
	if err != nil {
		return r.wrong(at, v, err.Error())
	}
	return v
}

// withoutNulls is a value without the fields that are null: the API server drops them.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		all := map[string]any{}
		for key, below := range v {
			if below = withoutNulls(below); below != nil {
				all[key] = below
			}
		}
		return all
	case []any:
		all := []any{}
		for _, item := range v {
			all = append(all, withoutNulls(item))
		}
		return all
	}
	return v
}

// put puts a value to where it stood, making the objects above it where they are missing.
func put(object map[string]any, steps []any, value any) {
	var at any = object
	for i, step := range steps {
		switch holder := at.(type) {
		case map[string]any:
			name, _ := step.(string)
			if i == len(steps)-1 {
				holder[name] = value
				return
			}
			if holder[name] == nil {
				holder[name] = map[string]any{}
			}
			at = holder[name]
		case []any:
			index, _ := step.(int)
			if index >= len(holder) {
				return
			}
			at = holder[index]
		}
	}
}
