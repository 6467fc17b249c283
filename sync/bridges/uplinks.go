package bridges

import (
	"slices"

	"novasphere.dev/wukong/sync/node"
)

// mostUplinks is how many uplinks a WukongNetwork may have.
const mostUplinks = 8

// byUplinks is the way out to build a bridge by a WukongNetwork with uplinks, where the nodes do not name their NICs alike, or have
// others free.
func (v *View) byUplinks(w *Want, b node.Bridge) []Way {
	if w.Entries > 0 || b.Preserves || !v.Preflight {
		return nil
	}
	beside := *v // another owner, who builds nothing but this bridge
	beside.own = map[string]bool{b.Name: true}
	beside.Wants = slices.DeleteFunc(slices.Clone(v.Wants), func(other Want) bool { return other.Policy == w.Policy })
	var uplinks []Uplink
	for _, n := range v.reached[w.Policy] {
		if n.state == nil {
			return nil
		}
		nic := beside.nicOn(n.state, b, uplinks)
		at := slices.IndexFunc(uplinks, func(u Uplink) bool { return u.NIC == nic })
		switch {
		case nic == "" || at < 0 && len(uplinks) == mostUplinks:
			return nil
		case at < 0:
			uplinks = append(uplinks, Uplink{NIC: nic})
			at = len(uplinks) - 1
		}
		uplinks[at].Nodes = append(uplinks[at].Nodes, n.name)
	}
	if len(uplinks) < 2 { // one is physicalInterface
		return nil
	}
	return []Way{{Bridge: b, Uplinks: uplinks}}
}

// nicOn is the NIC of one node on which nothing refuses a bridge, where that can be one of those that other nodes have; empty where there
// is none.
func (v *View) nicOn(s *node.State, b node.Bridge, others []Uplink) string {
	nics := []string{b.NIC}
	for _, u := range others {
		nics = append(nics, u.NIC)
	}
	nics = append(nics, s.NICs(b.NIC)...)
	for _, nic := range nics[:min(len(nics), mostChoices)] {
		w := Want{Bridge: b.On(nic, b.VLAN)}
		if slices.ContainsFunc(v.Wants, func(other Want) bool { return !v.agree(w.Bridge, other.Bridge) }) || !v.allowed(&w) {
			continue
		}
		if o, _ := v.objection(&w, s); o == nil {
			return nic
		}
	}
	return ""
}
