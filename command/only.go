//go:build hook

package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

// others are the verbs that are missing where only the hook was built. Each says so.
func (p Process) others() []*cobra.Command {
	var all []*cobra.Command
	for _, verb := range []string{"render", "plan", "status", "install", "upgrade", "doctor", "schema"} {
		all = append(all, &cobra.Command{
			Use: verb, Short: "Not in this build, which has the hook only", DisableFlagParsing: true,
			RunE: func(*cobra.Command, []string) error {
				return fmt.Errorf("this build has the hook only, without %s: build the source without -tags hook", verb)
			},
		})
	}
	return all
}
