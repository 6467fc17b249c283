//go:build !hook

package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"novasphere.dev/wukong/dump"
)

// kubectl is the caller's own kubectl, with the caller's rights.
type kubectl struct {
	program string
	flags   []string
}

// access are the flags by which kubectl finds the cluster, handed on to it.
type access struct {
	kubeconfig, context, as string
	groups                  []string
}

func (a *access) flags(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&a.kubeconfig, "kubeconfig", "", "`file` for kubectl")
	fs.StringVar(&a.context, "context", "", "`name` of kubectl's context")
	fs.StringVar(&a.as, "as", "", "`user` that kubectl acts as")
	fs.StringArrayVar(&a.groups, "as-group", nil, "`group` that kubectl acts as")
}

// kubectl finds the caller's kubectl.
func (a *access) kubectl() (kubectl, error) {
	program, err := exec.LookPath("kubectl")
	if err != nil {
		return kubectl{}, errors.New("kubectl is not on the PATH: install it, or give a dump with -from")
	}
	k := kubectl{program: program}
	for _, flag := range [][2]string{{"kubeconfig", a.kubeconfig}, {"context", a.context}, {"as", a.as}} {
		if flag[1] != "" {
			k.flags = append(k.flags, "--"+flag[0]+"="+flag[1])
		}
	}
	for _, group := range a.groups {
		k.flags = append(k.flags, "--as-group="+group)
	}
	return k, nil
}

// run is what kubectl prints. The error has what it says on standard error.
func (k kubectl) run(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, k.program, append(append([]string{}, args...), k.flags...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(logLine.ReplaceAllString(stderr.String(), ""))
		if said == "" {
			said = err.Error()
		}
		return stdout.Bytes(), fmt.Errorf("kubectl %s: %s", args[0], said)
	}
	return stdout.Bytes(), nil
}

// logLine is what kubectl's libraries log beside its own message.
var logLine = regexp.MustCompile(`(?m)^[IWEF][0-9]{4} .*$\n?`)

var (
	noKind    = regexp.MustCompile(`(?i)the server doesn't have a resource type|no matches for kind|could not find the requested resource`)
	forbidden = regexp.MustCompile(`(?i)forbidden`)
)

// dump fetches everything that the hook looks at. A kind that does not exist has no objects; one that the caller may not list is noted.
// Any other error ends it.
func (k kubectl) dump(ctx context.Context) (*dump.Cluster, error) {
	kinds := dump.Kinds()
	texts, failed := make([][]byte, len(kinds)), make([]error, len(kinds))
	var g errgroup.Group
	g.SetLimit(4)
	for i, kind := range kinds {
		g.Go(func() error {
			texts[i], failed[i] = k.run(ctx, nil, listing(kind)...)
			return nil
		})
	}
	_ = g.Wait() // none of them returns one
	c := dump.New()
	for i, kind := range kinds {
		switch err := failed[i]; {
		case err == nil:
			if err := c.Read(texts[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", kind.Resource, err)
			}
			c.Asked(kind.Key)
		case noKind.MatchString(err.Error()):
			c.Asked(kind.Key)
		case forbidden.MatchString(err.Error()):
			c.Deny(kind.Key, "you may not list them, so what depends on them is not known")
		default:
			return nil, err
		}
	}
	return c, nil
}

// listing are the arguments that list a kind. Of Deployments only that of the hook is looked at.
func listing(kind dump.Kind) []string {
	args := []string{"get", kind.Full(), "--output=json"}
	if kind.Key == dump.DeploymentKind {
		return append(args, "--namespace=wukong-system", "--field-selector=metadata.name=wukong")
	}
	return append(args, "--all-namespaces")
}

// source is where a verb takes a cluster from: a dump that is given, or kubectl.
type source struct {
	access
	from string
}

func (s *source) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.from, "from", "", "`DUMP` of the cluster, or - for standard input, as printed by\n"+dump.Command()+"\n(default: your kubectl is asked)")
	_ = c.MarkFlagFilename("from", "yaml", "yml", "json") // the flag exists
	s.access.flags(c)
}

// cluster is the cluster.
func (s *source) cluster(ctx context.Context, stdin io.Reader) (*dump.Cluster, error) {
	if s.from == "" {
		k, err := s.kubectl()
		if err != nil {
			return nil, err
		}
		c, err := k.dump(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w (without a cluster, give a dump with -from)", err)
		}
		return c, nil
	}
	content, err := readContent(s.from, stdin)
	if err != nil {
		return nil, err
	}
	c := dump.New()
	if err := c.Read(content); err != nil {
		return nil, fmt.Errorf("-from %s: %w", s.from, err)
	}
	return c, nil
}
