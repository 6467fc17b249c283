package facts

import (
	"cmp"
	"strings"

	"novasphere.dev/wukong/sync/lenient"
)

// DataVolume is a DataVolume of the Containerized Data Importer, of any owner.
type DataVolume struct {
	Object

	// Size is the size that it asks for, as a quantity; empty where it takes that of its source.
	Size string

	// Source is what it is filled with.
	Source Source

	// StorageClass is the storage class that it names; empty where it names none.
	StorageClass string

	Phase, Progress string
	Conditions      Conditions
}

// Source is what a DataVolume is filled with; the zero Source where that cannot be read.
type Source struct {
	// Kind is the member of a source that says it, such as http, pvc or blank; or DataSource.
	Kind string

	// Name is the URL, or namespace/name of the object; empty for kinds that no disk of a Wukong has.
	Name string
}

// The kinds of sources that the disks of a Wukong have.
const (
	SourceBlank      = "blank"
	SourceClaim      = "pvc"
	SourceDataSource = "DataSource"
	SourceHTTP       = "http"
	SourceRegistry   = "registry"
)

// sourceSnapshot is what KubeVirt may make of a DataSource.
const sourceSnapshot = "snapshot"

// String is the source in messages.
func (s Source) String() string {
	switch s.Kind {
	case SourceBlank:
		return "nothing"
	case SourceClaim:
		return "claim " + s.Name
	case SourceDataSource:
		return "DataSource " + s.Name
	}
	return cmp.Or(s.Name, "a source of kind "+s.Kind)
}

// Differs reports whether a DataVolume with this source is filled with something else than one with another. KubeVirt writes into a
// DataVolume what the DataSource of its template stands for, so those cannot be told apart.
func (s Source) Differs(other Source) bool {
	if other.Kind == SourceDataSource && s.Kind != SourceDataSource {
		s, other = other, s
	}
	switch {
	case s.Kind == "" || other.Kind == "":
		return false
	case s.Kind == SourceDataSource && (other.Kind == SourceClaim || other.Kind == sourceSnapshot):
		return false
	}
	return s != other
}

func (d *DataVolume) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "spec":
			d.readSpec(r)
		case "status":
			r.Object(func(member []byte) {
				switch string(member) {
				case "phase":
					d.Phase = r.Text()
				case "progress":
					d.Progress = r.Text()
				case "conditions":
					d.Conditions = readConditions(r)
				}
			})
		default:
			d.read(r, member)
		}
	})
	if name, local := strings.CutPrefix(d.Source.Name, "/"); local && (d.Source.Kind == SourceClaim || d.Source.Kind == SourceDataSource) {
		d.Source.Name = Qualified(d.Namespace, name)
	}
}

func (d *DataVolume) readSpec(r *lenient.Reader) {
	var storage, pvc request
	var source, ref Source
	r.Object(func(member []byte) {
		switch string(member) {
		case "storage":
			storage = readRequest(r)
		case "pvc":
			pvc = readRequest(r)
		case "source":
			source = readSource(r)
		case "sourceRef":
			ref = Source{Kind: SourceDataSource, Name: readReference(r)}
		}
	})
	d.Size, d.StorageClass = cmp.Or(storage.size, pvc.size), cmp.Or(storage.class, pvc.class)
	if d.Source = source; source.Kind == "" && ref.Name != "" {
		d.Source = ref
	}
}

// request is what a claim, or a DataVolume for its claim, asks for.
type request struct {
	size, class string
}

func readRequest(r *lenient.Reader) (q request) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "storageClassName":
			q.class = r.Text()
		case "resources":
			r.Object(func(member []byte) {
				if string(member) == "requests" {
					q.size = r.Map()["storage"]
				}
			})
		}
	})
	return q
}

// readSource is the source of a DataVolume. It has only one; of several, the first by name counts.
func readSource(r *lenient.Reader) (s Source) {
	r.Object(func(member []byte) {
		kind := string(member)
		if !r.Present() || s.Kind != "" && s.Kind < kind {
			return
		}
		s = Source{Kind: kind}
		switch kind {
		case SourceHTTP, SourceRegistry:
			s.Name = readText(r, "url")
		case SourceClaim:
			s.Name = readReference(r)
		}
	})
	return s
}

// readReference is namespace/name of an object that a source names; /name where that is in the namespace of the DataVolume.
func readReference(r *lenient.Reader) string {
	var namespace, name string
	r.Object(func(member []byte) {
		switch string(member) {
		case "namespace":
			namespace = r.Text()
		case "name":
			name = r.Text()
		}
	})
	if name == "" {
		return ""
	}
	return namespace + "/" + name
}

// AsDataVolume is the DataVolume that KubeVirt makes in a namespace from the text of a template.
func AsDataVolume(template []byte, namespace string) (d DataVolume) {
	d.Namespace = namespace
	if err := lenient.Unmarshal(template, d.readFrom); err != nil {
		return DataVolume{}
	}
	return d
}

// VolumeClaim is a PersistentVolumeClaim, of any owner.
type VolumeClaim struct {
	Object
	Size         string // that it asks for, as a quantity
	StorageClass string
	Phase        string
}

func (c *VolumeClaim) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "spec":
			q := readRequest(r)
			c.Size, c.StorageClass = q.size, q.class
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
