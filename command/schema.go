//go:build !hook

package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"novasphere.dev/wukong/manifest"
	"novasphere.dev/wukong/schema"
)

const schemaLong = `Prints the schema that editors check files by: JSON Schema, draft 7, made of the definitions of this version, with every description.
Without a name it is about both kinds, and lets objects of other kinds in the same file pass. A field that does not exist is refused, except in
spec.virtualMachine.spec, which is KubeVirt's. For what only the rules of the definitions say there are render and plan.

In an editor with the YAML language server, a file says its schema in a comment:

  # yaml-language-server: $schema=wukong.json`

const schemaExample = `  wukong schema > wukong.json
  wukong schema wukongnetwork`

func (p Process) schema() *cobra.Command {
	return &cobra.Command{
		Use: "schema [wukong|wukongnetwork]", Short: "Print the schema for editors", Long: schemaLong, Example: schemaExample,
		Args: cobra.MaximumNArgs(1), ValidArgs: []string{"wukong", "wukongnetwork"},
		RunE: func(_ *cobra.Command, args []string) error {
			name := strings.Join(args, "")
			text, err := schema.Of(name)
			if err != nil {
				names, _ := schema.Names() // they were read a moment ago
				return fmt.Errorf("%w%s", err, manifest.DidYouMean(name, names))
			}
			_, err = p.Stdout.Write(text)
			return err
		},
	}
}
