package facts

import "novasphere.dev/wukong/sync/lenient"

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
