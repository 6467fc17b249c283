package conformance

import (
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

// noCloud is what a machine tells its guest.
type noCloud struct{ UserData, NetworkData string }

// told calls f with what every answered machine tells its guest, where cloud-init is installed.
func told(t *testing.T, f func(t *testing.T, n noCloud)) {
	t.Helper()
	if _, err := exec.LookPath("cloud-init"); err != nil {
		t.Skip("what the guest is told is not checked: cloud-init is not installed (Debian's package cloud-init)")
	}
	guests(t, f)
}

// guests calls f with what every answered machine tells its guest.
func guests(t *testing.T, f func(t *testing.T, n noCloud)) {
	t.Helper()
	answered(t, "VirtualMachine", func(t *testing.T, raw []byte) {
		var vm struct {
			Spec struct {
				Template struct {
					Spec struct {
						Volumes []struct{ CloudInitNoCloud *noCloud }
					}
				}
			}
		}
		if err := json.Unmarshal(raw, &vm); err != nil {
			t.Fatal(err)
		}
		for _, v := range vm.Spec.Template.Spec.Volumes {
			if v.CloudInitNoCloud != nil {
				f(t, *v.CloudInitNoCloud)
			}
		}
	})
}

// TestCloudInitTakesEveryUserData validates user data with cloud-init's own schema.
func TestCloudInitTakesEveryUserData(t *testing.T) {
	told(t, func(t *testing.T, n noCloud) {
		if !strings.HasPrefix(n.UserData, "#cloud-config\n") {
			return // in a Secret, or a script
		}
		file := write(t, n.UserData)
		out, err := exec.Command("cloud-init", "schema", "--config-file", file).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Valid") {
			t.Errorf("cloud-init refuses it: %v: %s\n%s", err, out, n.UserData)
		}
	})
}

// TestCloudInitRendersEveryAddress renders network data as cloud-init does for systemd-networkd, and looks for every
// address, gateway and name server on the interface with the right hardware address; and for netplan, for the metrics,
// which the other renderer knows only in later versions.
func TestCloudInitRendersEveryAddress(t *testing.T) {
	told(t, func(t *testing.T, n noCloud) {
		if n.NetworkData == "" {
			return
		}
		var config struct {
			Version   int
			Ethernets map[string]struct {
				Match     struct{ MACAddress string }
				DHCP4     bool
				Addresses []string
				Routes    []struct {
					To, Via string
					Metric  int
				}
				Nameservers struct{ Addresses []string }
			}
		}
		if err := json.Unmarshal([]byte(n.NetworkData), &config); err != nil {
			t.Fatal(err)
		}
		if config.Version == 1 {
			return // TestEveryCloudInitBringsTheAddressesUp has it
		}
		names := slices.Sorted(maps.Keys(config.Ethernets))
		render := func(kind string) string {
			dir := filepath.Join(t.TempDir(), kind)
			args := []string{"devel", "net-convert", "--network-data", write(t, n.NetworkData), "--kind", "yaml",
				"--directory", dir, "--distro", "ubuntu", "--output-kind", kind}
			for i, name := range names {
				args = append(args, "--mac", fmt.Sprintf("enp%ds0,%s", i+1, config.Ethernets[name].Match.MACAddress))
			}
			if out, err := exec.Command("cloud-init", args...).CombinedOutput(); err != nil {
				t.Fatalf("rendering: %v: %s", err, out)
			}
			return dir
		}
		netplan, err := os.ReadFile(filepath.Join(render("netplan"), "etc/netplan/50-cloud-init.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(render("networkd"), "etc/systemd/network/*.network"))
		if err != nil || len(files) != len(names) {
			t.Fatalf("%d interfaces became %d files (%v)", len(names), len(files), err)
		}
		for _, name := range names {
			e := config.Ethernets[name]
			unit := unitOf(t, files, e.Match.MACAddress)
			wants := e.Addresses
			if e.DHCP4 {
				wants = append(wants, "DHCP=ipv4")
			}
			for _, r := range e.Routes {
				wants = append(wants, "Gateway="+r.Via)
				if want := fmt.Sprintf("metric: %d", r.Metric); r.Metric != 0 && !strings.Contains(string(netplan), want) {
					t.Errorf("%s lacks %s:\n%s", name, want, netplan)
				}
			}
			for _, want := range append(wants, e.Nameservers.Addresses...) {
				if !strings.Contains(unit, want) {
					t.Errorf("%s lacks %s:\n%s", name, want, unit)
				}
			}
		}
	})
}

// unitOf is the rendered file of the interface with a hardware address.
func unitOf(t *testing.T, files []string, mac string) string {
	t.Helper()
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), "MACAddress="+mac) {
			return string(raw)
		}
	}
	t.Fatalf("no interface with the address %s is rendered", mac)
	return ""
}

func write(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
