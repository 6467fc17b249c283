// Command fleet measures what many machines on many nodes cost:
//
//	METACONTROLLER=/path/to/metacontroller go -C e2e run ./fleet -machines 300 -nodes 3 -network
//
// It brings up a real API server, Metacontroller and the hook, and nodes on which NMState and KubeVirt are simulated; the
// Nodes and NodeNetworkStates are as long as real ones. It makes the machines, all at once, waits until all are ready, and
// then changes one thing after another. What each of it takes is printed as a row of a Markdown table.
//
// Calls and bytes are counted between Metacontroller and the hook, writes are those of Metacontroller in the API server's
// audit log. Both are nearly the same on every machine. CPU time is not: compare it only within one run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// The ways in which machines get their network.
const (
	own     = "own bridges" // each a bridge and VLAN of its own
	shared  = "one bridge"  // all the same bridge and VLAN, and each a policy for it
	network = "one network" // all one WukongNetwork
	nad     = "nadName"     // all one attachment that was made by hand
)

// size is a fleet.
type size struct {
	machines, nodes int
	way             string
	source          string // the tree to measure; empty for the one around this module
	strategy        string
	built, story    bool
	patience        time.Duration // how long anything may take
	gather          time.Duration // for how long changes of a node's bridges are gathered
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "fleet: %v\n", err)
		stop()
		os.Exit(1)
	}
}

// command measures one fleet, and prints the tables.
func command(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	s := size{way: own}
	flags.IntVar(&s.machines, "machines", 30, "`number` of machines")
	flags.IntVar(&s.nodes, "nodes", 3, "`number` of nodes")
	flags.StringVar(&s.strategy, "apply-strategy", "dynamic-apply", "Metacontroller's `strategy`: dynamic-apply or server-side-apply")
	flags.DurationVar(&s.patience, "patience", 30*time.Minute, "the `time` that anything may take")
	flags.DurationVar(&s.gather, "nodes-gather", 5*time.Second, "the hook's -nodes-gather: the simulated NMState is faster than the real one, and so is this `time`")
	flags.StringVar(&s.source, "source", "", "the source `tree` to measure, for example of an earlier version (default: the one around)")
	flags.BoolVar(&s.built, "until-ready", false, "end when all machines are ready, without the changes")
	flags.BoolVar(&s.story, "story", false, "with -network: in place of the changes, show how a node fails and recovers, and how all is deleted")
	rows := flags.Bool("rows", false, "print the rows without the heads of the tables")
	for name, way := range map[string]string{"shared": shared, "network": network, "nad": nad} {
		flags.BoolFunc(name, "the machines are on "+way+", and not on bridges of their own", func(string) error {
			if s.way != own {
				return errors.New("the machines are on " + s.way + " already")
			}
			s.way = way
			return nil
		})
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.machines < 2 || s.machines > maxMachines || s.nodes < 1 {
		return fmt.Errorf("there must be 2 to %d machines, and at least one node", maxMachines)
	}
	if s.story && s.way != network {
		return errors.New("-story tells of a WukongNetwork: it needs -network")
	}
	r, err := measure(ctx, s)
	if err != nil {
		return err
	}
	if !*rows {
		fmt.Print(buildHead)
	}
	fmt.Print(r.buildRow())
	if !*rows {
		fmt.Print("\n" + changeHead)
	}
	fmt.Print(r.changeRows())
	return nil
}
