package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The releases of Debian whose cloud-init is asked. 20.4.1 takes the names of devices as 19.4 and 21.4 do, which no
// package of today has; they are asked where CLOUD_INIT names folders that have their package cloudinit, with ':' between.
var releases = []string{"bullseye", "bookworm", "trixie", "sid"}

// packages are the folders with a package cloudinit, by the name of where they come from.
func packages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, folder := range filepath.SplitList(os.Getenv("CLOUD_INIT")) {
		all[filepath.Base(folder)] = folder
	}
	for _, release := range releases {
		root, err := unpacked(release, "cloud-init")
		if err != nil {
			t.Run(release, func(t *testing.T) { t.Skipf("its cloud-init is not asked: %v", err) })
			continue
		}
		all[release] = filepath.Join(root, "usr/lib/python3/dist-packages")
	}
	return all
}

// guest is what a golden machine tells its guest of the network, and what its NICs have to get.
type guest struct {
	name string
	data string
	nics []nic
}

// nic is what is expected of one NIC.
type nic struct {
	device, mac string
	dhcp        bool
	addresses   []string // with prefix length
	gateways    []string
	onLink      bool
}

// rendering is what cloud-init made for one guest.
type rendering struct {
	Names  map[string]string
	Files  map[string]map[string]string
	Errors map[string]string

	// Invalid is what its schema finds wrong; empty for versions without one for network data.
	Invalid string
}

// TestEveryCloudInitBringsTheAddressesUp renders the network data of every machine that is created, with the code of
// several versions of cloud-init and all of its renderers. Each device has to have its name before anything is written
// for it, and its addresses and gateways under that name.
func TestEveryCloudInitBringsTheAddressesUp(t *testing.T) {
	all := namedGuests(t)
	if len(all) < 10 {
		t.Fatalf("only %d golden machines name the devices of their guests", len(all))
	}
	for source, folder := range packages(t) {
		t.Run(source, func(t *testing.T) {
			version, made := renderings(t, folder, all)
			t.Logf("cloud-init %s", version)
			for i, g := range all {
				for _, n := range g.nics {
					if got := made[i].Names[n.mac]; got != n.device {
						t.Errorf("%s: %s is called %q, and not %q", g.name, n.mac, got, n.device)
					}
				}
				if message := made[i].Invalid; message != "" && limit(g, version, "schema") == "" {
					t.Errorf("%s: its schema refuses it: %s\n%s", g.name, message, g.data)
				}
				for kind, message := range made[i].Errors {
					if limit(g, version, kind) == "" {
						t.Errorf("%s: %s fails: %s\n%s", g.name, kind, message, g.data)
					}
				}
				for kind, files := range made[i].Files {
					for _, fault := range faults(kind, files, g) {
						if limit(g, version, kind) == "" {
							t.Errorf("%s: %s: %s\n%s", g.name, kind, fault, g.data)
						}
					}
				}
			}
		})
	}
}

// limit is what a version of cloud-init is known not to do for some guest; empty where it has to do everything. Each
// stands in docs/cloud-init.md.
func limit(g guest, version, kind string) string {
	before := func(year, month int) bool {
		var y, m int
		_, err := fmt.Sscanf(version, "%d.%d", &y, &m)
		return err == nil && (y < year || y == year && m < month)
	}
	ipv6Route := strings.Contains(g.data, `"destination":"2001:`)
	switch {
	case kind == "schema" && slices.ContainsFunc(g.nics, func(n nic) bool { return n.onLink }):
		return "it does not know on-link, which netplan knows"
	case kind == "sysconfig" && ipv6Route && before(22, 2):
		return "a further route of IPv6 makes it fail"
	case kind == "networkd" && before(23, 1):
		for _, n := range g.nics {
			if len(n.gateways) > 1 {
				return "it writes several routes into one section"
			}
		}
	}
	return ""
}

// namedGuests are the guests of the golden machines whose network data names the devices. Data without names is only
// what earlier versions of the hook gave to machines that exist.
func namedGuests(t *testing.T) []guest {
	t.Helper()
	var all []guest
	seen := map[string]bool{}
	guests(t, func(t *testing.T, n noCloud) {
		if n.NetworkData == "" || seen[n.NetworkData] {
			return
		}
		seen[n.NetworkData] = true
		if nics := expected(t, n.NetworkData); len(nics) > 0 {
			_, name, _ := strings.Cut(t.Name(), "/")
			all = append(all, guest{name: name, data: n.NetworkData, nics: nics})
		}
	})
	return all
}

