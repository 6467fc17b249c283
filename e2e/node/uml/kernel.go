package uml

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// kernelPackage is Debian's package of the kernel that runs as a process. Its release has everything that nodes have: VLANs, bonds,
// bridges that filter, VXLAN, macvlan, policy routing.
const kernelPackage = "user-mode-linux"

// kernel is the directory with the kernel and its modules, as Debian packs them. It is unpacked and not installed, which takes no rights.
func kernel(cache string) (string, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", Missing{kernelPackage + " is for Linux on amd64 only"}
	}
	return once(filepath.Join(cache, "kernel"), func(at string) error { return unpack(at, kernelPackage) })
}

// unpack brings a package of Debian into a directory.
func unpack(at, name string) error {
	if err := need("brings the package "+name, "apt-get", "dpkg-deb"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "wukong-node-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	download := func() error { return run(dir, "apt-get", "-q", "download", name) }
	if err := download(); err != nil {
		// A new machine has no lists of packages yet.
		if os.Geteuid() == 0 {
			_ = run(dir, "apt-get", "-q", "update")
			err = download()
		}
		if err != nil {
			return Missing{fmt.Sprintf("the package %s cannot be had: %v", name, err)}
		}
	}
	packed, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		return err
	}
	if len(packed) != 1 {
		return fmt.Errorf("apt-get download %s left %v", name, packed)
	}
	return run(dir, "dpkg-deb", "-x", packed[0], at)
}
