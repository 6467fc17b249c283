package facts_test

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
)

// mostEdits is how often one request is edited. A list can double with each edit.
const mostEdits = 8

// editLength is how many bytes one edit is drawn from: what it is, where it is made, and what it is made with.
const editLength = 5

// strange are values that are of the wrong kind nearly everywhere.
var strange = []any{
	nil, true, false, json.Number("0"), json.Number("-0"), json.Number("7"), json.Number("1.0"), json.Number("1e3"), json.Number("-1.5"),
	json.Number("9223372036854775807"), json.Number("9223372036854775808"), json.Number("123456789012345678901234567890"),
	"", "x", "absent", "ens160", "1500", "true", "2026-11-23T12:00:00Z", []any{}, map[string]any{},
	[]any{"x", json.Number("1"), nil, map[string]any{}}, []any{map[string]any{"name": "ens160"}, []any{}}, map[string]any{"name": "x"},
}

// place is a value in a request, and what can be done there.
type place struct {
	value  any
	set    func(any)
	remove func()
	repeat func() // nil where the value is not an item of a list
}

// edited is a request after the edits that are drawn from some bytes. Its maps and lists are changed.
func edited(request map[string]any, edits []byte) map[string]any {
	for n := 0; n < mostEdits && len(edits) >= editLength; n++ {
		var all []place
		for _, part := range []string{"children", "related"} {
			all = append(all, member(request, part))
			all = append(all, below(&all[len(all)-1])...)
		}
		with := int(binary.BigEndian.Uint16(edits[3:]))
		at, other := all[int(binary.BigEndian.Uint16(edits[1:]))%len(all)], all[with%len(all)]
		switch op := edits[0] % 6; {
		case op == 0:
			at.remove()
		case op == 1 && at.repeat != nil:
			at.repeat()
		case op == 2:
			mine, others := clone(at.value), clone(other.value)
			at.set(others)
			other.set(mine)
		default:
			at.set(clone(strange[with%len(strange)]))
		}
		edits = edits[editLength:]
	}
	return request
}

// below are the places in a value, in an order that depends on nothing else.
func below(p *place) []place {
	var all []place
	switch v := p.value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, member(v, key))
			all = append(all, below(&all[len(all)-1])...)
		}
	case []any:
		for i := range v {
			all = append(all, item(v, i, p.set))
			all = append(all, below(&all[len(all)-1])...)
		}
	}
	return all
}

func member(m map[string]any, key string) place {
	return place{value: m[key], set: func(v any) { m[key] = v }, remove: func() { delete(m, key) }}
}

func item(list []any, i int, set func(any)) place {
	return place{
		value:  list[i],
		set:    func(v any) { list[i] = v },
		remove: func() { set(slices.Concat(list[:i], list[i+1:])) },
		repeat: func() { set(slices.Insert(slices.Clone(list), i, clone(list[i]))) },
	}
}

// clone shares nothing with a value.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		copied := map[string]any{}
		for key, member := range v {
			copied[key] = clone(member)
		}
		return copied
	case []any:
		copied := make([]any, 0, len(v))
		for _, item := range v {
			copied = append(copied, clone(item))
		}
		return copied
	}
	return v
}
