package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

// config is the CNI configuration in an attachment.
func config(t *testing.T, raw []byte) []byte {
	t.Helper()
	var nad struct{ Spec struct{ Config string } }
	if err := json.Unmarshal(raw, &nad); err != nil {
		t.Fatal(err)
	}
	return []byte(nad.Spec.Config)
}

// TestCNITakesEveryAttachment reads every attachment's configuration with the library that Multus reads it with.
func TestCNITakesEveryAttachment(t *testing.T) {
	answered(t, "NetworkAttachmentDefinition", func(t *testing.T, raw []byte) {
		conf, err := libcni.NetworkPluginConfFromBytes(config(t, raw))
		if err != nil {
			t.Fatal(err)
		}
		if conf.Network.Name == "" || conf.Network.CNIVersion != "0.3.1" {
			t.Errorf("name %q, version %q", conf.Network.Name, conf.Network.CNIVersion)
		}
		if conf.Network.IPAM != (types.IPAM{}) {
			t.Errorf("ipam is %+v: the address is the guest's affair", conf.Network.IPAM)
		}
		// Multus hands it on as a list of one plugin.
		list := fmt.Sprintf(`{"cniVersion":"0.3.1","name":%q,"plugins":[%s]}`, conf.Network.Name, conf.Bytes)
		if _, err := libcni.NetworkConfFromBytes([]byte(list)); err != nil {
			t.Error(err)
		}
	})
}

// TestTheBridgePluginPlugsIn runs the real bridge plugin with every answered configuration of type bridge: in network
// namespaces of its own, one that plays the node and has the bridge, and one that plays the machine's pod.
func TestTheBridgePluginPlugsIn(t *testing.T) {
	plugin, node, pod := pluginOn(t, "bridge")
	if out, err := exec.Command("ip", "-n", node, "link", "add", "br-probe", "type", "bridge").CombinedOutput(); err != nil {
		t.Skipf("the bridge plugin is not run: this machine's kernel has no bridges: %s", strings.TrimSpace(string(out)))
	}

	answered(t, "NetworkAttachmentDefinition", func(t *testing.T, raw []byte) {
		conf, err := libcni.NetworkPluginConfFromBytes(config(t, raw))
		if err != nil {
			t.Fatal(err)
		}
		if conf.Network.Type != "bridge" {
			return
		}
		var bridge struct{ Bridge string }
		if err := json.Unmarshal(conf.Bytes, &bridge); err != nil {
			t.Fatal(err)
		}
		// As NMState builds it; the plugin must find it and leave it as it is.
		ip(t, node, "link", "add", bridge.Bridge, "type", "bridge")
		ip(t, node, "link", "set", bridge.Bridge, "up")
		defer ip(t, node, "link", "del", bridge.Bridge)

		run := func(command string) {
			t.Helper()
			if out, err := cni(plugin, node, pod, command, string(conf.Bytes)); err != nil {
				t.Fatalf("%s: %v: %s", command, err, out)
			}
		}
		run("ADD")
		if ports := ip(t, node, "-o", "link", "show", "master", bridge.Bridge); strings.Count(ports, "veth") != 1 {
			t.Errorf("bridge %s has not one port of the machine's:\n%s", bridge.Bridge, ports)
		}
		if address := ip(t, pod, "-o", "-4", "addr", "show", "dev", "pod37a8eec1ce1"); address != "" {
			t.Errorf("the pod has an address of its own: %s", address)
		}
		run("DEL")
	})
}

// pluginOn is a CNI plugin that was built, and network namespaces of its own: one plays the node, the other the machine's pod.
func pluginOn(t *testing.T, name string) (plugin, node, pod string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("the %s plugin is not run: that takes root, for network namespaces", name)
	}
	for _, program := range []string{"ip", "go"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the %s plugin is not run: %s is not installed", name, program)
		}
	}
	plugin = filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", plugin, "github.com/containernetworking/plugins/plugins/main/"+name).CombinedOutput(); err != nil {
		t.Fatalf("building the plugin: %v: %s", err, out)
	}
	node, pod = fmt.Sprintf("wukong-node-%d", os.Getpid()), fmt.Sprintf("wukong-pod-%d", os.Getpid())
	for _, ns := range []string{node, pod} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("the %s plugin is not run: this machine allows no network namespaces: %s", name, strings.TrimSpace(string(out)))
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	}
	return plugin, node, pod
}

// cni runs a plugin on the node, for an interface of the pod.
func cni(plugin, node, pod, command, conf string) (string, error) {
	c := exec.Command("ip", "netns", "exec", node, plugin)
	c.Stdin = strings.NewReader(conf)
	c.Env = append(os.Environ(), "CNI_COMMAND="+command, "CNI_CONTAINERID=wukong", "CNI_IFNAME=pod37a8eec1ce1",
		"CNI_NETNS=/var/run/netns/"+pod, "CNI_PATH="+filepath.Dir(plugin))
	out, err := c.CombinedOutput()
	return string(out), err
}

// ip runs iproute2 in a network namespace.
func ip(t *testing.T, ns string, args ...string) string {
	t.Helper()
	out, err := runIP(ns, args...)
	if err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

func runIP(ns string, args ...string) (string, error) {
	out, err := exec.Command("ip", append([]string{"-n", ns}, args...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
