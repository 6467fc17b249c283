package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"

	"novasphere.dev/wukong/server"
	"novasphere.dev/wukong/types/v1alpha1"
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

// serve is the command that serves the hooks, under a name of its own or without one.
func (p Process) serve(use string) *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use:   use,
		Short: "Serve the hooks, as wukong without a verb does",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: the hook takes flags only (see wukong serve -h)", args[0])
			}
			return nil
		},
		Example: "  wukong serve -physical-interface eno1 -log-level debug",
		RunE: func(c *cobra.Command, _ []string) error {
			if o.version {
				_, err := fmt.Fprintln(p.Stdout, "wukong", version())
				return err
			}
			if err := o.check(c.Flags(), p.Env); err != nil {
				return err
			}
			return p.run(c.Context(), o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	o.flags(c.Flags())
	return c
}

// flags declares the flags of the hook.
func (o *options) flags(fs *pflag.FlagSet) {
	fs.SortFlags = false
	fs.StringVar(&o.listen, "listen", ":8080", "`address` that the hooks are served at")
	fs.StringVar(&o.metricsListen, "metrics-listen", ":9090",
		"`address` that /metrics is served at, always as plain HTTP; -metrics-listen= for no metrics")
	settingsFlags(fs, &o.server.Settings)
	fs.Func("memory-limit", "`size` of the container's memory, for example 2Gi: the collector works harder near 80 % of it "+
		"(default: GOMEMLIMIT, or none)", func(value string) error {
		if !v1alpha1.SaneQuantity(value) {
			return errors.New("the size is a number and a unit such as Mi or Gi, for example 2Gi")
		}
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
}

// check takes what the command line has not said from the environment.
func (o *options) check(fs *pflag.FlagSet, env func(string) string) error {
	if err := fromEnvironment(fs, env); err != nil {
		return err
	}
	if o.listen == "" {
		return errors.New("-listen needs an address, such as :8080")
	}
	return nil
}

// run serves until ctx ends.
func (p Process) run(ctx context.Context, o *options) error {
	if o.memoryLimit > 0 && p.Env("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(o.memoryLimit / 5 * 4) // the rest is for memory that the collector does not see
	}
	log := slog.New(slog.NewJSONHandler(p.Stderr, &slog.HandlerOptions{Level: o.logLevel}))
	o.server.Log, o.server.Now, o.server.Registry = log, time.Now, prometheus.NewRegistry()
	hooks, err := server.New(o.server)
	if err != nil {
		return err
	}
	hooks.Addr = o.listen
	servers := []*server.Server{hooks}
	if o.metricsListen != "" {
		metrics := server.NewMetrics(o.server.Registry, log)
		metrics.Addr = o.metricsListen
		servers = append(servers, metrics)
	}
	log.Info("starting", "version", version(), "settings", o.server.Settings)
	return server.Serve(ctx, log, servers...)
}

// version is the command that prints the version.
func (p Process) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.Stdout, "wukong", version())
			return err
		},
	}
}
