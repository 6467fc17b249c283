package command

import (
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"novasphere.dev/wukong/sync"
)

// settingsFlags declares the flags that change what is answered, and sets their defaults. The hook, render and plan share
// them, so that they say the same.
func settingsFlags(fs *pflag.FlagSet, s *sync.Settings) {
	*s = sync.Settings{
		PhysicalInterface: "ens160",
		DefaultOSImage:    "quay.io/containerdisks/ubuntu:24.04",
		Preflight:         true,
		NodesSettle:       30 * time.Second,
		NodesGather:       30 * time.Second,
		TeardownTimeout:   15 * time.Minute,
	}
	interfaceName := regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,13}[A-Za-z0-9])?$`)
	imageReference := regexp.MustCompile(`^(docker://)?[A-Za-z0-9]([A-Za-z0-9._/@-]|:[A-Za-z0-9])*$`)
	fs.Func("physical-interface", "`NIC` of networks that name none (default "+s.PhysicalInterface+")", func(value string) error {
		if !interfaceName.MatchString(value) {
			return errors.New("a NIC has a name of 1 to 15 letters, digits, dots, dashes and underscores, with a letter or digit at both ends")
		}
		s.PhysicalInterface = value
		return nil
	})
	image := "container `disk` of machines that name nothing to boot from (default " + s.DefaultOSImage + ")"
	fs.Func("default-os-image", image, func(value string) error {
		if !imageReference.MatchString(value) {
			return errors.New("a container disk is an image reference such as quay.io/containerdisks/ubuntu:24.04")
		}
		s.DefaultOSImage = value
		return nil
	})
	fs.Func("unknown-machine-fields", "refuse fields of spec.virtualMachine that this version does not know, or pass them on for a "+
		"newer KubeVirt: `refuse or pass` (default refuse)", func(value string) error {
		if value != "refuse" && value != "pass" {
			return errors.New("must be refuse or pass")
		}
		s.PassUnknownMachineFields = value == "pass"
		return nil
	})
	fs.BoolVar(&s.BridgeMarker, "bridge-marker", s.BridgeMarker,
		"let machines land only where the bridge-marker DaemonSet has found their bridges (default false)")
	fs.BoolVar(&s.Preflight, "preflight", s.Preflight, "look at the selected nodes before a policy is created")
	duration(fs, "nodes-settle", "`time` after a node was first told of in which no policy is created, because others may follow (default 30s)", &s.NodesSettle)
	duration(fs, "nodes-gather", "`time` in which changes of the bridges of a node are gathered, to be told of together (default 30s)", &s.NodesGather)
	duration(fs, "teardown-timeout", "`time` without progress after which the removal of a bridge is given up, for example 90s or 1h (default 15m)",
		&s.TeardownTimeout)
}

// duration declares a flag that is a time. 0 is none of it.
func duration(fs *pflag.FlagSet, name, usage string, to *time.Duration) {
	fs.Func(name, usage, func(value string) error {
		given, err := time.ParseDuration(value)
		if err == nil && given <= 0 {
			err = errors.New("the time must be more than 0")
		}
		if err == nil {
			*to = given
		}
		return err
	})
}

// fromEnvironment sets the flags that the command line has not set from the environment: -log-level from WUKONG_LOG_LEVEL. An empty
// variable counts as unset.
func fromEnvironment(fs *pflag.FlagSet, env func(string) string) error {
	var errs []error
	fs.VisitAll(func(f *pflag.Flag) {
		variable := "WUKONG_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := env(variable)
		switch f.Name {
		case "help", "version", "file", "from": // an image may have its own version in WUKONG_VERSION
			return
		}
		if value == "" || f.Changed {
			return
		}
		if err := fs.Set(f.Name, value); err != nil {
			cause := errors.Unwrap(err) // without the flag, which nobody has written
			if f.Value.Type() == "bool" {
				cause = errors.New("must be true or false")
			}
			if cause != nil {
				err = cause
			}
			errs = append(errs, fmt.Errorf("invalid value %q for variable %s: %w", value, variable, err))
		}
	})
	return errors.Join(errs...)
}

// flagNames are the names of a command's flags, and their letters.
func flagNames(c *cobra.Command) []string {
	var all []string
	c.Flags().VisitAll(func(f *pflag.Flag) { all = append(all, f.Name, f.Shorthand) })
	return all
}

// version is the version that the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
