package install

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Plan is what is applied, and why.
type Plan struct {
	Form     Form
	Findings []Finding
	Image    string
	Steps    []Step

	// Says is what else is to be told: what is kept, what changes.
	Says []string
}

// Make is the plan for the rendered manifests of a form.
func Make(c *Cluster, w Wants, f Form, rendered []*unstructured.Unstructured) (*Plan, error) {
	p := &Plan{Form: f, Says: f.Says}
	found, a := c.ours(w)
	p.Findings = append(c.standsOn(f, w), found...)
	p.Findings = append(p.Findings, c.turn(w, a)...)
	if _, _, known := c.missing(nmstate); !known && w.NMState == nil {
		p.Findings = append(p.Findings, Finding{Wrong, "kubernetes-nmstate", "whether it is there decides about the form, and is not known: say -nmstate or -nmstate=false"})
	}
	if !c.may() {
		p.Findings = append(p.Findings, Finding{Wrong, "your rights", "you may not read what is installed of Wukong, so what would be changed is not known: have it done by an administrator"})
	}
	deployment := hookOf(rendered)
	if deployment == nil {
		return nil, fmt.Errorf("the manifests have no Deployment wukong")
	}
	chosen, finding := c.image(w, deployment)
	if p.Image = chosen; finding != nil {
		p.Findings = append(p.Findings, *finding)
	}
	kept, err := c.keep(deployment, chosen)
	if err != nil {
		return nil, err
	}
	if len(kept) > 0 {
		p.Says = append(p.Says, "The Deployment keeps what it has of its own: "+strings.Join(kept, ", ")+".")
	}
	p.Steps = steps(rendered, w.Upgrade)
	return p, nil
}

// may reports whether the caller may read what decides about an upgrade.
func (c *Cluster) may() bool {
	return !c.denied[askDefinitions] && !c.denied[askControllers] && !c.denied[askHook]
}

// turn is the finding about whether it is the turn of this verb.
func (c *Cluster) turn(w Wants, a ages) []Finding {
	const about = "Wukong"
	switch {
	case len(a.newer) > 0:
		return []Finding{{Wrong, about, "what is installed is newer: " + strings.Join(a.newer, "; ") + ": use the command of that version, or see docs/operations.md for the way back"}}
	case w.Upgrade && !c.installed():
		return []Finding{{Wrong, about, "it is not installed: use install"}}
	case !w.Upgrade && c.installed() && len(a.older) > 0:
		return []Finding{{Wrong, about, "an older one is installed: " + strings.Join(a.older, "; ") + ": use upgrade"}}
	case len(a.older) > 0:
		return []Finding{{OK, about, "older than " + w.Tag + ": " + strings.Join(a.older, "; ")}}
	}
	return nil
}

// Doctor are all findings about a cluster, in the form that is installed, or that would be.
func Doctor(c *Cluster, w Wants) []Finding {
	w.Upgrade = true
	f := Choose(c, w)
	if registered, installed := c.registered(); installed {
		f.NMState = registered
	}
	all := c.standsOn(f, w)
	found, a := c.ours(w)
	all = append(all, found...)
	switch {
	case len(a.newer) > 0:
		all = append(all, Finding{Warning, "Wukong", "newer than this command, which is of " + w.Tag + ": " + strings.Join(a.newer, "; ")})
	case len(a.older) > 0 && c.installed():
		all = append(all, Finding{Warning, "Wukong", "older than " + w.Tag + ": " + strings.Join(a.older, "; ") + ": kubectl wukong upgrade"})
	}
	if !c.may() {
		if c.denied[askHook] {
			all = append(all, Finding{Unknown, "Wukong's hook", "you may not read Deployments in " + Namespace})
		}
		return all
	}
	if !c.installed() {
		return append(all, Finding{Warning, "Wukong", "it is not installed: kubectl wukong install"})
	}
	return append(all, c.works(f)...)
}

// works are the findings about whether what is installed works.
func (c *Cluster) works(f Form) []Finding {
	form := Finding{OK, "Wukong", "installed " + f.Name()}
	if missing, _, known := c.missing(nmstate); !f.NMState && known && len(missing) == 0 {
		form = Finding{Warning, "Wukong", "installed without NMState, which is there: bridges are not made; kubectl wukong upgrade -nmstate changes that"}
	}
	all := []Finding{form, c.answers()}
	wanted := []string{"CompositeController wukong"}
	if f.NMState {
		wanted = append(wanted, "CompositeController wukong-networks", "DecoratorController wukong-nodes")
	}
	for _, title := range wanted {
		if kind, name, _ := strings.Cut(title, " "); c.controller(kind, name) == nil {
			all = append(all, Finding{Wrong, title, "it is missing: kubectl wukong upgrade"})
		}
	}
	if !f.NMState || c.denied[askNodes] || c.denied[askReported] {
		return all
	}
	reported := Finding{OK, "WukongNodes", fmt.Sprintf("%d of %d nodes have one", c.reported, c.nodes)}
	if c.reported < c.nodes {
		reported.Level = Warning
		reported.Says += ": no policy is made for the others; see kubectl get events -n default"
	}
	return append(all, reported)
}

// answers is the finding about whether the hook can be asked.
func (c *Cluster) answers() Finding {
	const about = "Wukong's hook"
	switch hook := c.hook; {
	case hook == nil:
		return Finding{Wrong, about, "Deployment " + Namespace + "/wukong is missing: kubectl wukong upgrade"}
	case hook.Status.ReadyReplicas == 0:
		return Finding{Wrong, about, "no replica is ready, so nothing is made or changed: kubectl -n " + Namespace + " describe pods"}
	default:
		return Finding{OK, about, fmt.Sprintf("%d replicas ready, %s", hook.Status.ReadyReplicas, imageOf(hook))}
	}
}
