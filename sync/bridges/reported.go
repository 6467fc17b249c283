package bridges

import "novasphere.dev/wukong/sync/node"

// Reported is a node that is known, and what it reports of its network.
type Reported struct {
	Labels map[string]string
	State  *node.State
}

// Reported are the nodes that report their network, in the order of their names.
func (v *View) Reported() []Reported {
	var all []Reported
	for _, n := range v.nodes {
		if n.known && n.state != nil {
			all = append(all, Reported{n.labels, n.state})
		}
	}
	return all
}
