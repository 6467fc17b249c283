// Package apply is Metacontroller's two ways of applying an answer, written from its documentation
// (https://metacontroller.github.io/metacontroller/api/apply.html). With it tests, and plan, store answers without a cluster.
package apply

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// LastApplied is the annotation in which dynamic apply notes what was desired.
const LastApplied = "metacontroller.k8s.io/last-applied-configuration"

// Dynamic merges what is desired into what exists. Fields that were desired before and no longer are go; other people's
// fields stay. Lists of objects are merged by the first of the well-known keys that all items have.
func Dynamic(existing, desired map[string]any) map[string]any {
	merged := runtime.DeepCopyJSON(existing)
	before := map[string]any{}
	if noted, ok := annotations(existing)[LastApplied].(string); ok {
		if err := utiljson.Unmarshal([]byte(noted), &before); err != nil {
			panic(fmt.Sprintf("the note of dynamic apply is no JSON, which stops every sync: %v", err))
		}
	}
	desired = runtime.DeepCopyJSON(desired)
	delete(annotations(desired), LastApplied)
	mergeMap(merged, before, desired)
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "managedFields"} {
		restore(merged["metadata"].(map[string]any), existing["metadata"].(map[string]any), field)
	}
	restore(merged, existing, "status")
	Note(merged, desired)
	return merged
}

// Note writes what was desired into the annotation of dynamic apply.
func Note(object, desired map[string]any) {
	raw, err := json.Marshal(desired)
	if err != nil {
		panic(err)
	}
	metadata := object["metadata"].(map[string]any)
	if metadata["annotations"] == nil {
		metadata["annotations"] = map[string]any{}
	}
	annotations(object)[LastApplied] = string(raw)
}

func annotations(object map[string]any) map[string]any {
	metadata, _ := object["metadata"].(map[string]any)
	a, _ := metadata["annotations"].(map[string]any)
	return a
}

func restore(object, from map[string]any, field string) {
	if v, ok := from[field]; ok {
		object[field] = v
	} else {
		delete(object, field)
	}
}

func mergeMap(into, before, desired map[string]any) {
	for key := range before {
		if _, wanted := desired[key]; !wanted {
			delete(into, key)
		}
	}
	for key, want := range desired {
		into[key] = merge(into[key], before[key], want)
	}
}

func merge(into, before, want any) any {
	switch into := into.(type) {
	case map[string]any:
		if want, ok := want.(map[string]any); ok {
			before, _ := before.(map[string]any)
			mergeMap(into, before, want)
			return into
		}
	case []any:
		if want, ok := want.([]any); ok {
			before, _ := before.([]any)
			if key := mergeKey(into, before, want); key != "" {
				return mergeList(key, into, before, want)
			}
		}
	}
	return want
}

func mergeKey(lists ...[]any) string {
	var common map[string]bool
	for _, list := range lists {
		for _, item := range list {
			object, ok := item.(map[string]any)
			if !ok {
				return ""
			}
			if common == nil {
				common = map[string]bool{}
				for key := range object {
					common[key] = true
				}
			}
			maps.DeleteFunc(common, func(key string, _ bool) bool { _, has := object[key]; return !has })
		}
	}
	for _, key := range []string{"containerPort", "port", "mountPath", "name", "uid", "ip", "path"} {
		if common[key] {
			return key
		}
	}
	return ""
}

func mergeList(key string, into, before, want []any) []any {
	byKey := func(list []any) map[string]any {
		m := map[string]any{}
		for _, item := range list {
			m[fmt.Sprint(item.(map[string]any)[key])] = item
		}
		return m
	}
	merged := byKey(into)
	mergeMap(merged, byKey(before), byKey(want))
	list, seen := []any{}, map[string]bool{}
	// Of items with one key all that exist stay, and become copies of the last.
	for at, item := range slices.Concat(into, want) {
		k := fmt.Sprint(item.(map[string]any)[key])
		if v, ok := merged[k]; ok && (at < len(into) || !seen[k]) {
			list, seen[k] = append(list, v), true
		}
	}
	return list
}

// ServerSide is server-side apply, as the API server does it. Lists are replaced as a whole, as in the schemas of all
// kinds of children. Fields that the applier owned and no longer sets go. Managed fields record who owns what.
func ServerSide(existing, desired map[string]any) map[string]any {
	applied := runtime.DeepCopyJSON(existing)
	desired = runtime.DeepCopyJSON(desired)
	delete(annotations(desired), LastApplied)
	metadata := applied["metadata"].(map[string]any)
	entries, _ := metadata["managedFields"].([]any)
	for _, e := range entries {
		if entry := e.(map[string]any); entry["operation"] == "Apply" {
			drop(applied, entry["fieldsV1"].(map[string]any), desired)
		}
	}
	set(applied, desired)
	wanted, _ := desired["metadata"].(map[string]any)
	owned := maps.Clone(desired)
	for _, field := range []string{"apiVersion", "kind", "status"} {
		delete(owned, field)
	}
	owned["metadata"] = map[string]any{"labels": wanted["labels"], "annotations": wanted["annotations"]}
	fields := owns(owned)
	metadata["managedFields"] = []any{map[string]any{"manager": "metacontroller", "operation": "Apply", "fieldsV1": fields}}
	return applied
}

// drop removes the fields of a set that are no longer desired.
func drop(object, fields, desired map[string]any) {
	for field, below := range fields {
		key := field[2:]
		sub, isMap := object[key].(map[string]any)
		want, wanted := desired[key]
		wantMap, _ := want.(map[string]any)
		switch below := below.(map[string]any); {
		case isMap && len(below) > 0:
			drop(sub, below, wantMap)
			if len(sub) == 0 && !wanted {
				delete(object, key)
			}
		case !wanted:
			delete(object, key)
		}
	}
}

func set(object, desired map[string]any) {
	for key, want := range desired {
		have, isMap := object[key].(map[string]any)
		wantMap, wantIsMap := want.(map[string]any)
		if isMap && wantIsMap {
			set(have, wantMap)
		} else {
			object[key] = want
		}
	}
}

// owns is the set of fields of an object, as managedFields has it.
func owns(object map[string]any) map[string]any {
	fields := map[string]any{}
	for key, v := range object {
		sub, isMap := v.(map[string]any)
		switch {
		case v == nil:
		case isMap:
			fields["f:"+key] = owns(sub)
		default:
			fields["f:"+key] = map[string]any{}
		}
	}
	return fields
}
