package sync

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

func TestDevicesAreCalledAsTheirNetworks(t *testing.T) {
	for network, want := range map[string]string{
		"management": "management", "lan2": "lan2", "a": "a", "twelve-bytes-12": "twelve-bytes-12", "engineering": "engineering",
		"vlan": "vlan", "internal": "internal", "bridge1": "bridge1",
		"default": "net_default", "all": "net_all", "lo": "net_lo", "eth0": "net_eth0", "enp1s0": "net_enp1s0", "100": "net_100",
		"1st": "net_1st", "docker0": "net_docker0", "vlan100": "net_vlan100", "bond1": "net_bond1", "br0": "net_br0", "0x10": "net_0x10",
	} {
		if got := deviceName(network); got != want {
			t.Errorf("the device on %s is called %s, and not %s", network, got, want)
		}
	}
	seen := map[string]string{}
	for i := range 1000 {
		for _, network := range []string{fmt.Sprintf("a-long-name-%d", 10_000+i), fmt.Sprintf("eth%d", i), fmt.Sprintf("enx%012x", i), fmt.Sprintf("net-%d", i)} {
			device := deviceName(network)
			if other, found := seen[device]; found || len(device) > kernelNameLimit || systemName(device) {
				t.Errorf("the device on %s is called %s (on %s already: %v)", network, device, other, found)
			}
			seen[device] = network
		}
	}
	deviceName("") // is refused elsewhere
}

// TestMachinesKeepNamesOrNone: what the observed machine tells its guest decides whether its devices have names.
func TestMachinesKeepNamesOrNone(t *testing.T) {
	for data, named := range map[string]bool{
		`{"version":2,"ethernets":{"a":{"match":{"macaddress":"02:00:00:00:00:01"}}}}`:                     false,
		`{"version":2,"ethernets":{"a":{"match":{"macaddress":"02:00:00:00:00:01"},"set-name":"a"}}}`:      true,
		`{"version":2,"ethernets":{"a":{},"b":{"set-name":"b"}}}`:                                          true,
		`{"version":1,"config":[{"type":"physical","name":"a","mac_address":"02:00:00:00:00:01"}]}`:        true,
		`{"version":1,"config":[{"type":"physical","name":"a","mac_address":"02:00:00:00:00:01"}],"x":[]}`: true,
		"": false, "version: 1": false, "[]": false, `{"version":"1"}`: false, `{"version":2,"ethernets":[]}`: false,
	} {
		raw := compact(map[string]any{"kind": "VirtualMachine", "spec": map[string]any{"template": map[string]any{"spec": map[string]any{"volumes": []any{
			map[string]any{"name": "osdisk"}, "nothing",
			map[string]any{"name": "cloudinitdisk", "cloudInitNoCloud": map[string]any{"networkData": data}},
		}}}}})
		m := &facts.Machine{}
		m.Raw = []byte(raw)
		if got := m.NetworkData(); got != data {
			t.Errorf("read %q of %q", got, data)
		}
		if got := namedDevices(m); got != named {
			t.Errorf("%s: named %v", data, got)
		}
	}
	for _, raw := range []string{`{}`, `{"spec":null}`, `{"spec":{"template":{"spec":{"volumes":{"name":"a"}}}}}`,
		`{"spec":{"template":{"spec":{"volumes":[{"cloudInitNoCloud":{"networkData":7}}]}}}}`} {
		m := &facts.Machine{}
		m.Raw = []byte(raw)
		if namedDevices(m) {
			t.Errorf("%s names devices", raw)
		}
	}
}

