//go:build unix

package scale

import (
	"runtime"
	"syscall"
	"time"
)

// Cost is what some work has cost this process. To compare two works, do a little of the one and a little of the other
// by turns: a machine that others use too is fast at one moment and slow at the next.
type Cost struct {
	CPU    time.Duration // of all threads, the garbage collector's too
	Allocs uint64
	Times  int
}

// Add does the work some more times. It begins with a clean heap, so that the work does not pay for what other work has
// left behind. The work has to be long enough to need the collector for itself.
func (c *Cost) Add(times int, work func()) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := CPUTime()
	for range times {
		work()
	}
	c.CPU += CPUTime() - start
	runtime.ReadMemStats(&after)
	c.Allocs += after.Mallocs - before.Mallocs
	c.Times += times
}

// PerTime is the CPU time and the number of allocations of doing the work once.
func (c *Cost) PerTime() (cpu time.Duration, allocs float64) {
	return c.CPU / time.Duration(c.Times), float64(c.Allocs) / float64(c.Times)
}

// Ratio is how many times as much this work costs as another, each done once.
func (c *Cost) Ratio(other *Cost) (cpu, allocs float64) {
	a, b := float64(c.Times), float64(other.Times)
	return float64(c.CPU) / a / (float64(other.CPU) / b), float64(c.Allocs) / a / (float64(other.Allocs) / b)
}

// CPUTime is the CPU time that this process has used so far.
func CPUTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // the arguments are right
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
