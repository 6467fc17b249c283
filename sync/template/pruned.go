package template

// HandsUnknownOn reports whether the template has fields that are not known here.
func (t *Template) HandsUnknownOn() bool {
	return len(t.unknown) > 0
}

// Pruned are the paths of those fields that were answered for a machine, and that the machine does not have: the API server has
// pruned them, because the cluster does not know them either.
func (t *Template) Pruned(answered, observed map[string]any) []string {
	var paths []string
	for _, u := range t.unknown {
		if t.has(answered, u) && !t.has(observed, u) {
			paths = append(paths, u.Path)
		}
	}
	return paths
}

// has reports whether a machine has a field of the template. An item of a list is found by its key; without one, by its index.
func (t *Template) has(machine map[string]any, u unknown) bool {
	have, mine, kind := machine["spec"], t.object["spec"], "spec"
	for _, step := range u.steps {
		switch step := step.(type) {
		case string:
			fields, _ := have.(map[string]any)
			own, _ := mine.(map[string]any)
			have, mine, kind = fields[step], own[step], join(kind, step)
		case int:
			items, _ := have.([]any)
			own, _ := mine.([]any)
			if step >= len(own) {
				return false
			}
			at := step
			if key := keyOf(kind, own[step]); key != "" {
				at = find(kind, items, key)
			}
			if at < 0 || at >= len(items) {
				return false
			}
			have, mine, kind = items[at], own[step], kind+"[]"
		}
		if have == nil {
			return false
		}
	}
	return true
}
