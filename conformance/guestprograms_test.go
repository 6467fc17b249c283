package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheGuestsProgramsTakeTheFiles hands what cloud-init writes to the programs that read it: netplan makes the files of
// systemd-networkd of it, and ifup says what it would do.
func TestTheGuestsProgramsTakeTheFiles(t *testing.T) {
	const release = "bookworm"
	all := namedGuests(t)
	for source, folder := range packages(t) {
		t.Run(source, func(t *testing.T) {
			_, made := renderings(t, folder, all)
			t.Run("netplan", func(t *testing.T) {
				root := programs(t, release, "netplan.io", "libnetplan0")
				for i, g := range all {
					for _, fault := range networkdFaults(t, root, made[i].Files["netplan"], g) {
						t.Errorf("%s: %s\n%s", g.name, fault, g.data)
					}
				}
			})
			t.Run("ifupdown", func(t *testing.T) {
				root := programs(t, release, "ifupdown")
				for i, g := range all {
					for _, fault := range ifupFaults(t, root, made[i].Files["eni"], g) {
						t.Errorf("%s: %s\n%s", g.name, fault, g.data)
					}
				}
			})
		})
	}
}

// programs are the files of packages.
func programs(t *testing.T, release string, names ...string) string {
	t.Helper()
	root, err := unpacked(release, names...)
	if err != nil {
		t.Skipf("%s is not asked: %v", names[0], err)
	}
	return root
}

// output is what a program prints, with libraries of its own.
func output(t *testing.T, root, program string, args ...string) (string, error) {
	t.Helper()
	run := exec.Command(filepath.Join(root, program), args...)
	run.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(root, "usr/lib/x86_64-linux-gnu")+":"+filepath.Join(root, "usr/lib/aarch64-linux-gnu"))
	out, err := run.CombinedOutput()
	if strings.Contains(string(out), "error while loading shared libraries") {
		t.Skipf("%s does not run on this machine: %s", program, out)
	}
	return string(out), err
}

// networkdFaults are what is missing in the files that netplan makes.
func networkdFaults(t *testing.T, root string, files map[string]string, g guest) []string {
	t.Helper()
	target := t.TempDir()
	for path, content := range files {
		path = filepath.Join(target, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := output(t, root, "usr/libexec/netplan/generate", "--root-dir", target)
	if err != nil {
		return []string{"netplan refuses it: " + out}
	}
	var all []string
	for _, n := range g.nics {
		unit := filepath.Join(target, "run/systemd/network/10-netplan-"+n.device)
		network, err := os.ReadFile(unit + ".network")
		if err != nil {
			all = append(all, "netplan makes nothing for "+n.device+": "+out)
			continue
		}
		link, err := os.ReadFile(unit + ".link")
		if err != nil || !strings.Contains(string(link), "Name="+n.device+"\n") || !strings.Contains(string(link), n.mac) {
			all = append(all, n.device+" is not named: "+string(link))
		}
		wants := []string{n.mac}
		for _, address := range n.addresses {
			wants = append(wants, "Address="+address+"\n")
		}
		for _, gateway := range n.gateways {
			wants = append(wants, "Gateway="+gateway+"\n")
		}
		for _, want := range wants {
			if !strings.Contains(string(network), want) {
				all = append(all, n.device+" lacks "+want+string(network))
			}
		}
	}
	return all
}

// ifupFaults are what ifup would not do.
func ifupFaults(t *testing.T, root string, files map[string]string, g guest) []string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "interfaces")
	if err := os.WriteFile(file, []byte(files["etc/network/interfaces"]), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := output(t, root, "sbin/ifup", "--no-act", "--no-scripts", "--all", "--interfaces="+file, "--state-dir="+dir)
	if err != nil {
		return []string{"ifup refuses it: " + out + files["etc/network/interfaces"]}
	}
	var all []string
	for _, n := range g.nics {
		var own strings.Builder
		for line := range strings.Lines(out) {
			if strings.Contains(line, " "+n.device+" ") || strings.Contains(line, "route") {
				own.WriteString(line)
			}
		}
		var wants []string
		for _, address := range n.addresses {
			address, _, _ = strings.Cut(address, "/")
			wants = append(wants, " "+address+"/")
		}
		for _, gateway := range n.gateways {
			wants = append(wants, " "+gateway+" ")
		}
		if n.dhcp {
			wants = append(wants, "dhclient")
		}
		for _, want := range wants {
			if !strings.Contains(own.String(), want) {
				all = append(all, n.device+" lacks "+want+": "+own.String())
			}
		}
	}
	return all
}
