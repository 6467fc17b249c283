package sync

import "novasphere.dev/wukong/sync/hold"

// holdAll answers every child that exists as it is.
func (v *view) holdAll() Children {
	all := append(v.holdPolicies(), v.holdAttachments()...)
	for _, m := range v.children.Machines.All() {
		all = append(all, hold.Machine(m))
	}
	return all
}

func (v *view) holdPolicies() Children {
	var all Children
	for _, p := range v.children.Policies.All() {
		all = append(all, hold.Policy(p))
	}
	return all
}

func (v *view) holdAttachments() Children {
	var all Children
	for _, a := range v.children.Attachments.All() {
		all = append(all, hold.Child(&a.Object))
	}
	return all
}
