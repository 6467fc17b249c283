package facts

import (
	"cmp"

	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/sync/node"
)

// Attachment is a NetworkAttachmentDefinition.
type Attachment struct {
	Object

	// Bridge is the bridge of the node that the attachment plugs into, by its CNI configuration; empty where it names none, or cannot
	// be read: then CNI cannot read it either.
	Bridge string

	// ConfigName is the name in the CNI configuration. In one that the hook has made it is the attachment's own.
	ConfigName string

	// Plugin is the CNI plugin, or the first of several, Master the NIC of the node that it names, and Mode how it stands there; empty
	// where there is none.
	Plugin, Master, Mode string

	// VLAN is the tag that the plugin puts on; 0 where it puts on none. The hook has it in the configuration for SR-IOV only.
	VLAN int64
}

// Stands is the NIC on which the attachment lets macvlans or ipvlans stand; ok is whether it does.
func (a *Attachment) Stands() (m node.Master, ok bool) {
	if a.Master == "" || a.Plugin != node.Macvlan && a.Plugin != node.Ipvlan {
		return node.Master{}, false
	}
	return node.Master{Kind: a.Plugin, NIC: a.Master, Mode: a.Mode}, true
}

// Says is what the attachment plugs into, by its CNI configuration; the zero Bridge where that cannot be read.
func (a *Attachment) Says() node.Bridge {
	return node.Bridge{Kind: BridgeKind(a.Plugin), Name: a.Bridge, NIC: a.Master}
}

func (a *Attachment) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) != "spec" {
			a.read(r, member)
			return
		}
		r.Object(func(member []byte) {
			if string(member) == "config" {
				a.readConfig(r.Text())
			}
		})
	})
}

func (a *Attachment) readConfig(config string) {
	var whole plugin
	var name string
	err := lenient.Unmarshal([]byte(config), func(r *lenient.Reader) {
		r.Object(func(member []byte) {
			switch string(member) {
			case "name":
				name = r.Text()
			case "plugins":
				r.Objects(func() {
					var p plugin
					r.Object(func(member []byte) { p.read(r, member) })
					whole = plugin{
						cmp.Or(whole.kind, p.kind), cmp.Or(whole.bridge, p.bridge), cmp.Or(whole.master, p.master), cmp.Or(whole.mode, p.mode),
						cmp.Or(whole.vlan, p.vlan),
					}
				})
			default:
				whole.read(r, member)
			}
		})
	})
	if err == nil {
		a.Bridge, a.ConfigName = whole.bridge, name
		a.Plugin, a.Master, a.Mode, a.VLAN = whole.kind, whole.master, whole.mode, whole.vlan
	}
}

// plugin is what a CNI configuration says of one plugin.
type plugin struct {
	kind, bridge, master, mode string
	vlan                       int64
}

func (p *plugin) read(r *lenient.Reader, member []byte) {
	switch string(member) {
	case "type":
		p.kind = r.Text()
	case "bridge":
		p.bridge = r.Text()
	case "master":
		p.master = r.Text()
	case "mode":
		p.mode = r.Text()
	case "vlan":
		p.vlan = r.Int()
	}
}
