package cluster

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has taken of the machine since it started.
type Usage struct {
	CPU  time.Duration
	Peak int64 // the most memory that was resident, in bytes
}

// ticks are the units of /proc/PID/stat in a second: what linux shows to programs on every architecture that Go knows.
const ticks = 100

// Usage is what the process has taken so far. Only linux tells it, and only while the process runs.
func (p *Process) Usage() (Usage, error) {
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return Usage{}, fmt.Errorf("asking what %s uses: %w", p.name, err)
	}
	// The second field is the name in parentheses, which may have spaces. Fields 14 and 15 are the time in user and kernel mode.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var u Usage
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("asking what %s uses: %w", p.name, err)
		}
		u.CPU += time.Duration(n) * time.Second / ticks
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return Usage{}, fmt.Errorf("asking what %s uses: %w", p.name, err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	var kB int64
	if _, err := fmt.Sscan(peak, &kB); err != nil {
		return Usage{}, fmt.Errorf("asking what %s uses: %w", p.name, err)
	}
	u.Peak = kB << 10
	return u, nil
}
