// Package command is the command line: it reads flags, files and standard input, asks kubectl where a verb looks at a cluster, and
// prints. What it prints is decided in packages without any of these.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Process is what a command gets from its process. Tests give it another.
type Process struct {
	Args           []string // with the name of the program first
	Env            func(name string) string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// exit is an error that the process ends with, by a code of its own.
type exit struct {
	code  int
	err   error // nil where everything is said
	typed bool  // somebody has typed what no manifest has, and reads the error as it is
}

func (e exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Run runs the command that the arguments name, and answers the exit code. Without a verb it serves.
func Run(ctx context.Context, p Process) int {
	root := p.root()
	args := doubled(root, p.Args[1:])
	root.SetArgs(args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	code, how := 1, exit{}
	if errors.As(err, &how) {
		if code, err = how.code, how.err; err == nil {
			return code
		}
	}
	if serves(ran) && !how.typed {
		slog.New(slog.NewJSONHandler(p.Stderr, nil)).Error("exiting", "err", err)
		return code
	}
	_, _ = fmt.Fprintf(p.Stderr, "%s: %v\n", ran.CommandPath(), err)
	return code
}

// plugin reports whether kubectl has called the program, by the name under which it finds plugins. It then does not serve.
func (p Process) plugin() bool {
	name := strings.TrimSuffix(filepath.Base(p.Args[0]), ".exe")
	return name == "kubectl-wukong"
}

func serves(c *cobra.Command) bool {
	return c.Name() == "serve" || c.Name() == "wukong" && c.Runnable()
}

func (p Process) root() *cobra.Command {
	root := p.serve("wukong")
	root.Short = "Virtual machines with real networks on Kubernetes, from one object"
	root.Long = rootLong
	root.Args = noVerb
	if p.plugin() {
		root = &cobra.Command{
			Use: "wukong", Short: root.Short, Long: pluginLong, Args: noVerb,
			Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl wukong"},
			RunE:        nil,
		}
	}
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return exit{code: misused(c), err: fmt.Errorf("%w (see %s -h)", err, c.CommandPath())}
	})
	if !p.plugin() {
		root.AddCommand(p.serve("serve"))
	}
	root.AddCommand(p.version())
	root.AddCommand(p.others()...)
	return root
}

// misused is the exit code of a command that is called wrongly.
func misused(c *cobra.Command) int {
	if c.Name() == "plan" || c.Name() == "status" || c.Name() == "doctor" {
		return 2
	}
	return 1
}

const rootLong = `Wukong is the hook that Metacontroller calls for each Wukong, each WukongNetwork and each Node. Without a verb it serves,
with the flags below. The other verbs are for people, before and after they apply something.

Flags are written with one dash or two. Each flag of the hook but -version can also be set in the environment: -log-level
as WUKONG_LOG_LEVEL. The command line wins, and an empty variable counts as unset.`

const pluginLong = `Looks at a cluster with your own kubectl and your own rights, before and after you apply Wukongs.`

// noVerb refuses what is no verb. A file is the usual one.
func noVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("there is no verb %q", args[0])
	if slices.Contains([]string{"uninstall", "remove", "delete"}, args[0]) {
		message += ", because it would take machines with it: docs/operations.md#uninstall has the steps"
	} else if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		message += fmt.Sprintf(": did you mean %s?", strings.Join(near, " or "))
	} else {
		message += fmt.Sprintf(": for what a file would become, write %s render %s", c.CommandPath(), args[0])
	}
	return exit{code: 1, err: fmt.Errorf("%s (see %s -h)", message, c.CommandPath()), typed: true}
}

// doubled is the arguments with two dashes before each flag of more than one letter, because people, manifests and documents write
// one. What is no flag of any command keeps its dash, unless it can only be a misspelled one.
func doubled(root *cobra.Command, args []string) []string {
	long, short := map[string]bool{"help": true}, map[byte]bool{'h': true}
	known := func(c *cobra.Command) {
		for _, name := range flagNames(c) {
			if long[name] = true; len(name) == 1 {
				short[name[0]] = true
			}
		}
	}
	known(root)
	for _, c := range root.Commands() {
		known(c)
	}
	all := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(all, args[i:]...)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if len(name) > 1 && strings.HasPrefix(arg, "-") && name[0] != '-' && (long[name] || !short[name[0]]) {
			arg = "-" + arg
		}
		all = append(all, arg)
	}
	return all
}
