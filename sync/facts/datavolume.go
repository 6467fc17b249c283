package facts

import (
	"cmp"

	"novasphere.dev/wukong/sync/lenient"
)

// DataVolume is a DataVolume of the Containerized Data Importer, of any owner.
type DataVolume struct {
	Object

	// Size is the size that it asks for, as a quantity; empty where it takes that of its source.
	Size string

	// Source is what it is filled with, in words; empty where that is none of the sources that a disk of a Wukong has.
	Source string

	Phase      string
	Conditions Conditions
}

// Blank is the Source of a DataVolume that is filled with nothing.
const Blank = "nothing"

func (d *DataVolume) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "spec":
			var storage, pvc string
			r.Object(func(member []byte) {
				switch string(member) {
				case "storage":
					storage = readRequest(r)
				case "pvc":
					pvc = readRequest(r)
				case "source":
					d.Source = readSource(r)
				}
			})
			d.Size = cmp.Or(storage, pvc)
		case "status":
			r.Object(func(member []byte) {
				switch string(member) {
				case "phase":
					d.Phase = r.Text()
				case "conditions":
					d.Conditions = readConditions(r)
				}
			})
		default:
			d.read(r, member)
		}
	})
}

// readRequest is the size that a claim asks for.
func readRequest(r *lenient.Reader) (size string) {
	r.Object(func(member []byte) {
		if string(member) == "resources" {
			r.Object(func(member []byte) {
				if string(member) == "requests" {
					size = r.Map()["storage"]
				}
			})
		}
	})
	return size
}

// readSource is the source of a DataVolume in words. It has only one.
func readSource(r *lenient.Reader) string {
	var registry, http, blank string
	r.Object(func(member []byte) {
		switch string(member) {
		case "registry":
			registry = readText(r, "url")
		case "http":
			http = readText(r, "url")
		case "blank":
			if blank = ""; r.Present() {
				blank = Blank
			}
		}
	})
	return cmp.Or(registry, http, blank)
}

// VolumeClaim is a PersistentVolumeClaim, of any owner.
type VolumeClaim struct {
	Object
	Size  string // that it asks for, as a quantity
	Phase string
}

func (c *VolumeClaim) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "spec":
			c.Size = readRequest(r)
		case "status":
			c.Phase = readText(r, "phase")
		default:
			c.read(r, member)
		}
	})
}

// Namespace is a namespace.
type Namespace struct {
	Object
}

func (n *Namespace) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) { n.read(r, member) })
}
