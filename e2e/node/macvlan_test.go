package node

import (
	"errors"
	"testing"
)

// The rows of networks that have no policy, but an attachment on the NIC itself. KubeVirt carries no traffic over macvlan and starts no machine
// with ipvlan, and the status says so; what answers is a pod.
var onMaster = []row{
	{name: "a macvlan network", kind: "macvlan", network: master, profiles: onAnother(), want: fit, quick: true},
	{name: "an ipvlan network", kind: "ipvlan", network: master, profiles: onAnother(), want: fit, never: "KubeVirt starts no machine with ipvlan"},
	{name: "a macvlan network on the NIC with the node's address", kind: "macvlan", network: master, profiles: carrying(static, auto6), want: fit},
	{name: "a macvlan network on a NIC in a bridge of the host", kind: "macvlan", network: master, profiles: bridged(""), want: refused},
	{name: "an ipvlan network on a NIC in a bridge of the host", kind: "ipvlan", network: master, profiles: bridged(""), want: refused},
	{name: "a macvlan network on a bridge of the host", kind: "macvlan", network: "physicalInterface: br-host", profiles: bridged(""), want: fit},
	{name: "a macvlan network on a NIC in a bond", kind: "macvlan", network: master, profiles: bonded(), want: refused},
	{name: "a macvlan network on a NIC with a macvlan", kind: "macvlan", network: master, profiles: onAnother(), want: fit,
		script: tenant("macvlan mode bridge"), works: tenantAnswers},
	{name: "a macvlan network on a NIC with an ipvlan", kind: "macvlan", network: master, profiles: onAnother(), want: refused,
		script: upon("ipvlan mode l2"), works: hostAnswers},
	{name: "an ipvlan network on a NIC with a macvlan", kind: "ipvlan", network: master, profiles: onAnother(), want: refused,
		script: upon("macvlan mode bridge"), works: hostAnswers},
	{name: "an ipvlan network on a NIC with a pod's macvlan", kind: "ipvlan", network: master, profiles: onAnother(), want: refused, unseen: true,
		script: tenant("macvlan mode bridge"), works: tenantAnswers},
	{name: "a macvlan network on a NIC that does not exist", kind: "macvlan", network: "physicalInterface: ens999", profiles: onAnother(), want: refused},
}

// master is what a network has that asks for the default NIC.
const master = "physicalInterface: ens160"

// upon is a script that makes an interface of a kind on the NIC, which the node itself uses.
func upon(kind string) string {
	return "ip link add mv0 link ens160 type " + kind + "\nip link set mv0 up\nip addr add 192.168.1.7/24 dev mv0\n"
}

const hostAnswers = "ping -I mv0 -c 5 -i 0.3 -W 2 192.168.1.1"

// tenant is a script that makes an interface of a kind on the NIC, which a pod has. NMState does not show what is in a pod.
func tenant(kind string) string {
	return "ip netns add tenant\nip link add mv0 link ens160 type " + kind + "\nip link set mv0 netns tenant\nip -n tenant link set mv0 up\n" +
		"ip -n tenant addr add 192.168.1.7/24 dev mv0\n"
}

const tenantAnswers = "ip netns exec tenant ping -c 5 -i 0.3 -W 2 192.168.1.1"

// inPod is the address of a pod in a network.
const inPod = "192.168.1.201"

// podAnswers plugs a pod into the network of a row, beside the machine, and tells what is wrong with it.
func (l *lab) podAnswers(t *testing.T, r row) []string {
	t.Helper()
	w := l.workers[0]
	ns := newPod(t, l, w)
	var no unplugged
	if err := l.cni(w, "ADD", ns, "pod0", "default/vm-lan-nad"); errors.As(err, &no) {
		return []string{no.Error()}
	} else if err != nil {
		t.Fatal(err)
	}
	_, err := w.Sh(l.ctx, "ip -n "+ns+" link set pod0 up\nip -n "+ns+" addr add "+inPod+"/24 dev pod0")
	must(t, err)
	var harm []string
	if !l.answersSoon(inPod) {
		harm = append(harm, "the network carries nothing: the pod does not answer at "+inPod)
	}
	if pings(l.ctx, l.gate, r.machine()) {
		t.Error("the machine answers, although the status says that KubeVirt carries no traffic over " + r.kind)
	}
	must(t, l.cni(w, "DEL", ns, "pod0", "default/vm-lan-nad"))
	return harm
}