// expected is what the NICs have to get, by network data of either version; nil where it does not name the devices.
func expected(t *testing.T, data string) []nic {
	t.Helper()
	var config struct {
		Version   int
		Ethernets map[string]struct {
			Match     struct{ MACAddress string }
			SetName   string `json:"set-name"`
			DHCP4     bool
			Addresses []string
			Routes    []struct {
				To, Via string
				OnLink  bool `json:"on-link"`
			}
		}
		Config []struct {
			Name       string
			MACAddress string `json:"mac_address"`
			Subnets    []struct {
				Type, Address, Gateway string
				Routes                 []struct{ Destination, Gateway string }
			}
		}
	}
	if err := json.Unmarshal([]byte(data), &config); err != nil {
		t.Fatal(err)
	}
	var all []nic
	for _, e := range config.Ethernets {
		if e.SetName == "" {
			return nil
		}
		n := nic{device: e.SetName, mac: e.Match.MACAddress, dhcp: e.DHCP4, addresses: e.Addresses}
		for _, r := range e.Routes {
			n.gateways, n.onLink = append(n.gateways, r.Via), n.onLink || r.OnLink
		}
		all = append(all, n)
	}
	for _, p := range config.Config {
		n := nic{device: p.Name, mac: p.MACAddress}
		for _, s := range p.Subnets {
			n.dhcp = n.dhcp || s.Type == "dhcp4"
			if s.Address != "" {
				n.addresses = append(n.addresses, s.Address)
			}
			if s.Gateway != "" {
				n.gateways = append(n.gateways, s.Gateway)
			}
			for _, r := range s.Routes {
				n.gateways = append(n.gateways, r.Gateway)
			}
		}
		all = append(all, n)
	}
	return all
}

// renderings are what one cloud-init makes for the guests.
func renderings(t *testing.T, folder string, all []guest) (version string, made []rendering) {
	t.Helper()
	type asked struct {
		NetworkData string            `json:"networkData"`
		NICs        map[string]string `json:"nics"`
	}
	var question []asked
	for _, g := range all {
		nics := map[string]string{}
		for i, n := range g.nics {
			nics[fmt.Sprintf("enp%ds0", i+1)] = n.mac
		}
		question = append(question, asked{NetworkData: g.data, NICs: nics})
	}
	stdin, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(python(t), "cloudinit/render.py", folder)
	var stderr strings.Builder
	run.Stdin, run.Stderr = bytes.NewReader(stdin), &stderr
	out, err := run.Output()
	if strings.Contains(stderr.String(), "ModuleNotFoundError") {
		t.Skipf("its cloud-init is not asked: it lacks what it imports (Debian's package cloud-init brings that): %s", stderr.String())
	}
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var answer struct {
		Version string
		Guests  []rendering
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Version, answer.Guests
}

// faults are what is missing in the files that a renderer wrote.
func faults(kind string, files map[string]string, g guest) []string {
	var all []string
	for _, n := range g.nics {
		text := configurationOf(kind, files, n)
		if text == "" {
			all = append(all, fmt.Sprintf("nothing is written for %s: %v", n.device, files))
			continue
		}
		wants := []string{}
		for _, address := range n.addresses {
			if kind == "sysconfig" && !strings.Contains(address, ":") {
				address, _, _ = strings.Cut(address, "/")
			}
			wants = append(wants, address)
		}
		wants = append(wants, n.gateways...)
		if n.dhcp {
			wants = append(wants, map[string]string{
				"netplan": "dhcp4: true", "networkd": "DHCP=ipv4", "sysconfig": "BOOTPROTO=dhcp",
				"eni": "iface " + n.device + " inet dhcp", "network-manager": "[ipv4]\nmethod=auto",
			}[kind])
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				all = append(all, fmt.Sprintf("%s lacks %q:\n%s", n.device, want, text))
			}
		}
		if strings.Contains(text, "::/64 ") || strings.Contains(text, "::/64,") {
			all = append(all, fmt.Sprintf("%s has a route to ::/64:\n%s", n.device, text))
		}
	}
	return all
}

// configurationOf is what a renderer wrote for one device under its name; empty where there is nothing.
func configurationOf(kind string, files map[string]string, n nic) string {
	var text strings.Builder
	for _, path := range slices.Sorted(maps.Keys(files)) {
		content, name := files[path], filepath.Base(path)
		switch kind {
		case "sysconfig":
			if name == "ifcfg-"+n.device && strings.Contains(content, "\nDEVICE="+n.device+"\n") && strings.Contains(strings.ToLower(content), "hwaddr="+n.mac) ||
				name == "route-"+n.device || name == "route6-"+n.device {
				text.WriteString(content)
			}
		case "networkd":
			if strings.Contains(content, "MACAddress="+n.mac) && strings.Contains(content, "Name="+n.device+"\n") {
				text.WriteString(content)
			}
		case "network-manager":
			if strings.Contains(strings.ToLower(content), "mac-address="+n.mac) {
				text.WriteString(content)
			}
		case "eni":
			text.WriteString(stanzas(content, n.device))
		case "netplan":
			text.WriteString(section(content, n))
		}
	}
	return text.String()
}

// stanzas are the parts of /etc/network/interfaces for one device.
func stanzas(content, device string) string {
	var text strings.Builder
	own := false
	for line := range strings.Lines(content) {
		if !strings.HasPrefix(line, " ") {
			own = strings.HasPrefix(line, "iface "+device+" ")
		}
		if own {
			text.WriteString(line)
		}
	}
	return text.String()
}

// section is the part of a netplan file for one device, which has to be told its name.
func section(content string, n nic) string {
	var text strings.Builder
	own := false
	for line := range strings.Lines(content) {
		key, deeper := strings.CutPrefix(line, "        ")
		if deeper && !strings.HasPrefix(key, " ") {
			own = strings.TrimSpace(key) == n.device+":" || strings.TrimSpace(key) == "'"+n.device+"':"
		}
		if own {
			text.WriteString(line)
		}
	}
	for _, want := range []string{"set-name: " + n.device, "macaddress: "} {
		if !strings.Contains(text.String(), want) {
			return ""
		}
	}
	return text.String()
}
