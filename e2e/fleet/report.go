package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"novasphere.dev/wukong/e2e/cluster"
)

// result is what a fleet took.
type result struct {
	size    size
	network count // what the WukongNetwork took until it was ready, before there was any machine
	build   count // what the machines took until all were ready
	node    int   // bytes of a Node with its NodeNetworkState, when all is ready
	peak    struct{ hook, manager int64 }
	changes []change
}

// change is one change afterwards, and what it took.
type change struct {
	what string
	count
}

const buildHead = `Until all are ready, for each machine; memory and the largest request are of all:

| fleet | calls | of them /sync | writes | MB | CPU s hook | CPU s Metacontroller | peak MB hook | peak MB Metacontroller | largest request KB | a Node and its state KB | the network itself: calls, MB |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
`

const changeHead = `Afterwards:

| fleet | what happens | calls | MB | writes | CPU s hook | CPU s Metacontroller |
|---|---|--:|--:|--:|--:|--:|
`

func (s size) String() string {
	if s.source != "" {
		return fmt.Sprintf("%s W=%d K=%d of %s", s.way, s.machines, s.nodes, filepath.Base(s.source))
	}
	return fmt.Sprintf("%s W=%d K=%d", s.way, s.machines, s.nodes)
}

// buildRow is the row of what the machines took until all were ready.
func (r *result) buildRow() string {
	n := float64(r.size.machines)
	itself := ""
	if r.size.way == network {
		itself = fmt.Sprintf("%d, %s", r.network.all(), mega(float64(r.network.bytes)))
	}
	return fmt.Sprintf("| %s | %.1f | %.1f | %.1f | %s | %.2f | %.2f | %.0f | %.0f | %d | %d | %s |\n", r.size,
		float64(r.build.all())/n, float64(r.build.calls["sync"])/n, float64(r.build.writes)/n, mega(float64(r.build.bytes)/n),
		r.build.hook.CPU.Seconds()/n, r.build.manager.CPU.Seconds()/n, float64(r.peak.hook)/1e6, float64(r.peak.manager)/1e6,
		(r.build.largest+500)/1000, (r.node+500)/1000, itself)
}

// changeRows are the rows of the changes.
func (r *result) changeRows() string {
	var rows strings.Builder
	for _, c := range r.changes {
		fmt.Fprintf(&rows, "| %s | %s | %d | %s | %d | %.2f | %.2f |\n", r.size, c.what, c.all(), mega(float64(c.bytes)), c.writes,
			c.hook.CPU.Seconds(), c.manager.CPU.Seconds())
	}
	return rows.String()
}

// mega is a number of bytes in MB, with three digits.
func mega(bytes float64) string {
	switch mb := bytes / 1e6; {
	case mb >= 100:
		return fmt.Sprintf("%.0f", mb)
	case mb >= 10:
		return fmt.Sprintf("%.1f", mb)
	case mb >= 1:
		return fmt.Sprintf("%.2f", mb)
	default:
		return fmt.Sprintf("%.3f", mb)
	}
}

// since is what was used between two moments. A process that was started again has begun anew.
func since(before, now cluster.Usage) cluster.Usage {
	if now.CPU >= before.CPU {
		now.CPU -= before.CPU
	}
	return now
}
