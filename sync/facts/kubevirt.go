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

	// ConfigName is the name in the CNI configuration. In one that the hook has made it is the attachment's own.
	ConfigName string
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
	var bridge, name string
	err := lenient.Unmarshal([]byte(config), func(r *lenient.Reader) {
		r.Object(func(member []byte) {
			switch string(member) {
			case "name":
				name = r.Text()
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
		a.Bridge, a.ConfigName = bridge, name
	}
}

// Machine is a VirtualMachine.
type Machine struct {
	Object

	// Plugs are the networks that the machine is plugged into.
	Plugs Plugs

	// Templates are the names of the DataVolumes that the machine makes.
	Templates []string

	// Instancetype and Preference are those that the machine names; zero where it names none.
	Instancetype, Preference Matcher

	// Sized is whether the template says how many cores or how much memory the machine has.
	Sized bool

	// Volumes are the volumes of the machine's template.
	Volumes Storage

	// EvictionStrategy is what KubeVirt does with the machine when its node is drained; empty for the cluster's default.
	EvictionStrategy string

	// MovesVolumes is whether a change of a volume's claim moves the data to the new one: updateVolumesStrategy is Migration.
	MovesVolumes bool

	// Moving are the volumes that KubeVirt is moving to another claim.
	Moving []string

	// PrintableStatus is KubeVirt's word for the state of the machine; empty where KubeVirt has not reported one.
	PrintableStatus string

	// Created is whether KubeVirt has made the instance. Without it, most conditions are those of the instance before.
	Created bool

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
				case "created":
					m.Created = r.Bool()
				case "volumeUpdateState":
					m.readMoving(r)
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
	case "updateVolumesStrategy":
		m.MovesVolumes = r.Text() == "Migration"
	case "instancetype":
		m.Instancetype = readMatcher(r)
	case "preference":
		m.Preference = readMatcher(r)
	case "template":
		r.Object(func(member []byte) {
			if string(member) == "spec" {
				t := readTemplateSpec(r)
				m.Plugs, m.Volumes, m.Sized, m.EvictionStrategy = t.plugs, t.volumes, t.sized, t.evictionStrategy
			}
		})
	}
}

func (m *Machine) readMoving(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) == "volumeMigrationState" {
			r.Object(func(member []byte) {
				if string(member) == "migratedVolumes" {
					r.Objects(func() { m.Moving = append(m.Moving, readText(r, "volumeName")) })
				}
			})
		}
	})
}

func readTemplate(r *lenient.Reader) string {
	var o Object
	r.Object(func(member []byte) { o.read(r, member) })
	return o.Name
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

// Instance is a VirtualMachineInstance: a machine that runs.
type Instance struct {
	Object
	Plugs      Plugs
	NodeName   string
	Phase      string
	Reason     string // why it is in that phase
	Interfaces []Interface
	Volumes    []Volume
	Conditions Conditions

	// Storage are the volumes of its spec. Volumes are those that it reports.
	Storage Storage
}

// Reports reports whether an instance has an interface on a network.
func (i *Instance) Reports(network string) bool {
	return slices.ContainsFunc(i.Interfaces, func(r Interface) bool { return r.Name == network })
}

// Interface is what an instance reports of one of its interfaces.
type Interface struct {
	Name      string // of the network
	GuestName string
	Addresses []string
	ByGuest   bool // the guest's agent reports it, so its addresses are all that the guest has there
}

// Volume is what an instance reports of one of its volumes.
type Volume struct {
	Name, Claim, Capacity, Phase, Message string
}

func (i *Instance) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "spec":
			t := readTemplateSpec(r)
			i.Plugs, i.Storage = t.plugs, t.volumes
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
	case "reason":
		i.Reason = r.Text()
	case "interfaces":
		r.Objects(func() { i.Interfaces = append(i.Interfaces, readReported(r)) })
	case "volumeStatus":
		r.Objects(func() { i.Volumes = append(i.Volumes, readVolumeStatus(r)) })
	case "conditions":
		i.Conditions = readConditions(r)
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
		case "infoSource":
			i.ByGuest = strings.Contains(r.Text(), "guest-agent")
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
	Disks            []Disk
	DataVolumes      []string // that its virtualMachine makes beside those of the disks
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
				r.Objects(func() { w.Disks = append(w.Disks, readDisk(r)) })
			case "virtualMachine":
				r.Object(func(member []byte) {
					if string(member) == "spec" {
						w.readVirtualMachine(r)
					}
				})
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

func (w *Wukong) readVirtualMachine(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) == "dataVolumeTemplates" {
			r.Objects(func() { w.DataVolumes = append(w.DataVolumes, readTemplate(r)) })
		}
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
