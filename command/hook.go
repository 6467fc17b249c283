//go:build !hook

package command

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/sync"
)

// hookFlags are the flags by which a verb learns how a cluster runs the hook.
type hookFlags struct {
	settings sync.Settings
	nmstate  bool
}

func (h *hookFlags) flags(c *cobra.Command) {
	c.Flags().BoolVar(&h.nmstate, "nmstate", true, "whether NMState's policies are registered (default: as the dump has the CompositeController, or else true)")
	settingsFlags(c.Flags(), &h.settings)
}

// hook is the hook as a cluster runs it. What the command line says wins, then the environment, then the Deployment in the dump.
func (h *hookFlags) hook(p Process, c *dump.Cluster, fs *pflag.FlagSet) (dump.Hook, error) {
	if err := fromEnvironment(fs, p.Env); err != nil {
		return dump.Hook{}, err
	}
	args, env, _ := c.HookFlags()
	if err := asDeployed(fs, args, func(name string) string { return env[name] }); err != nil {
		return dump.Hook{}, fmt.Errorf("the flags of Deployment wukong-system/wukong: %w", err)
	}
	if registered, known := c.Registered(); known && !fs.Changed("nmstate") {
		h.nmstate = registered
	}
	return dump.Hook{Settings: h.settings, NMState: h.nmstate, Now: time.Now()}, nil
}

// asDeployed sets those flags of the hook's settings that are not set yet as the arguments and variables of a Deployment have them.
func asDeployed(fs *pflag.FlagSet, args []string, env func(string) string) error {
	settings, said := pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	settingsFlags(settings, &sync.Settings{})
	said.SetOutput(io.Discard)
	said.ParseErrorsAllowlist.UnknownFlags = true
	settings.VisitAll(func(f *pflag.Flag) {
		said.String(f.Name, "", "")
		said.Lookup(f.Name).NoOptDefVal = f.NoOptDefVal
	})
	if err := said.Parse(doubled(Process{Args: []string{"wukong"}}.root(), args)); err != nil {
		return err
	}
	var failed error
	said.Visit(func(f *pflag.Flag) {
		if !fs.Changed(f.Name) && failed == nil {
			failed = fs.Set(f.Name, f.Value.String())
		}
	})
	if failed != nil {
		return failed
	}
	return fromEnvironment(fs, func(name string) string {
		if name == "WUKONG_NMSTATE" {
			return ""
		}
		return env(name)
	})
}
