package sync_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// anew is what is added to the name of a network that takes the place of another, and ownLabel what the user labels nodes with.
const (
	anew     = "-2"
	ownLabel = "example.com/way"
)

// follow is a request as it is when the user has gone a way; nil where the user asks for nothing any more.
func follow(t *testing.T, req *posted, d sync.Decision, way bridges.Way) *posted {
	t.Helper()
	changed := &posted{}
	raw, err := json.Marshal(req)
	if err == nil {
		err = json.Unmarshal(raw, changed)
	}
	if err != nil {
		t.Fatal(err)
	}
	shared := changed.Parent.GetKind() == v1alpha1.NetworkKind
	switch before := d.Want.Bridge; {
	case way.Remedy != "":
		mendNodes(t, changed, d, way)
	case len(way.Without) > 0:
		leaveOut(changed, d, way.Without)
	case len(way.Uplinks) > 0:
		byUplinks(changed, way)
	case way.Into != "" && shared:
		return nil
	case shared && way.Bridge != withMTU(before, way.Bridge.MTU):
		replaceUplink(changed, d, way)
	case shared:
		setOrRemove(specOf(changed), "mtu", way.Bridge.MTU, way.Bridge.MTU != 0)
	default:
		for _, network := range networksOf(changed, d) {
			change(network, before, way)
		}
	}
	return changed
}

func specOf(req *posted) map[string]any {
	return req.Parent.Object["spec"].(map[string]any)
}

// withMTU is a bridge with another MTU.
func withMTU(b node.Bridge, mtu int64) node.Bridge {
	b.MTU = mtu
	return b
}

// networksOf are the network that a decision is about, and those that share its bridge.
func networksOf(req *posted, d sync.Decision) []map[string]any {
	var all []map[string]any
	items, _ := specOf(req)["networks"].([]any)
	for _, item := range items {
		fields := item.(map[string]any)
		kind := fields["type"]
		if (kind == "bridge" || kind == "ovs") && fields["nadName"] == nil && bridgeNameOf(fields) == d.Want.Bridge.Name {
			all = append(all, fields)
		}
	}
	return all
}

func bridgeNameOf(fields map[string]any) string {
	if name, _ := fields["bridgeName"].(string); name != "" {
		return name
	}
	return fmt.Sprintf("br-%v", fields["name"])
}

// change puts a network of another name in the place of one, except where only the MTU is another.
func change(network map[string]any, before node.Bridge, way bridges.Way) {
	if !way.Anew && way.Into == "" && way.Bridge == withMTU(before, way.Bridge.MTU) {
		setOrRemove(network, "mtu", way.Bridge.MTU, way.Bridge.MTU != 0)
		return
	}
	network["name"] = renamed(network["name"].(string))
	if way.Into != "" {
		for _, field := range []string{"bridgeName", "vlanId", "physicalInterface", "preserveHostIP", "mtu", "reclaimPolicy"} {
			delete(network, field)
		}
		network["nadName"] = "networks/own"
		return
	}
	setFields(network, way.Bridge)
	network["physicalInterface"] = way.Bridge.NIC
}

// setFields sets what a Wukong's network and a WukongNetwork have in common.
func setFields(fields map[string]any, b node.Bridge) {
	fields["bridgeName"], fields["type"] = b.Name, "bridge"
	if b.Kind == node.OVSBridge {
		fields["type"] = "ovs"
	}
	setOrRemove(fields, "vlanId", b.VLAN, b.VLAN != 0)
	setOrRemove(fields, "mtu", b.MTU, b.MTU != 0)
	setOrRemove(fields, "preserveHostIP", true, b.Preserves)
}

// replaceUplink puts another WukongNetwork in the place of one, or another uplink in the place of one.
func replaceUplink(req *posted, d sync.Decision, way bridges.Way) {
	spec := specOf(req)
	if d.Name == "" {
		spec["physicalInterface"] = way.Bridge.NIC
	} else if uplink := named(spec, "uplinks", d.Name); uplink["physicalInterface"] != way.Bridge.NIC {
		uplink["name"], uplink["physicalInterface"] = renamed(d.Name), way.Bridge.NIC
		return
	}
	setFields(spec, way.Bridge)
	replaceNetwork(req)
}

// replaceNetwork makes the parent a new WukongNetwork. The other one is deleted first, with its policies.
func replaceNetwork(req *posted) {
	req.Parent.SetName(renamed(req.Parent.GetName()))
	req.Parent.SetUID("another")
	delete(req.Parent.Object, "status")
	for kind, all := range req.Children {
		for name := range all {
			delete(req.Related[kind], name)
		}
		req.Children[kind] = nil
	}
}

