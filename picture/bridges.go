package picture

import (
	"fmt"
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/node"
)

// bridgeTypes are the words for the kinds of bridges.
var bridgeTypes = map[string]string{node.LinuxBridge: "bridge", node.OVSBridge: "OVS bridge"}

func (d *drawing) bridgeBox(b *bridge) *Box {
	typ := bridgeTypes[b.kind]
	if typ == "" {
		typ = b.kind
	}
	box := d.box(Bridge, typ, b.name, merged(b.marks))
	switch {
	case len(b.owners) > 0:
		box.Texts = append(box.Texts, "WukongNetwork "+strings.Join(distinct(b.owners), ", "))
	case len(b.wukongs) > 1:
		box.Texts = append(box.Texts, fmt.Sprintf("shared by %d Wukongs", len(b.wukongs)))
	}
	box.Built = b.policies()
	if b.mtu != 0 {
		box.Texts = append(box.Texts, fmt.Sprintf("MTU %d", b.mtu))
	}
	if b.preserves {
		box.Texts = append(box.Texts, "gets the node's address")
	}
	box.Members = b.built
	return box
}

// policies are those that build the bridge, in a few words: those that are refused do not, unless there is no other.
func (b *bridge) policies() string {
	building := slices.DeleteFunc(slices.Clone(b.built), func(m Member) bool { return m.Mark.State == Refused })
	if len(building) == 0 {
		building = b.built
	}
	switch n := len(building); n {
	case 0:
		return "no policy: the nodes must have it"
	case 1:
		return "policy " + building[0].Name
	default:
		return fmt.Sprintf("%d policies", n)
	}
}
