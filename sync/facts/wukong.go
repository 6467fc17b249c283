package facts

import "novasphere.dev/wukong/sync/lenient"

// Wukong is a Wukong other than the one that the request is about.
type Wukong struct {
	Object
	MachineNamespace string // "" is the default namespace
	Disks            []Disk
	DataVolumes      []string // that its virtualMachine makes beside those of the disks
	Volumes          Storage  // of its virtualMachine
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
		switch string(member) {
		case "dataVolumeTemplates":
			r.Objects(func() { w.DataVolumes = append(w.DataVolumes, readTemplate(r)) })
		case "template":
			r.Object(func(member []byte) {
				if string(member) == "spec" {
					w.Volumes = readTemplateSpec(r).volumes
				}
			})
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
