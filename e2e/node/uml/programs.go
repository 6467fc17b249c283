package uml

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// nmstateVersion is that of NMState's library, which nmstatectl is built from, and of package conformance.
const nmstateVersion = "2.2.62"

// nmstatectl is NMState's own program, which NMState's handler runs on every node for everything that it does.
func nmstatectl(cache string) (string, error) {
	return once(filepath.Join(cache, "nmstatectl-"+nmstateVersion), func(at string) error {
		if err := need("builds NMState's library", "cargo", "cc"); err != nil {
			return err
		}
		// Linked statically: the machines have other libraries than this computer.
		c := exec.Command("cargo", "install", "--quiet", "--locked", "--root", at+".d", "--target-dir", filepath.Join(cache, "nmstate-target"),
			"--target", "x86_64-unknown-linux-gnu", "nmstatectl@"+nmstateVersion)
		c.Env = append(os.Environ(), "RUSTFLAGS=-C target-feature=+crt-static")
		if out, err := c.CombinedOutput(); err != nil {
			return Missing{fmt.Sprintf("nmstatectl %s cannot be built: %v: %s", nmstateVersion, err, out)}
		}
		return os.Rename(filepath.Join(at+".d", "bin", "nmstatectl"), at)
	})
}

// programs fills a directory with what machines run of this computer's.
func programs(dir, nmstatectl string) error {
	if err := run("", "cp", nmstatectl, filepath.Join(dir, "nmstatectl")); err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	for _, p := range []struct{ module, name, path string }{
		{"e2e", "agent", "./node/agent"},
		{"conformance", "bridge", "github.com/containernetworking/plugins/plugins/main/bridge"},
		{"conformance", "macvlan", "github.com/containernetworking/plugins/plugins/main/macvlan"},
		{"conformance", "ipvlan", "github.com/containernetworking/plugins/plugins/main/ipvlan"},
	} {
		c := exec.Command("go", "build", "-o", filepath.Join(dir, p.name), p.path)
		c.Dir = filepath.Join(root, p.module)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w: %s", p.name, err, out)
		}
	}
	return nil
}

// moduleRoot is the directory of the repository: the one with the module that runs the tests in it.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "conformance", "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("there is no repository around the working directory (%w)", err)
}
