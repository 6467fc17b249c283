package facts

import (
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/lenient"
)

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
