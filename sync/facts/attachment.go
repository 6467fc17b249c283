package facts

import "novasphere.dev/wukong/sync/lenient"

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
