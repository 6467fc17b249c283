package bridges

// Look is what is found of one node for a bridge.
type Look struct {
	Node string

	// Refused is why the bridge may not be built on the node, and Waits why nobody knows yet; both are empty where it may.
	Refused, Waits string
}

// Looks are the looks at all nodes that a bridge is for, in the order of their names.
func (v *View) Looks(w *Want) []Look {
	var all []Look
	for _, n := range v.reached[w.Policy] {
		look := Look{Node: n.name}
		if n.state == nil {
			look.Waits = n.why
		} else {
			if o, _ := v.objection(w, n.state); o != nil {
				look.Refused = o.What
			}
		}
		all = append(all, look)
	}
	return all
}
