package facts

import (
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/lenient"
)

// Attachment is a NetworkAttachmentDefinition.
type Attachment struct {
	Object

	// Bridge is the bridge of the node that the attachment plugs into, by its CNI configuration; empty where it names none, or cannot
	// be read: then CNI cannot read it either.
	Bridge string
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
	var bridge string
	err := lenient.Unmarshal([]byte(config), func(r *lenient.Reader) {
		r.Object(func(member []byte) {
			switch string(member) {
			case "bridge":
				bridge = r.Text()
			case "plugins":
				r.Objects(func() {
					if named := readText(r, "bridge"); named != "" && bridge == "" {
						bridge = named
					}
				})
			}
		})
	})
	if err == nil {
		a.Bridge = bridge
	}
}

// Machine is a VirtualMachine.
type Machine struct {
	Object

	// Plugs are the networks that the machine is plugged into.
	Plugs Plugs

	// Templates are the names of the DataVolumes that the machine makes.
	Templates []string

	// ContainerDisks are the names of the volumes whose content does not survive a restart.
	ContainerDisks []string

	// PrintableStatus is KubeVirt's word for the state of the machine; empty where KubeVirt has not reported one.
	PrintableStatus string

	Conditions Conditions
}

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

func (m *Machine) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "spec":
			r.Object(func(member []byte) { m.readSpec(r, member) })
		case "status":
			r.Object(func(member []byte) {
				switch string(member) {
				case "printableStatus":
					m.PrintableStatus = r.Text()
				case "conditions":
					m.Conditions = readConditions(r)
				}
			})
		default:
			m.read(r, member)
		}
	})
}

func (m *Machine) readSpec(r *lenient.Reader, member []byte) {
	switch string(member) {
	case "dataVolumeTemplates":
		r.Objects(func() { m.Templates = append(m.Templates, readTemplate(r)) })
	case "template":
		r.Object(func(member []byte) {
			if string(member) == "spec" {
				m.ContainerDisks = m.Plugs.read(r)
			}
		})
	}
}

func readTemplate(r *lenient.Reader) string {
	var o Object
	r.Object(func(member []byte) { o.read(r, member) })
	return o.Name
}

// read reads the spec of an instance, or of a machine's template. It returns the names of the volumes that are
// container disks.
func (p *Plugs) read(r *lenient.Reader) (containerDisks []string) {
	p.Readable = r.Present()
	virtual := map[string]bool{}
	r.Object(func(member []byte) {
		switch string(member) {
		case "networks":
			r.Objects(func() { p.Networks = append(p.Networks, readPlug(r)) })
		case "volumes":
			r.Objects(func() {
				if name, disk := readVolume(r); disk {
					containerDisks = append(containerDisks, name)
				}
			})
		case "domain":
			readInterfaces(r, virtual)
		}
	})
	for i := range p.Networks {
		p.Networks[i].SRIOV = virtual[p.Networks[i].Name]
	}
	return containerDisks
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

func readVolume(r *lenient.Reader) (name string, containerDisk bool) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			name = r.Text()
		case "containerDisk":
			containerDisk = r.Present()
		}
	})
	return name, containerDisk
}

// readInterfaces notes which interfaces of a domain are virtual functions. Of several with one name, the first counts.
func readInterfaces(r *lenient.Reader, virtual map[string]bool) {
	readOne := func() {
		var name string
		var sriov bool
		r.Object(func(member []byte) {
			switch string(member) {
			case "name":
				name = r.Text()
			case "sriov":
				sriov = r.Present()
			}
		})
		if _, seen := virtual[name]; !seen {
			virtual[name] = sriov
		}
	}
	r.Object(func(member []byte) {
		if string(member) == "devices" {
			r.Object(func(member []byte) {
				if string(member) == "interfaces" {
					r.Objects(readOne)
				}
			})
		}
	})
}

// Instance is a VirtualMachineInstance: a machine that runs.
type Instance struct {
	Object
	Plugs      Plugs
	NodeName   string
	Phase      string
	Interfaces []Interface
	Volumes    []Volume
}

// Interface is what an instance reports of one of its interfaces.
type Interface struct {
	Name      string // of the network
	GuestName string
	Addresses []string
}

// Volume is what an instance reports of one of its volumes.
type Volume struct {
	Name, Claim, Capacity, Phase, Message string
}

func (i *Instance) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "spec":
			i.Plugs.read(r)
		case "status":
			r.Object(func(member []byte) { i.readStatus(r, member) })
		default:
			i.read(r, member)
		}
	})
}

func (i *Instance) readStatus(r *lenient.Reader, member []byte) {
	switch string(member) {
	case "nodeName":
		i.NodeName = r.Text()
	case "phase":
		i.Phase = r.Text()
	case "interfaces":
		r.Objects(func() { i.Interfaces = append(i.Interfaces, readReported(r)) })
	case "volumeStatus":
		r.Objects(func() { i.Volumes = append(i.Volumes, readVolumeStatus(r)) })
	}
}

func readReported(r *lenient.Reader) Interface {
	var i Interface
	var single string
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			i.Name = r.Text()
		case "interfaceName":
			i.GuestName = r.Text()
		case "ipAddress":
			single = r.Text()
		case "ipAddresses":
			i.Addresses = r.Texts()
		}
	})
	if len(i.Addresses) == 0 && single != "" {
		i.Addresses = []string{single}
	}
	return i
}

func readVolumeStatus(r *lenient.Reader) Volume {
	var v Volume
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			v.Name = r.Text()
		case "phase":
			v.Phase = r.Text()
		case "message":
			v.Message = r.Text()
		case "persistentVolumeClaimInfo":
			r.Object(func(member []byte) {
				switch string(member) {
				case "claimName":
					v.Claim = r.Text()
				case "capacity":
					v.Capacity = r.Map()["storage"]
				}
			})
		}
	})
	return v
}

// Wukong is a Wukong other than the one that the request is about.
type Wukong struct {
	Object
	MachineNamespace string // "" is the default namespace
	Disks            []string
	NetworkNames     []string // the WukongNetworks that it uses
}

func (w *Wukong) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) != "spec" {
			w.read(r, member)
			return
		}
		r.Object(func(member []byte) {
			switch string(member) {
			case "namespace":
				w.MachineNamespace = r.Text()
			case "disks":
				r.Objects(func() { w.Disks = append(w.Disks, readText(r, "name")) })
			case "networks":
				r.Objects(func() {
					if name := readText(r, "networkName"); name != "" {
						w.NetworkNames = append(w.NetworkNames, name)
					}
				})
			}
		})
	})
}

// readText is one member of the object that comes next.
func readText(r *lenient.Reader, member string) (text string) {
	r.Object(func(name []byte) {
		if string(name) == member {
			text = r.Text()
		}
	})
	return text
}
