//go:build !hook

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"novasphere.dev/wukong/deploy"
	"novasphere.dev/wukong/install"
	"novasphere.dev/wukong/manifest"
)

const installLong = `Installs Wukong with your own kubectl and your own rights: looks at what is there, chooses the form that fits (with NMState, or
without where its kinds are missing), says what it applies, and applies it on the server's side, in the order that works. The manifests are those
that the command was built with. What is wrong stops it before anything is applied; what is only advice does not.

Run it again as often as you like: what is as it should be stays, and what was interrupted goes on. Nothing is ever deleted.

The marks: + created, ~ changed, = as it should be. The exit code is 0, or 1 where something is wrong or does not become ready.`

const installExample = `  kubectl wukong install -dry-run
  kubectl wukong install -image registry.example.com/wukong:v0.1.0
  kubectl wukong install -with tls -with tenancy
  kubectl wukong install -dry-run -o yaml > wukong.yaml`

const upgradeLong = `Upgrades the installed Wukong to the version of this command, in the order that leaves every machine running: first the hook, then the
definitions, then the controllers. It keeps the form, unless NMState has come or gone, and says what that means for the policies that exist. It
keeps what the Deployment has of its own: flags, variables, replicas, resources, and where its Pods may run. The image comes from where
the installed one is from. It refuses to go back to an older version, and deletes nothing: no definition, no policy, no controller.

The marks: + created, ~ changed, = as it should be. The exit code is 0, or 1 where something is wrong or does not become ready.`

const upgradeExample = `  kubectl wukong upgrade -dry-run
  kubectl wukong upgrade
  kubectl wukong upgrade -with metacontroller-role
  kubectl wukong upgrade -image registry.example.com/wukong:v0.2.0`

// installOptions are the values of the flags of install, upgrade and doctor.
type installOptions struct {
	access  access
	wants   install.Wants
	nmstate bool
	dryRun  bool
	force   bool
	timeout time.Duration
	format  string
}

func (p Process) install() *cobra.Command {
	return p.installing(&cobra.Command{
		Use: "install", Short: "Install Wukong in the form that fits the cluster", Long: installLong, Example: installExample,
	}, &installOptions{})
}

func (p Process) upgrade() *cobra.Command {
	return p.installing(&cobra.Command{
		Use: "upgrade", Short: "Upgrade the installed Wukong, and leave every machine running", Long: upgradeLong, Example: upgradeExample,
	}, &installOptions{wants: install.Wants{Upgrade: true}})
}

// installing declares the flags of install and upgrade.
func (p Process) installing(c *cobra.Command, o *installOptions) *cobra.Command {
	c.Args, c.ValidArgsFunction = cobra.NoArgs, cobra.NoFileCompletions
	fs := c.Flags()
	fs.SortFlags = false
	fs.BoolVar(&o.dryRun, "dry-run", false, "say what would be applied, and apply nothing")
	formats(c, &o.format, "text, or yaml for everything that is applied; what is found then goes to standard error (default text)", "text", "yaml")
	fs.Func("with", "`component` to add: "+strings.Join(install.Components(), ", ")+"; may be given several times", func(name string) error {
		if !slices.Contains(install.Components(), name) {
			return fmt.Errorf("must be one of %s%s", strings.Join(install.Components(), ", "), manifest.DidYouMean(name, install.Components()))
		}
		o.wants.With = append(o.wants.With, name)
		return nil
	})
	fs.BoolVar(&o.nmstate, "nmstate", true, "whether the hook makes policies for NMState (default: as the cluster has its kinds)")
	fs.StringVar(&o.wants.Image, "image", "", "`image` of the hook (default: the tag of this version, from where the installed one is from)")
	duration(fs, "timeout", "`time` to wait for the hook, and for the definitions (default 5m)", &o.timeout)
	o.timeout = 5 * time.Minute
	fs.BoolVar(&o.force, "force-conflicts", false, "overwrite what others have set otherwise in the installed objects")
	o.access.flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if fs.Changed("nmstate") {
			o.wants.NMState = &o.nmstate
		}
		return p.installs(c.Context(), o)
	}
	return c
}

// installs looks, says and applies.
func (p Process) installs(ctx context.Context, o *installOptions) error {
	k, err := o.access.kubectl()
	if err != nil {
		return errors.New("kubectl is not on the PATH: install it")
	}
	o.wants.Tag = deploy.Tag()
	cluster, err := k.look(ctx, o.wants)
	if err != nil {
		return err
	}
	form := install.Choose(cluster, o.wants)
	rendered, err := k.render(ctx, form)
	if err != nil {
		return err
	}
	made, err := install.Make(cluster, o.wants, form, rendered)
	if err != nil {
		return err
	}
	var marks map[string]string
	if !install.Stops(made.Findings) {
		var found []install.Finding
		if marks, found, err = k.marks(ctx, made, o.force); err != nil {
			return err
		}
		made.Findings = append(made.Findings, found...)
	}
	text := p.Stdout
	if o.format == "yaml" {
		text = p.Stderr
		if err := writeSteps(p.Stdout, made.Steps); err != nil {
			return err
		}
	}
	writeInstallation(text, made, o.wants.Tag, marks)
	switch {
	case install.Stops(made.Findings):
		return errors.New("nothing is applied: put right what is wrong, and run it again")
	case o.dryRun:
		_, _ = fmt.Fprintln(text, "\nNothing is applied: this is a dry run.")
		return nil
	}
	return k.apply(ctx, made, o.timeout, text)
}

// writeInstallation writes what was found, what is applied, and what is to be known about it.
func writeInstallation(out io.Writer, made *install.Plan, tag string, marks map[string]string) {
	for _, f := range made.Findings {
		_, _ = fmt.Fprintln(out, f)
	}
	_, _ = fmt.Fprintf(out, "\nWukong %s %s, image %s\n", tag, made.Form.Name(), made.Image)
	for _, step := range made.Steps {
		for _, o := range step.Objects {
			mark := marks[install.Title(o)]
			if mark == "" {
				mark = " "
			}
			_, _ = fmt.Fprintf(out, "  %s %s\n", mark, install.Title(o))
		}
	}
	for _, say := range made.Says {
		_, _ = fmt.Fprintf(out, "\n%s\n", say)
	}
}

var notThere = regexp.MustCompile(`(?i)\(NotFound\)|the server doesn't have a resource type|no matches for kind|could not find the requested resource`)

// look asks the cluster everything that decides about an installation.
func (k kubectl) look(ctx context.Context, w install.Wants) (*install.Cluster, error) {
	questions := install.Questions(w)
	texts, failed := make([][]byte, len(questions)), make([]error, len(questions))
	var g errgroup.Group
	g.SetLimit(4)
	for i, question := range questions {
		g.Go(func() error {
			texts[i], failed[i] = k.run(ctx, nil, question.Args...)
			return nil
		})
	}
	_ = g.Wait() // none of them returns one
	answers := map[string]install.Answer{}
	for i, question := range questions {
		switch err := failed[i]; {
		case err == nil:
			answers[question.Key] = install.Answer{Text: texts[i]}
		case forbidden.MatchString(err.Error()):
			answers[question.Key] = install.Answer{Access: install.Denied}
		case notThere.MatchString(err.Error()):
			answers[question.Key] = install.Answer{Access: install.Absent}
		default:
			return nil, err
		}
	}
	return install.Read(answers)
}
