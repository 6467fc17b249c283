package sync

import (
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/sync/facts"
)

// joins says how a network comes into a running machine that is to have it and has it not; empty where it is there, and where the
// instance does not report its interfaces yet. KubeVirt hands bridges and virtual functions on to the instance at once, and they are plugged
// in when that migrates, or starts again. Everything else comes with a restart.
// The table in docs/decisions.md has its rows.
func (v *view) joins(n *network) string {
	m, instance := v.machine(), v.instance()
	if m == nil || instance == nil || instance.Phase != string(kubevirtv1.Running) || len(instance.Interfaces) == 0 || instance.Reports(n.Name) {
		return ""
	}
	if _, plugged := m.Plugs.Find(n.Name); !plugged {
		return ""
	}
	restart := v.restarting(m)
	if _, handedOn := instance.Plugs.Find(n.Name); !handedOn || !migratable(m, instance) {
		return "is not in the running machine yet: it comes with a restart: " + restart
	}
	return "is not in the running machine yet: it comes with a live migration, which KubeVirt 1.6 begins, or " + restart
}

// migratable reports whether an instance can migrate, as far as KubeVirt has said.
func migratable(m *facts.Machine, instance *facts.Instance) bool {
	return condition(m, instance, string(kubevirtv1.VirtualMachineInstanceIsMigratable)).Status != "False"
}
