package install

import (
	"fmt"
	"strings"
)

// Level says how a finding is to be taken.
type Level string

// The levels. Wrong stops an installation before anything is applied; Unknown is what could not be read.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Wrong   Level = "wrong"
	Unknown Level = "unknown"
)

// Finding is what was found of one thing, and a way out where it is not as it should be.
type Finding struct {
	Level Level  `json:"level"`
	About string `json:"about"`
	Says  string `json:"says"`
}

func (f Finding) String() string {
	return fmt.Sprintf("%-8s %s: %s", f.Level, f.About, f.Says)
}

// Stops reports whether there is a finding that stops an installation.
func Stops(all []Finding) bool {
	for _, f := range all {
		if f.Level == Wrong {
			return true
		}
	}
	return false
}

// standsOn are the findings about what Wukong stands on, in a form.
func (c *Cluster) standsOn(f Form, w Wants) []Finding {
	all := []Finding{aged("Kubernetes", c.kubernetes)}
	all = append(all, c.metacontroller(f, w)...)
	all = append(all, c.machines(), c.attachments(), c.disks(), c.policiesOf(f, w))
	for _, component := range f.Components {
		all = append(all, c.component(component, w)...)
	}
	return all
}

// unserved is a finding about resources of a group that are not served; ok is false where all are.
func (c *Cluster) unserved(about, group, why string) (Finding, bool) {
	missing, _, known := c.missing(group)
	switch {
	case !known:
		return Finding{Unknown, about, "you may not ask which kinds of " + group + " there are"}, true
	case len(missing) > 0:
		return Finding{Wrong, about, fmt.Sprintf("%s is missing: %s", missing[0], why)}, true
	}
	return Finding{}, false
}

// A kind that the controllers name and the cluster does not have keeps Metacontroller from calling the hook at all.
const blocks = ", because without it the hook is never called"

func (c *Cluster) machines() Finding {
	if f, is := c.unserved("KubeVirt", kubevirt, "install KubeVirt first"+blocks); is {
		return f
	}
	f := aged("KubeVirt", c.kubevirt)
	if c.denied[askKubeVirt] {
		f.Says = "you may not read its KubeVirt, so its version is not known"
	}
	if f.Level == OK && !c.deployed {
		return Finding{Warning, f.About, f.Says + " is not deployed yet: no machine starts before; see kubectl get kubevirt -A"}
	}
	return f
}

func (c *Cluster) attachments() Finding {
	if f, is := c.unserved("Multus", multus, "install Multus first"+blocks); is {
		return f
	}
	return Finding{OK, "Multus", "its kind is there"}
}

// disks is about CDI. Its kind is asked for only where a machine has disks.
func (c *Cluster) disks() Finding {
	f, is := c.unserved("CDI", cdi, "machines can have no disks but claimName before the Containerized Data Importer is installed")
	switch {
	case is && f.Level == Wrong:
		f.Level = Warning
		return f
	case is:
		return f
	case c.cdi == "":
		return Finding{OK, "CDI", "its kind is there"}
	}
	return Finding{OK, "CDI", c.cdi}
}

// policiesOf is about NMState, which a form needs or not.
func (c *Cluster) policiesOf(f Form, w Wants) Finding {
	const about = "kubernetes-nmstate"
	missing, of, known := c.missing(nmstate)
	switch {
	case !known:
		return Finding{Unknown, about, "you may not ask which kinds of nmstate.io there are"}
	case len(missing) > 0 && len(missing) < of:
		return Finding{Wrong, about, missing[0] + " is missing, others are there: wait until NMState is installed, or remove it"}
	case f.NMState && len(missing) > 0 && w.NMState == nil:
		return Finding{Wrong, about, "its kinds are missing and Wukong is installed with them, so the hook is never called: kubectl wukong upgrade"}
	case f.NMState && len(missing) > 0:
		return Finding{Wrong, about, "it is not there, and the form with it needs its kinds, or the hook is never called: leave out -nmstate, or install it"}
	case len(missing) > 0:
		return Finding{OK, about, "it is not there: the bridges have to be on the nodes already"}
	case !f.NMState:
		return Finding{OK, about, "it is there and not used"}
	}
	for _, w := range c.workloads {
		for _, container := range w.Spec.Template.Spec.Containers {
			if name, tag := parted(container.Image); strings.HasSuffix(name, "kubernetes-nmstate-operator") {
				return aged(about, strings.TrimPrefix(tag, "v"))
			}
		}
	}
	return Finding{Unknown, about, "its kinds are there, and its operator is not seen, so its version is not known"}
}

// component is about what a component needs.
func (c *Cluster) component(name string, w Wants) []Finding {
	about := "-with " + name
	switch name {
	case "monitoring":
		if f, is := c.unserved(about, monitoring, "install the Prometheus operator first, or leave out monitoring"); is {
			return []Finding{f}
		}
	case "tls":
		if c.denied[askSecrets] {
			return []Finding{{Unknown, about, "you may not read Secrets in " + Namespace + ", so whether wukong-tls and wukong-token are there is not known"}}
		}
		for _, secret := range []string{"wukong-tls", "wukong-token"} {
			if w.wants("tls") && !strings.Contains(strings.Join(c.secrets, " ")+" ", "/"+secret+" ") {
				return []Finding{{Wrong, about, "Secret " + Namespace + "/" + secret + " is missing: deploy/README.md has the commands that make it"}}
			}
		}
	}
	return nil
}
