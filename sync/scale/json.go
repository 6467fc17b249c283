package scale

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

type (
	object = map[string]any
	list   = []any
)

// encode writes JSON as Metacontroller does: one line, with the keys in order.
func encode(v any) ([]byte, error) {
	return json.Marshal(v)
}

// mustEncode encodes what this package made, or what was read from JSON. Neither can fail.
func mustEncode(v any) []byte {
	raw, err := encode(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// decode reads an object, and keeps numbers as they are written: an integer that came back with a fraction would be a
// change.
func decode(raw []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var o object
	err := d.Decode(&o)
	return o, err
}

// clone is a copy that shares nothing with the original.
func clone(o object) object {
	c, err := decode(mustEncode(o))
	if err != nil {
		panic(err) // it was encoded just now
	}
	return c
}

// at is the object at a path. The path must exist.
func at(o object, path ...string) object {
	for _, key := range path {
		o = o[key].(object)
	}
	return o
}

// uid is a UID that depends on nothing but the name.
func uid(name string) string {
	h := fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
	return h[:8] + "-" + h[8:12] + "-4" + h[12:15] + "-8" + h[15:18] + "-" + h[18:30]
}

// hash is a number that looks random and depends on nothing but the name.
func hash(name string) uint32 {
	sum := sha256.Sum256([]byte(name))
	return uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3])
}

// writer is a client that has written fields of an object.
type writer struct{ manager, subresource, time string }

// wrote is the entry in managedFields for what the writer has written. The entry names every field once more, so it is
// as long as a small object itself.
func (w writer) wrote(o object, parts ...string) object {
	fields := object{}
	for _, part := range parts {
		fields["f:"+part] = fieldsOf(o[part])
	}
	if metadata, ok := o["metadata"].(object); ok && w.subresource == "" {
		fields["f:metadata"] = metadataFields(metadata)
	}
	entry := object{
		"apiVersion": o["apiVersion"], "fieldsType": "FieldsV1", "fieldsV1": fields,
		"manager": w.manager, "operation": "Update", "time": w.time,
	}
	if w.subresource != "" {
		entry["subresource"] = w.subresource
	}
	return entry
}

// metadataFields are the fields of metadata that clients write; the API server writes the rest.
func metadataFields(metadata object) object {
	fields := object{}
	for _, part := range []string{"annotations", "labels"} {
		if metadata[part] != nil {
			fields["f:"+part] = fieldsOf(metadata[part])
		}
	}
	owners, _ := metadata["ownerReferences"].(list)
	for _, owner := range owners {
		key := fmt.Sprintf(`k:{"uid":%q}`, owner.(object)["uid"])
		fields["f:ownerReferences"] = object{".": object{}, key: object{}}
	}
	return fields
}

// fieldsOf names the fields of a value. A list is one field, as in kinds whose schema says no more about it.
func fieldsOf(v any) object {
	fields := object{}
	if o, ok := v.(object); ok {
		fields["."] = object{}
		for key, value := range o {
			fields["f:"+key] = fieldsOf(value)
		}
	}
	return fields
}
