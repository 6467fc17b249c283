//go:build !hook

package command

import (
	"github.com/spf13/cobra"

	"novasphere.dev/wukong/status"
)

const statusLong = `Says what has become of Wukongs and WukongNetworks: a tree from each to its policies on each node, its attachments, its machine
and the running instance, what is waited for and since when, and the command to type next. What it says of a Wukong is what the hook
answers now, by its own functions. Without a name it is about all; where there are more than three, those that are as they should be
are one line each.

The marks: ok as it should be, .. to be waited for, !! nothing goes on without you, -- not there yet.

-o mermaid and -o html draw it, from the NICs of the nodes to the machines, with what has failed and what is waited for. The page
that -o html prints needs nothing else, no network either.

The exit code is 0, or 1 where a name is unknown, or 2 where the input cannot be used.`

const statusExample = `  kubectl wukong status
  kubectl wukong status ubuntu-vm-nmstate
  wukong status ubuntu-vm-nmstate -from cluster.yaml -o json
  kubectl wukong status -o html > status.html`

func (p Process) status() *cobra.Command {
	var o planOptions
	c := &cobra.Command{
		Use: "status [NAME...]", Short: "Say what has become of what was applied, and what to type next", Long: statusLong, Example: statusExample,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().SortFlags = false
	formats(c, &o.format, "text, json, mermaid or html (default text)", "text", "json", "mermaid", "html")
	o.source.flags(c)
	o.hook.flags(c)
	c.RunE = func(c *cobra.Command, names []string) error {
		cluster, err := o.source.cluster(c.Context(), p.Stdin)
		if err != nil {
			return exit{code: 2, err: err}
		}
		h, err := o.hook.hook(p, cluster, c.Flags())
		if err != nil {
			return exit{code: 2, err: err}
		}
		report, err := status.Make(cluster, h, names...)
		if err != nil {
			return exit{code: 2, err: err}
		}
		write := report.Text
		switch o.format {
		case "json":
			write = report.JSON
		case "mermaid", "html":
			write = p.drawing(report.Scene(), o.format)
		}
		if err := write(p.Stdout); err != nil {
			return err
		}
		if len(report.Unknown) > 0 {
			return exit{code: 1}
		}
		return nil
	}
	return c
}
