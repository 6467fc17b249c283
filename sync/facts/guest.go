package facts

import "novasphere.dev/wukong/sync/lenient"

// NetworkData is the network configuration that a machine tells its guest; empty where it tells none, or has it in a
// Secret.
func (m *Machine) NetworkData() string {
	var data string
	noCloud := func(r *lenient.Reader) {
		r.Object(func(member []byte) {
			if string(member) == "networkData" {
				data = r.Text()
			}
		})
	}
	volume := func(r *lenient.Reader) {
		r.Object(func(member []byte) {
			if string(member) == "cloudInitNoCloud" {
				noCloud(r)
			}
		})
	}
	err := lenient.Unmarshal(m.Raw, func(r *lenient.Reader) {
		within(r, []string{"spec", "template", "spec", "volumes"}, func() {
			r.Objects(func() { volume(r) })
		})
	})
	if err != nil {
		return ""
	}
	return data
}

// within reads the member at the end of a path of members.
func within(r *lenient.Reader, path []string, read func()) {
	if len(path) == 0 {
		read()
		return
	}
	r.Object(func(member []byte) {
		if string(member) == path[0] {
			within(r, path[1:], read)
		}
	})
}
