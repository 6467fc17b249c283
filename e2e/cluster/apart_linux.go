package cluster

import "syscall"

// apart puts a child into a process group of its own, so that Ctrl-C reaches only the parent, which then decides the
// order; and has the kernel kill it when the parent is gone.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
