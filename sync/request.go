package sync

import (
	"github.com/go-json-experiment/json/jsontext"

	"novasphere.dev/wukong/sync/lenient"
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
			reader.DecodeShort(&r.Parent, ownLimit)
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
			reader.DecodeShort(&r.Parent, ownLimit)
		}
	})
	return reader.Err()
}

// readMembers reads a request, which is an object. null is an empty one.
func readMembers(r *lenient.Reader, member func(name string)) {
	if r.Present() && !r.Is('{') {
		r.Decode(&struct{}{}) // whose error says what it is instead
		return
	}
	r.Object(func(name []byte) { member(string(name)) })
}
