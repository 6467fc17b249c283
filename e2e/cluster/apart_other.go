//go:build !linux

package cluster

import "syscall"

// apart puts a child into a process group of its own, so that Ctrl-C reaches only the parent, which then decides the
// order. Nothing but linux also kills it when the parent is gone.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
