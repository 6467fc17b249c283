// Package uml runs machines on this computer that are no simulation: a Linux kernel as an ordinary process (user-mode Linux), with Debian in
// it, and NICs that are wired to each other by sockets. It takes neither a hypervisor nor rights, and nothing of it can be seen from outside.
//
// It knows nothing of Wukong. What is on a machine is told by the test, by way of an agent that runs there.
package uml

import (
	"fmt"
	"os"
	"path/filepath"
)

// Host is what all machines of this computer share.
type Host struct {
	kernel   string // the program
	image    string // the disk that machines begin with
	programs string // the directory with the agent, and with what is to be run on nodes
	scratch  string // the directory for what is no longer needed after the test
}

// NewHost brings everything that machines need, which takes some minutes where the cache is empty. What cannot be had is named by an error
// of type Missing.
func NewHost() (*Host, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	packed, err := kernel(cache)
	if err != nil {
		return nil, err
	}
	disk, err := image(cache, packed)
	if err != nil {
		return nil, err
	}
	nmstate, err := nmstatectl(cache)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "wukong-node-")
	if err != nil {
		return nil, err
	}
	h := &Host{filepath.Join(packed, "usr", "bin", "linux.uml"), disk, filepath.Join(scratch, "programs"), scratch}
	if err := os.Mkdir(h.programs, 0o755); err != nil {
		return nil, err
	}
	if err := programs(h.programs, nmstate); err != nil {
		h.Close()
		return nil, fmt.Errorf("what machines run: %w", err)
	}
	return h, nil
}

// Close removes what the machines have left. They must be off.
func (h *Host) Close() { _ = os.RemoveAll(h.scratch) }

// Shared is where a file is on this computer that a machine has as /run/wukong/name.
func (h *Host) Shared(name string) string { return filepath.Join(h.programs, name) }
