package install

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Wants is what somebody asks for.
type Wants struct {
	Upgrade bool
	NMState *bool    // nil: as the cluster has it
	With    []string // names of Components
	Image   string   // of the hook; empty for the one of the manifests, or of what is installed
	Tag     string   // of the manifests: the version that is installed
}

func (w Wants) wants(component string) bool { return slices.Contains(w.With, component) }

// ownRole is the component that is about Metacontroller, and no part of the hook.
const ownRole = "metacontroller-role"

// Components are what may be added to a form.
func Components() []string {
	return []string{"tls", "monitoring", "tenancy", ownRole}
}

// Form is which manifests are applied.
type Form struct {
	NMState    bool
	Components []string

	// Says is what changes with the form, and what becomes of what is there.
	Says []string
}

// Name is the form in words.
func (f Form) Name() string {
	name := "with NMState"
	if !f.NMState {
		name = "without NMState"
	}
	if len(f.Components) > 0 {
		name += ", " + strings.Join(f.Components, ", ")
	}
	return name
}

// Choose is the form that fits a cluster. A kind that the controllers name and the cluster does not have keeps Metacontroller from calling
// the hook, so it is as the cluster is, unless somebody says otherwise. What is installed keeps its form, unless NMState has come or gone.
func Choose(c *Cluster, w Wants) Form {
	missing, of, _ := c.missing(nmstate)
	there := of > 0 && len(missing) == 0
	f := Form{NMState: there}
	registered, installed := c.registered()
	switch {
	case w.NMState != nil:
		f.NMState = *w.NMState
	case installed && !registered && there && !c.came():
		f.NMState = false
		f.Says = append(f.Says, "NMState was there before the form without it was installed, so that stays. With -nmstate the hook makes policies from now on.")
	}
	if installed && registered != f.NMState {
		f.Says = append(f.Says, c.changes(f)...)
	}
	for _, component := range Components() {
		if w.wants(component) || c.has(component) {
			f.Components = append(f.Components, component)
		}
	}
	return f
}

// came reports whether NMState was installed after the form without it. What cannot be read counts as no.
func (c *Cluster) came() bool {
	definition, known := c.definitions[policyDefinition]
	wukong := c.controller("CompositeController", "wukong")
	return known && wukong != nil && definition.CreationTimestamp.After(wukong.CreationTimestamp.Time)
}

// has reports whether a component of the hook is installed.
func (c *Cluster) has(component string) bool {
	if component == "tls" && c.hook != nil {
		for _, container := range c.hook.Spec.Template.Spec.Containers {
			if _, secure := flags(container.Args)["tls-cert"]; secure {
				return true
			}
		}
	}
	return c.components[component]
}

// changes is what a change to a form does to what is there.
func (c *Cluster) changes(f Form) []string {
	if f.NMState {
		say := "From now on the hook makes policies, each after a look at its nodes. A bridge that is as the policy asks for stays; another one is told of and left alone."
		if built := c.built(); len(built) > 0 {
			say += " They are for " + some(built) + "."
		}
		return []string{say}
	}
	all := []string{"From now on the hook makes and changes no policies. Machines and attachments go on, and the bridges have to be on the nodes."}
	if c.policies > 0 {
		all = append(all, fmt.Sprintf("Nothing is deleted: the %d policies stay as they are, and go with their Wukong or WukongNetwork. Their bridges then stay on the nodes, also with reclaimPolicy: Delete.", c.policies))
	} else {
		all = append(all, "Nothing is deleted. Policies that went with NMState's kinds leave their bridges on the nodes.")
	}
	const left = "CompositeController wukong-networks and DecoratorController wukong-nodes stay: "
	switch missing, _, _ := c.missing(nmstate); {
	case c.networks == 0:
		all = append(all, left+"kubectl delete compositecontroller wukong-networks; kubectl delete decoratorcontroller wukong-nodes")
	case len(missing) > 0:
		all = append(all, left+fmt.Sprintf("the %d WukongNetworks keep their finalizer, and can be deleted again when NMState is back.", c.networks))
	default:
		all = append(all, left+fmt.Sprintf("delete them when the %d WukongNetworks are gone.", c.networks))
	}
	return all
}

// built are the networks that Wukongs have bridges of their own for.
func (c *Cluster) built() []string {
	var all []string
	for _, w := range c.wukongs {
		for _, n := range w.Spec.Networks {
			if (n.Type == v1alpha1.Bridge || n.Type == v1alpha1.OVS) && n.NADName == "" {
				all = append(all, "network "+n.Name+" of Wukong "+w.Metadata.Name)
			}
		}
	}
	return all
}

// some are the first three of many.
func some(all []string) string {
	if len(all) <= 3 {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(all[:3], ", "), len(all)-3)
}

// Kustomization is the overlay that makes the form, in a directory beside base.
func (f Form) Kustomization() []byte {
	overlay := struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Resources  []string `json:"resources"`
		Components []string `json:"components,omitempty"`
	}{"kustomize.config.k8s.io/v1beta1", "Kustomization", []string{"../base"}, nil}
	if !f.NMState {
		overlay.Components = append(overlay.Components, "../components/without-nmstate")
	}
	for _, component := range f.Components {
		if component == ownRole {
			overlay.Resources = append(overlay.Resources, "../"+ownRole)
		} else {
			overlay.Components = append(overlay.Components, "../components/"+component)
		}
	}
	text, err := yaml.Marshal(overlay)
	if err != nil {
		panic(err) // it is text
	}
	return text
}
