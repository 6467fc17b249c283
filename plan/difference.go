package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// differences are the fields in which two values differ, in the order of their paths. Items of lists that all have names are compared
// by name, others by their place.
func differences(path string, from, to any) []Difference {
	if reflect.DeepEqual(from, to) {
		return nil
	}
	fields, wanted := asMap(from), asMap(to)
	if !fielded(from, fields) || !fielded(to, wanted) || (from == nil || to == nil) && path != "" {
		return []Difference{{Path: path, From: shown(path, from), To: shown(path, to)}}
	}
	list := isList(from) || isList(to)
	keys := maps.Clone(fields)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, wanted)
	var all []Difference
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		below := strings.TrimPrefix(path+"."+key, ".")
		if list {
			below = fmt.Sprintf("%s[%s]", path, key)
		} else if strings.ContainsAny(key, "./") {
			below = fmt.Sprintf("%s[%q]", path, key)
		}
		all = append(all, differences(below, fields[key], wanted[key])...)
	}
	if len(all) == 0 { // the order alone
		return []Difference{{Path: path, From: from, To: to}}
	}
	return all
}

// fielded reports whether a value can be compared field by field. That there is no value can.
func fielded(v any, fields map[string]any) bool {
	return v == nil || fields != nil
}

func isList(v any) bool {
	_, ok := v.([]any)
	return ok
}

// asMap is a value with fields, or a list as fields by the names of its items; nil for anything else.
func asMap(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		all := map[string]any{}
		for i, item := range v {
			object, _ := item.(map[string]any)
			name, ok := object["name"].(string)
			if metadata, _ := object["metadata"].(map[string]any); !ok && metadata != nil {
				name, ok = metadata["name"].(string)
			}
			if !ok {
				name = fmt.Sprint(i)
			}
			all[name] = item
		}
		return all
	}
	return nil
}

// shown is a value as it is shown: secrets are not.
func shown(path string, v any) any {
	field := path[strings.LastIndex(path, ".")+1:]
	text, isText := v.(string)
	switch {
	case isText && (field == "password" || field == "passwordHash" || strings.HasPrefix(field, "userData") || strings.HasPrefix(field, "networkData")):
		return fmt.Sprintf("(%d bytes)", len(text))
	case field == "cloudInitUser" && v != nil:
		return "(a user)"
	}
	return v
}
