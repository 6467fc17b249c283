// Package deploy holds the manifests of the installation, so that the command line has those of its own version.
package deploy

import "embed"

// Files are the manifests: everything that kubectl kustomize needs, in the folders that it expects.
//
//go:embed kustomization.yaml base components metacontroller-role with-monitoring with-tenancy with-tls without-nmstate
var Files embed.FS

// Definitions are the CustomResourceDefinitions of the kinds that people write.
func Definitions() [][]byte {
	var all [][]byte
	for _, resource := range []string{"wukongs", "wukongnetworks"} {
		content, err := Files.ReadFile("base/vm.novasphere.dev_" + resource + ".yaml")
		if err != nil {
			panic(err) // it is embedded
		}
		all = append(all, content)
	}
	return all
}