// TestAddressFaults holds what is refused of the addresses of one network beside others, and what is told.
func TestAddressFaults(t *testing.T) {
	static := func(address string, further ...string) *v1alpha1.IPConfig {
		return &v1alpha1.IPConfig{Mode: v1alpha1.Static, Address: address, Addresses: further}
	}
	lan := func(name string, ip *v1alpha1.IPConfig) v1alpha1.Network {
		return v1alpha1.Network{Name: name, Type: v1alpha1.Bridge, NADName: name, IPConfig: ip}
	}
	pod := v1alpha1.Network{Name: "default"}
	podV6 := v1alpha1.Network{Name: "default", IPConfig: &v1alpha1.IPConfig{IPv6Mode: v1alpha1.IPv6Static}}
	podAt := func(cidr string, ip *v1alpha1.IPConfig) v1alpha1.Network {
		return v1alpha1.Network{Name: "default", VMNetworkCIDR: cidr, IPConfig: ip}
	}
	routed := func(ip *v1alpha1.IPConfig, via string, onLink bool) *v1alpha1.IPConfig {
		ip.Routes, ip.OnLink = []v1alpha1.Route{{To: "10.99.0.0/16", Via: via}}, onLink
		if isIPv6(via) {
			ip.Routes[0].To = "2001:db8:99::/48"
		}
		return ip
	}
	for name, row := range map[string]struct {
		networks []v1alpha1.Network
		refused  string
		told     string
	}{
		"nothing wrong":              {networks: []v1alpha1.Network{pod, lan("a", static("10.1.0.5/24", "10.1.0.6/24")), lan("b", static("10.2.0.5/24"))}},
		"the NAT's subnet":           {networks: []v1alpha1.Network{pod, lan("a", static("10.0.2.200/25"))}, refused: "is in the pod network's 10.0.2.0/24"},
		"the NAT's subnet, later":    {networks: []v1alpha1.Network{lan("a", static("10.0.2.5/24")), pod}, refused: "is in the pod network's 10.0.2.0/24"},
		"a moved NAT":                {networks: []v1alpha1.Network{podAt("10.7.0.0/24", nil), lan("a", static("10.0.2.5/24"))}},
		"a NAT moved into it":        {networks: []v1alpha1.Network{podAt("10.7.0.0/24", nil), lan("a", static("10.7.0.5/16"))}, refused: "set its vmNetworkCIDR"},
		"around the NAT":             {networks: []v1alpha1.Network{pod, lan("a", static("10.0.7.5/8"))}, told: "has the pod network's 10.0.2.0/24 in its subnet"},
		"no NAT":                     {networks: []v1alpha1.Network{lan("a", static("10.0.2.5/24"))}},
		"the NAT's IPv6, not used":   {networks: []v1alpha1.Network{pod, lan("a", static("fd10:0:2::5/64"))}},
		"the NAT's IPv6":             {networks: []v1alpha1.Network{podV6, lan("a", static("fd10:0:2::5/64"))}, refused: "set its vmIPv6NetworkCIDR"},
		"KubeVirt's own":             {networks: []v1alpha1.Network{podAt("", static("10.0.2.2/24"))}},
		"not KubeVirt's":             {networks: []v1alpha1.Network{podAt("", static("10.0.2.3/24"))}, refused: "is not KubeVirt's on a pod network, 10.0.2.2/24"},
		"another length":             {networks: []v1alpha1.Network{podAt("", static("10.0.2.2/16"))}, refused: "is not KubeVirt's on a pod network, 10.0.2.2/24"},
		"twice on one network":       {networks: []v1alpha1.Network{lan("a", static("10.1.0.5/24", "10.1.0.5/32"))}, refused: "is an address on network a already"},
		"twice in other words":       {networks: []v1alpha1.Network{lan("a", static("2001:db8::5/64")), lan("b", static("2001:DB8:0:0::5/128"))}, refused: "network a already"},
		"one subnet":                 {networks: []v1alpha1.Network{lan("a", static("10.1.0.5/24")), lan("b", static("10.1.0.6/24"))}, told: "is in the subnet of network a too"},
		"one IPv6 subnet":            {networks: []v1alpha1.Network{lan("a", static("2001:db8::5/64")), lan("b", static("2001:db8::6/64"))}, told: "is in the subnet of network a too"},
		"single addresses":           {networks: []v1alpha1.Network{lan("a", static("203.0.113.5/32")), lan("b", static("203.0.113.6/32"))}},
		"the broadcast address":      {networks: []v1alpha1.Network{lan("a", static("10.1.0.255/24"))}, refused: "is the broadcast address"},
		"the last of all":            {networks: []v1alpha1.Network{lan("a", static("255.255.255.255/8"))}, refused: "is the broadcast address"},
		"the last of two":            {networks: []v1alpha1.Network{lan("a", static("10.1.0.1/31"))}},
		"the last of IPv6":           {networks: []v1alpha1.Network{lan("a", static("2001:db8::ffff:ffff:ffff:ffff/64"))}},
		"a router outside":           {networks: []v1alpha1.Network{lan("a", routed(static("10.1.0.5/24"), "10.2.0.1", false))}, refused: "is in the subnet of none"},
		"a router of another family": {networks: []v1alpha1.Network{lan("a", routed(static("10.1.0.5/24"), "2001:db8::1", false))}, refused: "is in the subnet of none"},
		"a router on the link":       {networks: []v1alpha1.Network{lan("a", routed(static("10.1.0.5/24"), "10.2.0.1", true))}, told: "onLink is understood by"},
		"a router known to DHCP":     {networks: []v1alpha1.Network{lan("a", routed(&v1alpha1.IPConfig{Mode: v1alpha1.DHCP}, "10.2.0.1", false))}},
		"a link-local router":        {networks: []v1alpha1.Network{lan("a", routed(static("2001:db8::5/64"), "fe80::1", false))}},
		"a router that is announced": {networks: []v1alpha1.Network{lan("a", routed(&v1alpha1.IPConfig{IPv6Mode: v1alpha1.IPv6Auto}, "2001:db8::1", false))}},
		"what cannot be read":        {networks: []v1alpha1.Network{lan("a", static("10.1.0.5", "x/24", "")), lan("b", static(""))}},
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(&Request{Parent: &v1alpha1.Wukong{Spec: v1alpha1.WukongSpec{Networks: row.networks}}}, Settings{}, time.Time{})
			refused := fmt.Sprint(v.validateAddresses())
			if (row.refused == "") != (refused == "[]") || !strings.Contains(refused, row.refused) {
				t.Errorf("refused: %s", refused)
			}
			var told []string
			for _, n := range v.networks {
				if message := v.addressMessage(n, true); message != "" {
					told = append(told, message)
				}
			}
			if want := row.told + row.refused; (want == "") != (len(told) == 0) || !strings.Contains(strings.Join(told, "; "), want) {
				t.Errorf("told: %q", told)
			}
			v.w.Spec.NetworkDataSecret = "elsewhere"
			if faults := v.readAddressFaults(); len(faults) > 0 {
				t.Errorf("faults of addresses that the guest is not told of: %v", faults)
			}
		})
	}
}
