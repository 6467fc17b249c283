package install

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/deploy"
	"novasphere.dev/wukong/types/v1alpha1"
)

// ages is how what is installed compares with what would be.
type ages struct {
	same, older, newer []string // what is as it would be, and what is older or newer, in words
}

// ours are the findings about what there is of Wukong itself, and how old it is.
func (c *Cluster) ours(w Wants) ([]Finding, ages) {
	var all []Finding
	var a ages
	for _, resource := range []string{v1alpha1.Resource, v1alpha1.NetworkResource, v1alpha1.NodeResource} {
		if f, bad := c.definition(resource, &a); bad {
			all = append(all, f)
		}
	}
	if c.denied[askDefinitions] {
		all = append(all, Finding{Unknown, "Wukong's definitions", "you may not read CustomResourceDefinitions"})
	}
	if c.denied[askControllers] {
		all = append(all, Finding{Unknown, "Wukong's controllers", "you may not list CompositeControllers and DecoratorControllers"})
	}
	for _, found := range c.controllers {
		if f, bad := found.rival(); bad {
			all = append(all, f)
		}
	}
	if c.hook != nil {
		_, has := parted(imageOf(c.hook))
		_, wants := parted(w.Image)
		if wants == "" {
			wants = w.Tag
		}
		if is, known := older(has, wants); known && is {
			a.older = append(a.older, "hook "+has)
		}
		if is, known := older(wants, has); known && is {
			a.newer = append(a.newer, "hook "+has)
		}
	}
	return all, a
}

// definition compares the definition of one of our resources with the one that would be applied. Its fields decide: a field that would be
// gone would be dropped from every object with the next write.
func (c *Cluster) definition(resource string, a *ages) (f Finding, bad bool) {
	name := resource + "." + v1alpha1.Group
	has, is := c.definitions[name]
	if !is {
		return f, false
	}
	about := "CustomResourceDefinition " + name
	if has.Spec.Scope != apiextensionsv1.ClusterScoped {
		return Finding{Wrong, about, "it is another program's, with objects in namespaces: keep its objects elsewhere, delete it, and remove that program"}, true
	}
	ours := fields(defined(resource))
	theirs := fields(has)
	more, less := without(theirs, ours), without(ours, theirs)
	switch {
	case len(more) > 0:
		a.newer = append(a.newer, fmt.Sprintf("definition of %s, with %s", resource, some(more)))
	case len(less) > 0:
		a.older = append(a.older, fmt.Sprintf("definition of %s, without %s", resource, some(less)))
	default:
		a.same = append(a.same, resource)
	}
	return f, false
}

// defined is the definition that would be applied.
func defined(resource string) apiextensionsv1.CustomResourceDefinition {
	content, err := deploy.Files.ReadFile("base/" + v1alpha1.Group + "_" + resource + ".yaml")
	if err != nil {
		panic(err) // it is embedded
	}
	var d apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(content, &d); err != nil {
		panic(err)
	}
	return d
}

// fields are the paths of all fields of a definition. Of a path, only the first that is not in another definition is of interest.
func fields(d apiextensionsv1.CustomResourceDefinition) map[string]bool {
	all := map[string]bool{}
	for _, v := range d.Spec.Versions {
		if !v.Served || v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			continue
		}
		prefix := ""
		if v.Name != v1alpha1.Version {
			prefix = v.Name + " "
			all[v.Name] = true
		}
		walk(prefix, *v.Schema.OpenAPIV3Schema, all)
	}
	return all
}

func walk(path string, schema apiextensionsv1.JSONSchemaProps, into map[string]bool) {
	for name, property := range schema.Properties {
		below := path + name
		into[below] = true
		walk(below+".", property, into)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		walk(path, *schema.Items.Schema, into)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		walk(path, *schema.AdditionalProperties.Schema, into)
	}
}

// without are the paths that others do not have, in order, and without those below one that is missing itself.
func without(all, others map[string]bool) []string {
	var missing []string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		below := len(missing) > 0 && strings.HasPrefix(path, missing[len(missing)-1]+".")
		if !others[path] && !below {
			missing = append(missing, path)
		}
	}
	return missing
}

// rival is the finding about a controller that would work against those that are installed, or is one of them and calls another hook.
func (o *controller) rival() (Finding, bool) {
	title := o.Kind + " " + o.Name
	known := map[string]string{"CompositeController wukong": v1alpha1.Resource, "CompositeController wukong-networks": v1alpha1.NetworkResource,
		"DecoratorController wukong-nodes": v1alpha1.NodeResource}
	if _, own := known[title]; !own {
		of := append([]resource{o.Spec.ParentResource}, o.Spec.Attachments...)
		for _, r := range of {
			if strings.HasPrefix(r.APIVersion, v1alpha1.Group+"/") {
				return Finding{Wrong, title, "it works on " + r.Resource + " too, and two controllers of one kind delete what the other makes: see docs/operations.md, Uninstall"}, true
			}
		}
		return Finding{}, false
	}
	for _, hook := range o.Spec.Hooks {
		switch {
		case hook == nil || hook.Webhook == nil:
		case hook.Webhook.URL != "":
			return Finding{Wrong, title, "it calls " + hook.Webhook.URL + ", which is no part of this installation: make it the Service wukong in " + Namespace}, true
		case hook.Webhook.Service != nil && hook.Webhook.Service.Namespace != Namespace:
			return Finding{Wrong, title, "it calls the hook in namespace " + hook.Webhook.Service.Namespace + ": move that to " + Namespace + " first, by changing the controllers last"}, true
		}
	}
	return Finding{}, false
}
