package bridges

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// readable is up to how many characters of a message name a second way out.
const readable = 150

// advised is a refusal that says what would help, and all that would. It takes refusals because of the policies of others, or of what the
// nodes report.
func (v *View) advised(w *Want, r *outcome.Refusal) (*outcome.Refusal, []Way) {
	ways := v.ways(w)
	told := *r
	if told.Message = v.advice(w, r.Message, ways); len(ways) == 0 {
		told.Message += ": no single change of the spec helps"
	}
	return &told, ways
}

// advisedInPlace is a message about a policy that stays, with what would help and does not take down what is on the nodes.
func (v *View) advisedInPlace(w *Want, found string) string {
	mtu, remedy, aside := v.inPlace(w, v.opposed(w))
	return v.advice(w, found, slices.Concat(mtu, remedy, aside))
}

// advice is what was found and the best way out, and where that is short what is done on the nodes, or to leave nodes out.
func (v *View) advice(w *Want, found string, ways []Way) string {
	if len(ways) == 0 {
		return found
	}
	told := found + ": " + v.words(w, ways[0])
	for _, way := range ways[1:] {
		if way.Remedy == "" && len(way.Without) == 0 {
			continue
		}
		if with := told + ", or " + v.words(w, way); utf8.RuneCountInString(with) <= readable {
			return with
		}
	}
	return told
}

// skipping is the way out to leave nodes out, as what else would help; empty where that would not.
func (v *View) skipping(w *Want, nodes []string) string {
	way := Way{Bridge: w.Bridge, Without: nodes}
	if len(nodes) == 0 || !v.passes(w, way) {
		return ""
	}
	return ", or " + v.words(w, way)
}

// words are a way out in words.
func (v *View) words(w *Want, way Way) string {
	switch {
	case way.Remedy != "":
		return way.Remedy
	case len(way.Without) > 0:
		return v.skip(w, way)
	case len(way.Uplinks) > 0 && v.Owner.Kind == v1alpha1.NetworkKind:
		return "make another WukongNetwork with uplinks[] for " + someNICs(way.Uplinks)
	case len(way.Uplinks) > 0:
		return "use a WukongNetwork with uplinks[] for " + someNICs(way.Uplinks)
	case way.Into != "" && v.Owner.Kind == v1alpha1.NetworkKind:
		return fmt.Sprintf("use %s by nadName in the Wukongs", way.Into)
	case way.Into != "":
		return fmt.Sprintf("use %s by nadName", way.Into)
	case way.Anew:
		return v.anew(w, way.Bridge)
	case way.Bridge == withMTUOf(w.Bridge, 0):
		return "remove mtu" + v.inAll(w)
	case way.Bridge == withMTUOf(w.Bridge, way.Bridge.MTU):
		return fmt.Sprintf("set mtu %d", way.Bridge.MTU) + v.inAll(w)
	}
	return v.anew(w, way.Bridge) + differences(w.Bridge, way.Bridge)
}

// skip is the way out to leave nodes out, in words.
func (v *View) skip(w *Want, way Way) string {
	switch {
	case way.Apart && v.Policies.Get(w.Policy) == nil:
		return "make two Wukongs with highAvailability.nodeSelector"
	case len(way.Without) == 1:
		return "skip the node by highAvailability.nodeSelector"
	}
	return fmt.Sprintf("skip %s by highAvailability.nodeSelector", someNodes(way.Without))
}

// shared reports whether the owner has other networks on the same bridge.
func (v *View) shared(w *Want) bool {
	return slices.ContainsFunc(v.Wants, func(other Want) bool { return shares(w, &other) })
}

// inAll says that a field changes in several networks, where it does.
func (v *View) inAll(w *Want) string {
	if !v.shared(w) {
		return ""
	}
	return " in the networks of " + w.Bridge.Name
}

// anew is how the user comes to a network with fields that cannot change in one that exists.
func (v *View) anew(w *Want, b node.Bridge) string {
	switch {
	case v.Owner.Kind != v1alpha1.NetworkKind && v.shared(w):
		return fmt.Sprintf("add the networks of %s anew", w.Bridge.Name)
	case v.Owner.Kind != v1alpha1.NetworkKind:
		return "add the network anew"
	case w.Entries > 0 && b == w.Bridge.On(b.NIC, b.VLAN) && b.VLAN == w.Bridge.VLAN:
		return "add the uplink anew"
	}
	return "make another WukongNetwork"
}

// differences are the fields in which a bridge is another than before, in words.
func differences(before, b node.Bridge) string {
	var with, without []string
	field := func(differs, set bool, name string) {
		switch {
		case differs && set:
			with = append(with, name)
		case differs:
			without = append(without, name)
		}
	}
	field(b.NIC != before.NIC, true, "physicalInterface "+b.NIC)
	switch {
	case b.VLAN == 0:
		field(before.VLAN != 0, false, "vlanId")
	case before.VLAN == 0:
		field(true, true, "a vlanId")
	default:
		field(b.VLAN != before.VLAN, true, "another vlanId")
	}
	field(b.Kind != before.Kind, true, "type "+string(typeOf(b.Kind)))
	field(b.Name != before.Name && b.Name == chosenName, true, "another bridgeName")
	field(b.Name != before.Name && b.Name != chosenName, true, "bridgeName "+b.Name)
	field(b.MTU != before.MTU && b.MTU != 0, true, fmt.Sprintf("mtu %d", b.MTU))
	field(b.MTU != before.MTU && b.MTU == 0, false, "mtu")
	field(b.Preserves != before.Preserves, b.Preserves, "preserveHostIP")
	switch {
	case len(without) == 0:
		return " with " + listed(with)
	case len(with) == 0:
		return " without " + listed(without)
	}
	return " with " + listed(with) + " and without " + listed(without)
}

// typeOf is the type of a network that has a bridge of some kind.
func typeOf(kind string) v1alpha1.NetworkType {
	if kind == node.OVSBridge {
		return v1alpha1.OVS
	}
	return v1alpha1.Bridge
}

// listed joins parts by commas and "and".
func listed(parts []string) string {
	last := len(parts) - 1
	if last < 1 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}

// someNICs are the names of the NICs of two uplinks, and whether there are more.
func someNICs(uplinks []Uplink) string {
	if len(uplinks) == 2 {
		return uplinks[0].NIC + " and " + uplinks[1].NIC
	}
	return fmt.Sprintf("%s, %s and others", uplinks[0].NIC, uplinks[1].NIC)
}
