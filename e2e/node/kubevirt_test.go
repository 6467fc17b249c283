package node

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/e2e/node/uml"
)

// The role of KubeVirt and Multus: a machine of the cluster gets a pod, which is a network namespace on the node. For each network of
// it, the attachment's CNI plugin plugs an interface into the pod, and KubeVirt puts a second bridge between that and the guest's
// (https://kubevirt.io/user-guide/network/interfaces_and_networks/). The pod network is masquerade: its guest is given 10.0.2.2.

// plugins are CNI's plugins on a node.
const plugins = "/run/wukong"

// unplugged is the error that a CNI plugin has not done what an attachment says.
type unplugged struct{ error }

// kubevirt goes one step with every machine, and reports whether there was one.
func (l *lab) kubevirt() (bool, error) {
	moved := false
	for _, vm := range l.all(machineKind) {
		vmi := l.get(instanceKind, key(vm))
		leaving := vm.GetDeletionTimestamp() != nil
		switch {
		case leaving && vmi != nil:
			if err := l.unplug(vmi); err != nil {
				return false, err
			}
			l.drop(instanceKind, key(vm))
		case leaving:
			l.drop(machineKind, key(vm))
		case vmi == nil:
			if err := l.launch(vm); err != nil {
				return false, err
			}
		default:
			continue
		}
		moved = true
	}
	return moved, nil
}

// nic is a NIC of a guest, as the machine has it.
type nic struct {
	network    string
	mac        string
	attachment string // namespace/name; empty for the pod network
	index      int
}

func nicsOf(vm *unstructured.Unstructured) []nic {
	networks, _, _ := unstructured.NestedSlice(vm.Object, "spec", "template", "spec", "networks")
	interfaces, _, _ := unstructured.NestedSlice(vm.Object, "spec", "template", "spec", "domain", "devices", "interfaces")
	macs := map[any]string{}
	for _, i := range interfaces {
		i := i.(map[string]any)
		macs[i["name"]], _ = i["macAddress"].(string)
	}
	var all []nic
	for at, n := range networks {
		n := n.(map[string]any)
		name, _ := n["name"].(string)
		attachment, _, _ := unstructured.NestedString(n, "multus", "networkName")
		all = append(all, nic{name, macs[name], attachment, at})
	}
	return all
}

// pod is the network namespace of a machine.
func pod(vm *unstructured.Unstructured) string { return "pod-" + vm.GetName() }

