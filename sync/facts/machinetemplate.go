package facts

import (
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/lenient"
)

// Plugs are the networks of a machine or instance.
type Plugs struct {
	// Readable is whether the object has a spec to read the networks from. An object without one may refer to anything.
	Readable bool

	Networks []Plug
}

// Plug is one network of a machine or instance.
type Plug struct {
	Name string

	// Attachment is the attachment, as the machine names it; empty for a pod network.
	Attachment string

	// SRIOV is whether the interface is a virtual function.
	SRIOV bool

	// MAC is the interface's hardware address; empty where the object does not say.
	MAC string
}

// Find is the first network with a name.
func (p Plugs) Find(name string) (plug Plug, found bool) {
	i := slices.IndexFunc(p.Networks, func(plug Plug) bool { return plug.Name == name })
	if i < 0 {
		return Plug{}, false
	}
	return p.Networks[i], true
}

// Refers reports whether a machine or instance uses an attachment of a namespace, or may use it.
func (p Plugs) Refers(namespace, name string) bool {
	return !p.Readable || slices.ContainsFunc(p.Networks, func(plug Plug) bool {
		qualifier, short, qualified := strings.Cut(plug.Attachment, "/")
		if !qualified {
			return plug.Attachment == name
		}
		return qualifier == namespace && short == name
	})
}

// templateSpec is what the spec of an instance, or of a machine's template, says.
type templateSpec struct {
	plugs            Plugs
	volumes          Storage
	sized            bool // whether it says how many cores or how much memory there are
	evictionStrategy string
}

func readTemplateSpec(r *lenient.Reader) (t templateSpec) {
	t.plugs.Readable = r.Present()
	d := domain{interfaces: map[string]Plug{}, cds: map[string]bool{}}
	r.Object(func(member []byte) {
		switch string(member) {
		case "networks":
			r.Objects(func() { t.plugs.Networks = append(t.plugs.Networks, readPlug(r)) })
		case "volumes":
			r.Objects(func() { t.volumes = append(t.volumes, readVolume(r)) })
		case "evictionStrategy":
			t.evictionStrategy = r.Text()
		case "domain":
			d.read(r)
		}
	})
	for i := range t.plugs.Networks {
		device := d.interfaces[t.plugs.Networks[i].Name]
		t.plugs.Networks[i].SRIOV, t.plugs.Networks[i].MAC = device.SRIOV, device.MAC
	}
	for i := range t.volumes {
		t.volumes[i].CD = d.cds[t.volumes[i].Name]
	}
	t.sized = d.sized
	return t
}

func readPlug(r *lenient.Reader) Plug {
	var p Plug
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			p.Name = r.Text()
		case "multus":
			r.Object(func(member []byte) {
				if string(member) == "networkName" {
					p.Attachment = r.Text()
				}
			})
		}
	})
	return p
}
