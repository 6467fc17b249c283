package manifest

import (
	"fmt"
	"maps"
	"slices"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Dropped is what the API server, or kubectl, would leave out of an object without a word.
func (s Source) Dropped() []*Problem {
	var all []*Problem
	say := func(field, message string, args ...any) {
		all = append(all, s.Says(field, fmt.Sprintf(message, args...)))
	}
	metadata, _ := s.Object["metadata"].(map[string]any)
	kind, _ := s.Object["kind"].(string)
	if namespace := metadata["namespace"]; namespace != nil {
		way := "remove it"
		if kind == v1alpha1.Kind {
			way = fmt.Sprintf("its machine goes into spec.namespace, so write namespace: %v there", namespace)
		}
		say("metadata.namespace", "is dropped, because a %s is in no namespace: %s", kind, way)
	}
	fetched := metadata["uid"] != nil || metadata["resourceVersion"] != nil // from a cluster, with all that a cluster writes
	if s.Object["status"] != nil && !fetched {
		say("status", "is dropped: only the hook writes it")
	}
	for _, stamp := range []string{"generation", "creationTimestamp", "deletionTimestamp", "selfLink", "managedFields"} {
		if metadata[stamp] != nil && !fetched {
			say("metadata."+stamp, "is dropped: only the API server writes it")
		}
	}
	if metadata["name"] == nil && metadata["generateName"] != nil {
		say("metadata.generateName", "is for kubectl create only: kubectl apply needs a name")
	}
	for _, path := range nulls("spec", s.Object["spec"]) {
		say(path, "has no value, and is dropped: write one, or remove the line")
	}
	return all
}

// nulls are the paths of the fields that have no value. What is within virtualMachine is KubeVirt's.
func nulls(path string, v any) []string {
	var all []string
	switch v := v.(type) {
	case nil:
		return []string{path}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if path+"."+name != "spec.virtualMachine" {
				all = append(all, nulls(path+"."+name, v[name])...)
			}
		}
	case []any:
		for i, item := range v {
			all = append(all, nulls(fmt.Sprintf("%s[%d]", path, i), item)...)
		}
	}
	return all
}
