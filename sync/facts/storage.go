package facts

import (
	"cmp"
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/lenient"
)

// Storage are the volumes of a machine's template, or of an instance.
type Storage []MachineVolume

// MachineVolume is one volume of a machine's template, or of an instance.
type MachineVolume struct {
	Name string

	// Claim is the DataVolume or claim that the volume is on; empty where it is on neither. A DataVolume has the name of its claim.
	Claim string

	CD            bool // the guest cannot write to it
	ContainerDisk bool // its content does not survive a restart
	Hotplugged    bool // somebody plugged it in while the machine ran
}

// Named is the first volume with a name; the zero MachineVolume where there is none.
func (s Storage) Named(name string) MachineVolume {
	i := slices.IndexFunc(s, func(v MachineVolume) bool { return v.Name == name })
	if i < 0 {
		return MachineVolume{}
	}
	return s[i]
}

// Using are the volumes that are on a claim.
func (s Storage) Using(claim string) (all []MachineVolume) {
	for _, v := range s {
		if v.Claim == claim {
			all = append(all, v)
		}
	}
	return all
}

func readVolume(r *lenient.Reader) MachineVolume {
	var v MachineVolume
	var dataVolume, claim, dump string
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			v.Name = r.Text()
		case "containerDisk":
			v.ContainerDisk = r.Present()
		case "dataVolume":
			dataVolume = v.readClaim(r, "name")
		case "persistentVolumeClaim":
			claim = v.readClaim(r, "claimName")
		case "memoryDump":
			dump = v.readClaim(r, "claimName")
		}
	})
	v.Claim = cmp.Or(dataVolume, claim, dump)
	return v
}

// readClaim reads the DataVolume or claim that a volume is on, by the member that names it.
func (v *MachineVolume) readClaim(r *lenient.Reader, name string) (claim string) {
	r.Object(func(member []byte) {
		switch string(member) {
		case name:
			claim = r.Text()
		case "hotpluggable":
			v.Hotplugged = r.Bool() || v.Hotplugged
		}
	})
	return claim
}

// domain is what of a domain says what its networks and volumes are.
type domain struct {
	interfaces map[string]Plug
	cds        map[string]bool // whether a disk is a CD
	sized      bool            // whether there are cores or memory
}

func (d *domain) read(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "cpu":
			d.readSize(r, "cores", "sockets", "threads")
		case "memory":
			d.readSize(r, "guest")
		case "devices":
			r.Object(func(member []byte) {
				switch string(member) {
				case "interfaces":
					r.Objects(func() { d.readInterface(r) })
				case "disks":
					r.Objects(func() { d.readDisk(r) })
				}
			})
		}
	})
}

// readSize notes whether one of the members says a size. A CPU may also be of a model, and memory of huge pages.
func (d *domain) readSize(r *lenient.Reader, members ...string) {
	r.Object(func(member []byte) {
		if slices.Contains(members, string(member)) {
			d.sized = r.Present() || d.sized
		}
	})
}

// readInterface notes what a domain says of an interface. Of several with one name, the first counts.
func (d *domain) readInterface(r *lenient.Reader) {
	var p Plug
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			p.Name = r.Text()
		case "sriov":
			p.SRIOV = r.Present()
		case "macAddress":
			p.MAC = r.Text()
		}
	})
	if _, seen := d.interfaces[p.Name]; !seen {
		d.interfaces[p.Name] = p
	}
}

// readDisk notes whether a disk is a CD. Of several with one name, the first counts.
func (d *domain) readDisk(r *lenient.Reader) {
	var name string
	var cd bool
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			name = r.Text()
		case "cdrom":
			cd = r.Present()
		}
	})
	if _, seen := d.cds[name]; !seen {
		d.cds[name] = cd
	}
}

// Matcher is how a machine names its instance type or its preference.
type Matcher struct {
	Name, Kind string

	// Revision is the copy that KubeVirt has made when it first found what is named. Newer versions note it in the status.
	Revision string
}

// Same reports whether two matchers name the same. KubeVirt's webhook fills in a kind that is left out, in lower case.
func (m Matcher) Same(other Matcher) bool {
	ofCluster := func(kind string) bool { return kind == "" || strings.Contains(strings.ToLower(kind), "cluster") }
	return m.Name == other.Name && ofCluster(m.Kind) == ofCluster(other.Kind)
}

func readMatcher(r *lenient.Reader) (m Matcher) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			m.Name = r.Text()
		case "kind":
			m.Kind = r.Text()
		case "revisionName":
			m.Revision = r.Text()
		}
	})
	return m
}

// Disk is one disk in the spec of a Wukong.
type Disk struct {
	Name      string
	ClaimName string // "" where the disk has a claim of its own
	CD        bool
}

func readDisk(r *lenient.Reader) (d Disk) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			d.Name = r.Text()
		case "claimName":
			d.ClaimName = r.Text()
		case "cdrom":
			d.CD = r.Bool()
		}
	})
	return d
}