// launch plugs a machine in on the first node, and reports that it runs. Where the node has wires, a guest is to be started on them; without,
// the pod answers in its place, at the addresses that the guest would have.
func (l *lab) launch(vm *unstructured.Unstructured) error {
	w := l.workers[0]
	ns := pod(vm)
	if _, err := w.Sh(l.ctx, "ip netns add "+ns); err != nil {
		return err
	}
	for _, n := range nicsOf(vm) {
		if err := l.plug(w, ns, vm, n); err != nil {
			return fmt.Errorf("network %s: %w", n.network, err)
		}
	}
	var reported []any
	for _, n := range nicsOf(vm) {
		reported = append(reported, map[string]any{"name": n.network, "mac": n.mac, "infoSource": "domain"})
	}
	networks, _, _ := unstructured.NestedSlice(vm.Object, "spec", "template", "spec", "networks")
	l.create(instanceKind, map[string]any{
		"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
		"metadata": map[string]any{
			"name": vm.GetName(), "namespace": vm.GetNamespace(),
			"ownerReferences": []any{map[string]any{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": vm.GetName(), "uid": string(vm.GetUID()), "controller": true}},
		},
		"spec":   map[string]any{"networks": networks},
		"status": map[string]any{"phase": "Running", "nodeName": w.name, "interfaces": reported},
	})
	vm = vm.DeepCopy()
	vm.Object["status"] = map[string]any{
		"created": true, "ready": true, "printableStatus": "Running",
		"conditions": []any{map[string]any{"type": "Ready", "status": "True"}},
	}
	l.put(machineKind, vm)
	return nil
}

// plug plugs one network of a machine into its pod.
func (l *lab) plug(w *worker, ns string, vm *unstructured.Unstructured, n nic) error {
	wire := ""
	if w.plugged < len(w.wires) {
		wire = fmt.Sprintf("vec%d", len(w.nics)+w.plugged)
		w.plugged++
	}
	bridged := fmt.Sprintf("k6t-net%d", n.index)
	script := fmt.Sprintf("ip -n %[1]s link set lo up\nip -n %[1]s link add %[2]s type bridge\nip -n %[1]s link set %[2]s up\n", ns, bridged)
	if wire != "" {
		script += fmt.Sprintf("ip -n wires link set %[3]s netns %[1]s\nip -n %[1]s link set %[3]s up master %[2]s\n", ns, bridged, wire)
	}
	if n.attachment == "" {
		script += fmt.Sprintf("ip -n %[1]s addr add 10.0.2.1/24 dev %[2]s\nip netns exec %[1]s dnsmasq --conf-file=/dev/null --port=0 --interface=%[2]s "+
			"--dhcp-range=10.0.2.2,10.0.2.2,1h --dhcp-option=option:router,10.0.2.1 --dhcp-authoritative --dhcp-leasefile=/run/%[1]s.leases\n", ns, bridged)
		_, err := w.Sh(l.ctx, script)
		return err
	}
	if _, err := w.Sh(l.ctx, script); err != nil {
		return err
	}
	name := fmt.Sprintf("pod%d", n.index)
	if err := l.cni(w, "ADD", ns, name, n.attachment); err != nil {
		return err
	}
	script = fmt.Sprintf("ip -n %[1]s link set %[2]s up master %[3]s\n", ns, name, bridged)
	if wire == "" {
		script += fmt.Sprintf("ip -n %[1]s link set %[2]s address %[3]s\n", ns, bridged, n.mac)
		if address := staticAddress(l.get(wukongKind, vm.GetName()), n.network); address != "" {
			script += fmt.Sprintf("ip -n %[1]s addr add %[2]s dev %[3]s nodad\n", ns, address, bridged)
		}
	}
	_, err := w.Sh(l.ctx, script)
	return err
}

// staticAddress is the address of a network in the spec of a Wukong; empty where it has none.
func staticAddress(wukong *unstructured.Unstructured, network string) string {
	networks, _, _ := unstructured.NestedSlice(wukong.Object, "spec", "networks")
	for _, n := range networks {
		if n := n.(map[string]any); n["name"] == network {
			address, _, _ := unstructured.NestedString(n, "ipConfig", "address")
			return address
		}
	}
	return ""
}

// cni runs the plugin of an attachment.
func (l *lab) cni(w *worker, command, ns, iface, attachment string) error {
	nad := l.get(attachmentKind, attachment)
	if nad == nil {
		return fmt.Errorf("there is no attachment %s", attachment)
	}
	config, _, _ := unstructured.NestedString(nad.Object, "spec", "config")
	var conf struct{ Type string }
	if err := json.Unmarshal([]byte(config), &conf); err != nil {
		return err
	}
	r, err := w.Run(l.ctx, uml.Command{Input: config, Args: []string{
		"env", "CNI_COMMAND=" + command, "CNI_CONTAINERID=" + ns, "CNI_IFNAME=" + iface, "CNI_NETNS=/run/netns/" + ns, "CNI_PATH=" + plugins,
		plugins + "/" + conf.Type,
	}})
	if err == nil && r.Code != 0 {
		err = unplugged{fmt.Errorf("CNI %s of %s by %s: %s", command, attachment, conf.Type, strings.TrimSpace(r.Output+r.Errors))}
	}
	return err
}

// unplug takes the pod of a machine away.
func (l *lab) unplug(vmi *unstructured.Unstructured) error {
	w, ns := l.workers[0], pod(vmi)
	networks, _, _ := unstructured.NestedSlice(vmi.Object, "spec", "networks")
	for at, n := range networks {
		attachment, _, _ := unstructured.NestedString(n.(map[string]any), "multus", "networkName")
		if attachment == "" {
			continue
		}
		if err := l.cni(w, "DEL", ns, fmt.Sprintf("pod%d", at), attachment); err != nil {
			return err
		}
	}
	// A physical NIC goes back into the first namespace when its own ends, where a node would see it.
	_, err := w.Sh(l.ctx, fmt.Sprintf(`ip netns pids %[1]s | xargs -r kill
for nic in $(ip -n %[1]s -br link | awk '$1 ~ /^vec/ {print $1}'); do ip -n %[1]s link set "$nic" netns wires; done
ip netns del %[1]s`, ns))
	return err
}

// guest starts the guest of a machine on the wires of its node, from the cloud-init data that the hook has answered.
func (l *lab) guest(vm *unstructured.Unstructured) (*uml.Machine, error) {
	w := l.workers[0]
	user, network, err := cloudInit(vm)
	if err != nil {
		return nil, err
	}
	// As KubeVirt makes it: a small disk with the label cidata.
	seed := "/run/wukong/seed-" + w.Name
	script := fmt.Sprintf("mkdir -p /tmp/seed\ncat > /tmp/seed/user-data <<'END-OF-DATA'\n%s\nEND-OF-DATA\ncat > /tmp/seed/network-config <<'END-OF-DATA'\n%s\nEND-OF-DATA\n"+
		`echo '{"instance-id":"%s","local-hostname":"%s"}' > /tmp/seed/meta-data`+"\nxorriso -as mkisofs -quiet -V cidata -J -R -o %s /tmp/seed 2>&1", user, network, vm.GetUID(), vm.GetName(), seed)
	if _, err := l.gate.Sh(l.ctx, script); err != nil {
		return nil, err
	}
	var nics []uml.NIC
	for i, n := range nicsOf(vm) {
		nics = append(nics, uml.NIC{MAC: n.mac, Port: w.wires[i]})
	}
	return l.host.Start(l.ctx, uml.Config{
		Name: w.Name + "-guest", Memory: 384, NICs: nics, Seed: l.host.Shared(strings.TrimPrefix(seed, "/run/wukong/")),
		Kernel: []string{"systemd.mask=NetworkManager.service", "systemd.mask=wukong-wires.service", "systemd.wants=systemd-networkd.service", "net.ifnames=0"},
	})
}

// cloudInit is the data for the guest in a machine.
func cloudInit(vm *unstructured.Unstructured) (user, network string, err error) {
	volumes, _, _ := unstructured.NestedSlice(vm.Object, "spec", "template", "spec", "volumes")
	for _, v := range volumes {
		data, found, _ := unstructured.NestedMap(v.(map[string]any), "cloudInitNoCloud")
		if found {
			user, _ = data["userData"].(string)
			network, _ = data["networkData"].(string)
			return user, network, nil
		}
	}
	return "", "", fmt.Errorf("machine %s has no cloud-init data", vm.GetName())
}