// byUplinks makes the parent a WukongNetwork with uplinks, and labels the nodes of each.
func byUplinks(req *posted, way bridges.Way) {
	spec := map[string]any{}
	if req.Parent.GetKind() == v1alpha1.NetworkKind {
		spec = specOf(req)
		delete(spec, "physicalInterface")
	}
	setFields(spec, way.Bridge)
	var uplinks []any
	for i, u := range way.Uplinks {
		name := fmt.Sprintf("u%d", i)
		uplinks = append(uplinks, map[string]any{"name": name, "physicalInterface": u.NIC, "nodeSelector": map[string]any{ownLabel: name}})
		label(req, name, func(node string) bool { return slices.Contains(u.Nodes, node) })
	}
	spec["uplinks"] = uplinks
	req.Parent.Object["spec"], req.Parent.Object["kind"] = spec, v1alpha1.NetworkKind
	replaceNetwork(req)
}

// leaveOut gives all other nodes a label, and asks for that.
func leaveOut(req *posted, d sync.Decision, without []string) {
	label(req, "yes", func(node string) bool { return !slices.Contains(without, node) })
	at := []string{"spec", "highAvailability", "nodeSelector", ownLabel}
	if req.Parent.GetKind() == v1alpha1.NetworkKind {
		if at = []string{"spec", "nodeSelector", ownLabel}; d.Name != "" {
			named(specOf(req), "uplinks", d.Name)["nodeSelector"].(map[string]any)[ownLabel] = "yes"
			return
		}
	}
	if err := unstructured.SetNestedField(req.Parent.Object, "yes", at...); err != nil {
		panic(err)
	}
}

func label(req *posted, value string, of func(node string) bool) {
	for _, kind := range []string{plainNodeKind, nodeKind} {
		for _, n := range req.Related[kind] {
			if labels := n.GetLabels(); of(n.GetName()) {
				if labels == nil {
					labels = map[string]string{}
				}
				labels[ownLabel] = value
				n.SetLabels(labels)
			}
		}
	}
}

// mendNodes does on all nodes what a way out says.
func mendNodes(t *testing.T, req *posted, d sync.Decision, way bridges.Way) {
	t.Helper()
	if req.Related[nodeKind] == nil {
		req.Related[nodeKind] = toldOf(t, req)
		delete(req.Related, plainNodeKind)
		delete(req.Related, stateKind)
	}
	for _, n := range req.Related[nodeKind] {
		network, _ := n.Object["network"].(map[string]any)
		interfaces, _ := network["interfaces"].([]any)
		for _, item := range interfaces {
			i := item.(map[string]any)
			switch way.Remedy {
			case "raise the NIC's":
				if _, unreadable := i["mtu"].(string); !unreadable { // such a node is not believed, and would be afterwards
					i["mtu"] = max(integer(i["mtu"]), d.Want.Bridge.MTU)
				}
			case "set its reorder-headers to true":
				if vlan, tagged := i["vlan"].(map[string]any); tagged {
					delete(vlan, "keepsTag")
				}
			case "set its trust on and spoof-check off":
				delete(i, "guarded")
			case "rename it":
				if i["interface"] == d.Want.Bridge.Uplink {
					i["interface"] = "renamed"
				}
			case "make it static":
				if i["interface"] == d.Want.Bridge.NIC || i["interface"] == d.Want.Bridge.Name {
					i["ipv6"] = map[string]any{"addresses": []any{"2001:db8::99/64"}}
				}
			default:
				t.Errorf("nobody can do %q on the nodes", way.Remedy)
			}
		}
	}
}

// integer is a number as JSON has it, or Go.
func integer(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}

// changedBy is what a way changes.
func changedBy(way bridges.Way, before node.Bridge) []string {
	switch {
	case way.Remedy != "":
		return []string{"node"}
	case way.Into != "":
		return []string{"nadName"}
	case len(way.Without) > 0:
		return []string{"nodes"}
	case len(way.Uplinks) > 0:
		return []string{"uplinks"}
	case way.Anew:
		return []string{"name"}
	}
	var all []string
	for field, differs := range map[string]bool{
		"mtu": way.Bridge.MTU != before.MTU, "physicalInterface": way.Bridge.NIC != before.NIC, "vlanId": way.Bridge.VLAN != before.VLAN,
		"preserveHostIP": way.Bridge.Preserves != before.Preserves, "bridgeName": way.Bridge.Name != before.Name,
		"type": way.Bridge.Kind != before.Kind,
	} {
		if differs {
			all = append(all, field)
		}
	}
	return all
}

func setOrRemove(m map[string]any, field string, value any, set bool) {
	if m[field] = value; !set {
		delete(m, field)
	}
}

// named is the item of a list with a name.
func named(m map[string]any, list, name string) map[string]any {
	items, _ := m[list].([]any)
	for _, item := range items {
		if fields, _ := item.(map[string]any); fields["name"] == name {
			return fields
		}
	}
	return map[string]any{}
}

// renamed is another name for a network or an uplink.
func renamed(name string) string {
	return name[:min(len(name), 12-len(anew))] + anew
}

// follows reports whether a network is another one, or the one that took its place.
func follows(name, before string) bool {
	return name == before || before != "" && name == renamed(before)
}
