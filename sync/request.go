package sync

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/types/v1alpha1"
)

// ownLimit is how many bytes the text of the parent, or of the CompositeController, may have: more than an API server takes of
// one object. Decoding makes much more of a text than there is in it, so its length is looked at first.
const ownLimit = 3 << 20

// UnmarshalJSONFrom implements json.UnmarshalerFrom. What Metacontroller itself sends is read strictly; unknown members are
// passed over, because it may send more one day.
func (r *RequestOf[P]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	reader := lenient.New(d)
	readMembers(reader, func(name string) {
		switch name {
		case "controller":
			reader.DecodeShort(&r.Controller, ownLimit)
		case "parent":
			reader.DecodeShort(&r.Parent, ownLimit, saneQuantities)
		case "children":
			reader.Decode(&r.Children)
		case "related":
			reader.Decode(&r.Related)
		case "finalizing":
			reader.Decode(&r.Finalizing)
		}
	})
	return reader.Err()
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (r *CustomizeRequestOf[P]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	reader := lenient.New(d)
	readMembers(reader, func(name string) {
		switch name {
		case "controller":
			reader.DecodeShort(&r.Controller, ownLimit)
		case "parent":
			reader.DecodeShort(&r.Parent, ownLimit, saneQuantities)
		}
	})
	return reader.Err()
}

// saneQuantities is an error where a parent has a quantity that must not be parsed. A type with a quantity parses it while it is
// decoded, so the text is looked at before. The API server refuses such an object, and a request need not come from there.
func saneQuantities(parent []byte) error {
	var wrong error
	check := func(r *lenient.Reader, field string) {
		raw := r.Raw()
		text := string(raw)
		if unquoted, err := jsontext.AppendUnquote(nil, raw); raw.Kind() == '"' && err == nil {
			text = string(unquoted)
		}
		if k := raw.Kind(); (k == '"' || k == '0') && text != "" && !v1alpha1.SaneQuantity(text) && wrong == nil {
			wrong = fmt.Errorf("parent.%s: Invalid value: must be a number and a unit such as Mi, Gi or Ti, for example 2Gi", field)
		}
	}
	err := lenient.Unmarshal(parent, func(r *lenient.Reader) {
		r.Object(func(member []byte) {
			if string(member) != "spec" {
				return
			}
			r.Object(func(member []byte) {
				switch string(member) {
				case "memory":
					check(r, "spec.memory")
				case "disks":
					r.Objects(func() {
						r.Object(func(member []byte) {
							if string(member) == "size" {
								check(r, "spec.disks.size")
							}
						})
					})
				}
			})
		})
	})
	if wrong == nil && err != nil {
		return err
	}
	return wrong
}

// readMembers reads a request, which is an object. null is an empty one.
func readMembers(r *lenient.Reader, member func(name string)) {
	if r.Present() && !r.Is('{') {
		r.Decode(&struct{}{}) // whose error says what it is instead
		return
	}
	r.Object(func(name []byte) { member(string(name)) })
}
