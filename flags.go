package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"novasphere.dev/wukong/server"
	"novasphere.dev/wukong/sync"
)

// options are the values of the hook's flags.
type options struct {
	listen        string
	metricsListen string
	logLevel      slog.Level
	version       bool
	memoryLimit   int64 // of the container, in bytes; 0 where it is not known
	server        server.Config
}

func hookOptions(args []string, env func(string) string, stderr io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("wukong", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		_, _ = io.WriteString(fs.Output(), "Usage: wukong [flags], to serve the hooks; wukong render -h, to see what they would create.\n"+
			"Each flag but -version can also be set in the environment, -log-level as WUKONG_LOG_LEVEL. The command line wins, and an empty\n"+
			"variable counts as unset.\n\n")
		fs.PrintDefaults()
	}
	fs.StringVar(&o.listen, "listen", ":8080", "`address` that the hooks are served at")
	fs.StringVar(&o.metricsListen, "metrics-listen", ":9090",
		"`address` that /metrics is served at, always as plain HTTP; -metrics-listen= for no metrics")
	settingsFlags(fs, &o.server.Settings)
	fs.Func("memory-limit", "`size` of the container's memory, for example 2Gi: the collector works harder near 80 % of it "+
		"(default: GOMEMLIMIT, or none)", func(value string) error {
		size, err := resource.ParseQuantity(value)
		if err == nil && size.Sign() <= 0 {
			err = errors.New("the size must be more than 0")
		}
		o.memoryLimit = size.Value()
		return err
	})
	fs.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "lowest `level` to log: debug, info, warn or error")
	fs.StringVar(&o.server.CertFile, "tls-cert", "", "PEM `file` of the hooks' certificate; needs -tls-key (default: plain HTTP)")
	fs.StringVar(&o.server.KeyFile, "tls-key", "", "PEM `file` of the key of -tls-cert")
	fs.StringVar(&o.server.ClientCAFile, "client-ca", "",
		"PEM `file` of authorities, one of which must have signed the caller's certificate; needs -tls-cert (default: none needed)")
	fs.StringVar(&o.server.TokenFile, "token-file", "", "`file` of the bearer token that callers must send (default: none needed)")
	fs.BoolVar(&o.version, "version", false, "print the version and exit")
	if err := parse(fs, args, env); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: the hook takes flags only (see wukong -h); to render files, write render first",
			fs.Arg(0))
	}
	if o.listen == "" {
		return nil, errors.New("-listen needs an address, such as :8080")
	}
	return o, nil
}

// settingsFlags declares the flags that change what is answered, and sets their defaults. The hook and render share
// them, so render shows what the hook creates.
func settingsFlags(fs *flag.FlagSet, s *sync.Settings) {
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
func duration(fs *flag.FlagSet, name, usage string, to *time.Duration) {
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

// parse sets the flags of fs from args. It sets the others from the environment: -log-level from WUKONG_LOG_LEVEL. An
// empty variable counts as unset. With -h it prints the usage and returns flag.ErrHelp. The caller prints any other
// error, once and without the usage.
func parse(fs *flag.FlagSet, args []string, env func(string) string) error {
	out, usage := fs.Output(), fs.Usage
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	err := fs.Parse(args)
	fs.SetOutput(out)
	fs.Usage = usage
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.Usage()
		return err
	case err != nil:
		return fmt.Errorf("%w (see %s -h)", err, fs.Name())
	}

	given := map[string]bool{
		"version": true, // an image may have its own version in WUKONG_VERSION
	}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var errs []error
	fs.VisitAll(func(f *flag.Flag) {
		variable := "WUKONG_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := env(variable)
		if value == "" || given[f.Name] {
			return
		}
		if err := fs.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("invalid value %q for variable %s: %w", value, variable, err))
		}
	})
	return errors.Join(errs...)
}

// version is the version that the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
