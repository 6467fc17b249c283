//go:build !hook

package command

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"novasphere.dev/wukong/deploy"
	"novasphere.dev/wukong/install"
)

const doctorLong = `Says whether Wukong and what it stands on are as they should be, one line for each: Kubernetes, Metacontroller with its flags and
rights, KubeVirt, Multus, CDI, NMState, the definitions, the hook and the controllers. Nothing is written. What you may not read is said as
such, so it works without being an administrator, and says less.

The levels: ok; warning, to be known; wrong, nothing or not everything works until it is put right; unknown, you may not read it.

The exit code is 0 where nothing is wrong, 1 where something is, and 2 where the cluster cannot be asked.`

const doctorExample = `  kubectl wukong doctor
  kubectl wukong doctor -context production -o json`

func (p Process) doctor() *cobra.Command {
	o := &installOptions{}
	c := &cobra.Command{
		Use: "doctor", Short: "Say whether Wukong and what it stands on are as they should be", Long: doctorLong, Example: doctorExample,
		Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().SortFlags = false
	formats(c, &o.format, "text or json (default text)", "text", "json")
	o.access.flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		k, err := o.access.kubectl()
		if err != nil {
			return exit{code: 2, err: fmt.Errorf("kubectl is not on the PATH: install it")}
		}
		o.wants.Tag = deploy.Tag()
		cluster, err := k.look(c.Context(), o.wants)
		if err != nil {
			return exit{code: 2, err: err}
		}
		found := install.Doctor(cluster, o.wants)
		if err := p.writeFindings(found, o.format); err != nil {
			return err
		}
		if install.Stops(found) {
			return exit{code: 1}
		}
		return nil
	}
	return c
}

func (p Process) writeFindings(found []install.Finding, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(p.Stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(found)
	}
	for _, f := range found {
		if _, err := fmt.Fprintln(p.Stdout, f); err != nil {
			return err
		}
	}
	return nil
}
