package uml

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The recipe of the root file system, which nodes, gateways and guests share. What is in these constants and in the directory files is
// hashed: a change of any makes a new one.
const (
	suite    = "trixie"
	mirror   = "http://deb.debian.org/debian"
	packages = "systemd,systemd-sysv,dbus,udev,network-manager,iproute2,iputils-ping,iputils-arping,tcpdump,dnsmasq-base,jq,cloud-init,kmod," +
		"ethtool,nftables,procps,xorriso,openvswitch-switch"
	diskSize = "1400M"
)

// left are files that nobody reads in a machine.
var left = []string{"/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*"}

// masked are units that cost a machine time and do nothing for it. cloud-init is left to the guest, which asks for it, and Open vSwitch to the
// test that starts it.
var masked = []string{
	"apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
	"systemd-tmpfiles-clean.timer", "getty.target", "getty@.service", "serial-getty@.service", "console-getty.service",
	"systemd-hwdb-update.service", "systemd-journal-catalog-update.service", "systemd-update-done.service", "systemd-firstboot.service",
	"ldconfig.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount", "systemd-pstore.service", "systemd-random-seed.service",
	"NetworkManager-wait-online.service", "systemd-networkd-wait-online.service", "systemd-logind.service", "dev-hugepages.mount",
	"dev-mqueue.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-fs-fuse-connections.mount", "modprobe@.service",
	"systemd-networkd.socket", "systemd-modules-load.service", "kmod-static-nodes.service", "systemd-udev-load-credentials.service",
	"systemd-sysusers.service", "systemd-user-sessions.service", "systemd-journal-flush.service", "systemd-machine-id-commit.service",
	"run-lock.mount", "tmp.mount",
	"openvswitch-switch.service", "ovsdb-server.service", "ovs-vswitchd.service", "ovs-record-hostname.service",
}

//go:embed all:files
var files embed.FS

// image is the disk with the root file system. Machines write into a copy of their own.
func image(cache, kernel string) (string, error) {
	base := sha256.New()
	_, _ = fmt.Fprintln(base, suite, packages, left)
	whole := sha256.New()
	_, _ = fmt.Fprintln(whole, hex.EncodeToString(base.Sum(nil)), diskSize, masked)
	err := eachFile(func(name string, content []byte) error {
		_, err := fmt.Fprintf(whole, "%s %d %s", name, len(content), content)
		return err
	})
	if err != nil {
		return "", err
	}
	return once(filepath.Join(cache, fmt.Sprintf("root-%x.img", whole.Sum(nil)[:8])), func(at string) error {
		// What takes minutes is kept for itself: the packages change less often than the rest.
		packed, err := once(filepath.Join(cache, fmt.Sprintf("packages-%x.tar", base.Sum(nil)[:8])), bootstrap)
		if err != nil {
			return err
		}
		if err := buildImage(at, packed, kernel); err != nil {
			return err
		}
		for _, pattern := range []string{"root-*.img", "packages-*.tar", "building-*"} {
			if err := prune(cache, pattern); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachFile calls f with every file of the recipe, by its place in the root file system.
func eachFile(f func(name string, content []byte) error) error {
	return fs.WalkDir(files, "files", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		return f(strings.TrimPrefix(path, "files"), content)
	})
}

func buildImage(at, packed, kernel string) error {
	if err := allowed(); err != nil {
		return err
	}
	if err := need("makes the root file system", "mke2fs", "chroot", "tar"); err != nil {
		return err
	}
	root := at + ".d"
	defer func() { _ = os.RemoveAll(root) }()
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	if err := run("", "tar", "-C", root, "--xattrs", "--numeric-owner", "-xpf", packed); err != nil {
		return err
	}
	if err := furnish(root, kernel); err != nil {
		return fmt.Errorf("the root file system: %w", err)
	}
	return run("", "mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=0", "-d", root, at, diskSize)
}

// allowed is the error that this user cannot build a root file system.
func allowed() error {
	if os.Geteuid() != 0 {
		return Missing{"the root file system is not in the cache yet, and building it takes root"}
	}
	return nil
}

// bootstrap packs a root file system of Debian's packages.
func bootstrap(at string) error {
	if err := allowed(); err != nil {
		return err
	}
	program, err := exec.LookPath("mmdebstrap")
	if err != nil {
		// It is a script, which needs no installing where perl and apt are.
		unpacked := at + ".mmdebstrap"
		defer func() { _ = os.RemoveAll(unpacked) }()
		if err := unpack(unpacked, "mmdebstrap"); err != nil {
			return err
		}
		program = filepath.Join(unpacked, "usr", "bin", "mmdebstrap")
	}
	args := []string{"--quiet", "--mode=root", "--variant=minbase", "--format=tar", "--include=" + packages, `--aptopt=Acquire::Languages "none"`}
	for _, path := range left {
		args = append(args, "--dpkgopt=path-exclude="+path)
	}
	if err := run("", program, append(args, suite, at, mirror)...); err != nil {
		return Missing{fmt.Sprintf("the packages of Debian %s cannot be had: %v", suite, err)}
	}
	return nil
}

// furnish adds to a root file system what makes it a machine's.
func furnish(root, kernel string) error {
	if err := run("", "cp", "-a", filepath.Join(kernel, "usr", "lib", "uml", "modules"), filepath.Join(root, "usr", "lib")); err != nil {
		return err
	}
	if err := eachFile(func(name string, content []byte) error {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "/usr/local/") {
			mode = 0o755
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, content, mode)
	}); err != nil {
		return err
	}
	if err := run("", "chroot", append([]string{root, "/usr/bin/systemctl", "-q", "mask"}, masked...)...); err != nil {
		return err
	}
	return run("", "chroot", root, "/usr/bin/systemctl", "-q", "enable", "wukong-agent.service", "wukong-wires.service", "NetworkManager.service")
}
