package node

import (
	"fmt"
	"slices"
)

// Lost is the message that names what the node no longer has of a bridge that was built there; empty where nothing is
// missing. NMState does not build the bridge again by itself, and CNI's bridge plugin makes an isolated one for the
// next machine on the node.
func (s *State) Lost(b Bridge) string {
	b = s.here(b)
	bridge := s.bridge(b.Name)
	switch {
	case bridge == nil:
		return "bridge " + b.Name
	case bridge.kind == b.Kind && slices.ContainsFunc(bridge.ports, func(p port) bool { return p.name == b.Uplink }):
		return ""
	}
	return fmt.Sprintf("port %s of bridge %s", b.Uplink, b.Name)
}

// Occupant is the message that names who would lose the network with a bridge although no policy speaks for them; empty
// where there is nobody. It may be a machine or pod that somebody's own attachment plugs into the bridge, or the node
// itself, by an address that somebody gave the bridge. A node's report is up to a minute old, so a machine that has
// just gone may still be in it.
func (s *State) Occupant(b Bridge) string {
	bridge := s.bridge(b.Name)
	if bridge == nil {
		return ""
	}
	// A policy removes the bridge by its name. A bridge of another type is somebody else's.
	if bridge.kind != b.Kind {
		return fmt.Sprintf("on node %s %s is of type %s", s.Node, b.Name, bridge.kind)
	}
	b = s.here(b)
	own := s.iface(b.Name)
	if carried := s.carried(own); carried != "" {
		return fmt.Sprintf("on node %s it carries %s", s.Node, carried)
	}
	if own != nil && (own.ipv4.asks() || own.ipv6.asks()) {
		return fmt.Sprintf("on node %s it carries an address by DHCP", s.Node)
	}
	if i := s.upon(b.Name); i != nil {
		return fmt.Sprintf("on node %s there is the %s %s on it", s.Node, i.kind, i.name)
	}
	for _, at := range s.vlans {
		if i := s.interfaces[at]; i.baseIface == b.Name {
			return fmt.Sprintf("on node %s there is the VLAN interface %s on it", s.Node, i.name)
		}
	}
	for _, p := range bridge.ports {
		if !b.Owns(p.name) {
			return fmt.Sprintf("on node %s it has the port %s", s.Node, p.name)
		}
	}
	if bridge.occupied {
		return fmt.Sprintf("on node %s a machine or pod is plugged into it", s.Node)
	}
	return ""
}

// FeedsAnother reports whether the uplink of a bridge is a port of something else on the node.
func (s *State) FeedsAnother(b Bridge) bool {
	uplink := s.iface(s.here(b).Uplink)
	return uplink != nil && uplink.controller != "" && uplink.controller != b.Name
}
