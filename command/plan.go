//go:build !hook

package command

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/manifest"
	"novasphere.dev/wukong/plan"
)

const planLong = `Says what would become of Wukongs and WukongNetworks in a cluster before they are applied: what would be created, changed field by
field, held or refused and why, node by node, in the order in which it would happen. The files are put into a copy of the cluster, and
the hook's own functions answer; NMState and KubeVirt are taken to succeed. Files that conflict with each other are told too, and
whatever needs a restart of a running machine, or takes something from it. Nothing is written.

The hook's flags are those of its Deployment, unless they are given here or in the environment.

-o mermaid and -o html draw what there would be in the end, from the NICs of the nodes to the machines: nodes that are alike as
one, a bridge that several share once, and what is refused with its reason. The page that -o html prints needs nothing else, no
network either.

The exit code is 0 where nothing is refused, 1 where something is, and 2 where the input cannot be used.`

const planExample = `  kubectl wukong plan web.yaml
  kubectl wukong plan -f lan.yaml -f web.yaml -o json
  kubectl get wukongs,wukongnetworks,wukongnodes,nncp,nnce,nns,nodes,net-attach-def,vm,vmi,dv -A -o yaml > cluster.yaml
  wukong plan web.yaml -from cluster.yaml
  wukong plan web.yaml -from cluster.yaml -o html > plan.html`

// planOptions are the values of plan's flags.
type planOptions struct {
	files  []string
	format string
	source source
	hook   hookFlags
}

func (p Process) plan() *cobra.Command {
	o := &planOptions{}
	c := &cobra.Command{
		Use: "plan FILE...", Short: "Say what would become of files in a cluster, before they are applied", Long: planLong, Example: planExample,
		ValidArgsFunction: completeFiles,
	}
	c.Flags().SortFlags = false
	fileFlag(c, &o.files)
	formats(c, &o.format, "text, json, mermaid or html (default text)", "text", "json", "mermaid", "html")
	o.source.flags(c)
	o.hook.flags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if o.files = append(o.files, args...); len(o.files) == 0 {
			return exit{code: 2, err: errors.New("no files: name them, or - for standard input (see plan -h)")}
		}
		return p.plans(c, o)
	}
	return c
}

func (p Process) plans(c *cobra.Command, o *planOptions) error {
	in, dropped, err := p.planned(c, o)
	if err != nil {
		return exit{code: 2, err: err}
	}
	made, err := plan.Make(*in)
	if err != nil {
		return exit{code: 2, err: err}
	}
	for _, d := range dropped {
		_, _ = fmt.Fprintln(p.Stderr, "wukong plan:", d)
	}
	if err := p.writePlan(made, o.format); err != nil {
		return err
	}
	if o.hook.settings.Preflight && in.Hook.NMState && in.Cluster.Blind() && asksForPolicies(made) {
		return exit{code: 2, err: fmt.Errorf("the dump has no nodes, so nobody knows whether the bridges may be built: make it by %s", dump.Command())}
	}
	if made.Refused {
		return exit{code: 1}
	}
	return nil
}

// asksForPolicies reports whether a plan waits for a look at nodes that it does not have.
func asksForPolicies(made *plan.Plan) bool {
	for _, o := range made.Objects {
		if o.Reason == "PreflightWaiting" {
			return true
		}
	}
	return false
}

func (p Process) writePlan(made *plan.Plan, format string) error {
	switch format {
	case "json":
		return made.JSON(p.Stdout)
	case "mermaid", "html":
		return p.drawing(made.Scene(), format)(p.Stdout)
	default:
		return made.Text(p.Stdout)
	}
}

// planned is the input of a plan: the cluster, the hook and the files. Objects of other kinds that the hook looks at count as applied.
func (p Process) planned(c *cobra.Command, o *planOptions) (*plan.Input, []*manifest.Problem, error) {
	reader, err := manifest.NewReader()
	if err != nil {
		return nil, nil, err
	}
	sources, err := readFiles(o.files, p.Stdin)
	if err != nil {
		return nil, nil, err
	}
	cluster, err := o.source.cluster(c.Context(), p.Stdin)
	if err != nil {
		return nil, nil, err
	}
	places := map[string]manifest.Source{}
	in := &plan.Input{Cluster: cluster, Update: func(existing *unstructured.Unstructured, written map[string]any) (*unstructured.Unstructured, error) {
		s := places[existing.GetKind()+" "+existing.GetName()]
		s.Object = written
		return reader.AdmitUpdate(existing, s)
	}}
	if in.Hook, err = o.hook.hook(p, cluster, c.Flags()); err != nil {
		return nil, nil, err
	}
	var dropped []*manifest.Problem
	for _, s := range sources {
		written := &unstructured.Unstructured{Object: s.Object}
		if !reader.Knows(s) {
			if dump.Takes(written) && written.GetName() != "" {
				cluster.Put(written)
			}
			continue
		}
		f := plan.File{Place: s.Place, Written: s.Object, Name: written.GetName()}
		title := written.GetKind() + " " + written.GetName()
		if before, twice := places[title]; twice {
			return nil, nil, fmt.Errorf("%s: %s is in %s already", s.Place, title, before.Place)
		}
		places[title] = s
		if f.Object, err = reader.Admit(s); err != nil {
			f.Refused = []string{err.Error()}
		}
		dropped = append(dropped, s.Dropped()...)
		in.Files = append(in.Files, f)
	}
	if len(in.Files) == 0 {
		return nil, nil, errors.New("there is no Wukong or WukongNetwork in the files")
	}
	return in, dropped, nil
}
