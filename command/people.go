//go:build !hook

package command

import "github.com/spf13/cobra"

// others are the verbs for people.
func (p Process) others() []*cobra.Command {
	return []*cobra.Command{p.render(), p.plan(), p.status(), p.install(), p.upgrade(), p.doctor(), p.schema()}
}
