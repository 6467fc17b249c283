// Package deploy holds the manifests of the installation, so that the command line has those of its own version.
package deploy

import (
	"embed"
	"strings"
)

// Files are the manifests: everything that kubectl kustomize needs, in the folders that it expects.
//
//go:embed kustomization.yaml base components metacontroller-role with-monitoring with-tenancy with-tls without-nmstate
var Files embed.FS

// Tag is the version that the manifests install.
func Tag() string {
	content, err := Files.ReadFile("base/kustomization.yaml")
	if err != nil {
		panic(err) // it is embedded
	}
	_, tag, _ := strings.Cut(string(content), "newTag: ")
	tag, _, _ = strings.Cut(tag, "\n")
	return strings.TrimSpace(tag)
}

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
