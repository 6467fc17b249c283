package install

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/deploy"
)

// caller is Metacontroller as a Deployment or a StatefulSet runs it.
type caller struct {
	workload  appsv1.Deployment
	container corev1.Container
	flags     map[string]string
}

func (m caller) name() string {
	return m.workload.Kind + " " + m.workload.Namespace + "/" + m.workload.Name
}

// callers are all Metacontrollers that are seen.
func (c *Cluster) callers() []caller {
	var all []caller
	for _, w := range c.workloads {
		for _, container := range w.Spec.Template.Spec.Containers {
			name, _ := parted(container.Image)
			if name = name[strings.LastIndex(name, "/")+1:]; name == "metacontroller" || name == "metacontroller-helm" {
				all = append(all, caller{w, container, flags(append(slices.Clone(container.Command), container.Args...))})
			}
		}
	}
	return all
}

// flags are the flags in a command line. One without a value is true.
func flags(args []string) map[string]string {
	all := map[string]string{}
	for i, arg := range args {
		name, value, is := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !strings.HasPrefix(arg, "-") {
			continue
		}
		if !is {
			value = "true"
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				value = args[i+1]
			}
		}
		all[name] = value
	}
	return all
}

// metacontroller are the findings about Metacontroller: whether it is there once, what it is run with, and what it may do.
func (c *Cluster) metacontroller(f Form, w Wants) []Finding {
	const about = "Metacontroller"
	if found, is := c.unserved(about, metacontroller, "install Metacontroller first, see the README"); is {
		return []Finding{found}
	}
	all := c.callers()
	switch {
	case len(all) == 0 && c.denied[askWorkloads]:
		return []Finding{{Unknown, about, "you may not list Deployments and StatefulSets, and it is not in namespace metacontroller"}}
	case len(all) == 0:
		return []Finding{{Warning, about, "no Deployment or StatefulSet runs its image: nobody calls the hook until one does"}}
	case len(all) > 1:
		return []Finding{{Wrong, about, "it runs twice, as " + all[0].name() + " and " + all[1].name() + ", and both would write: remove one"}}
	}
	m := all[0]
	_, tag := parted(m.container.Image)
	found := aged(about, strings.TrimPrefix(tag, "v"))
	if found.Level == OK {
		found.Says += " as " + m.name() + ", " + m.says()
	}
	return append(append([]Finding{found}, m.runs()...), c.allowed(m, f, w))
}

// says is what Metacontroller's flags say.
func (m caller) says() string {
	given := func(name, otherwise string) string {
		if value := m.flags[name]; value != "" {
			return value
		}
		return otherwise
	}
	return given("apply-strategy", "dynamic-apply") + ", kinds looked for every " + given("discovery-interval", "30s") + ", " +
		given("client-go-qps", "5") + " requests a second"
}

// runs are the findings about the way in which it runs.
func (m caller) runs() []Finding {
	const about = "Metacontroller"
	var all []Finding
	replicas := int32(1)
	if m.workload.Spec.Replicas != nil {
		replicas = *m.workload.Spec.Replicas
	}
	switch {
	case replicas == 0:
		all = append(all, Finding{Warning, about, m.name() + " has no replicas: scale it to 1, or nothing is made or changed"})
	case replicas > 1 && m.flags["leader-election"] != "true":
		all = append(all, Finding{Wrong, about, fmt.Sprintf("%s has %d replicas without --leader-election, which write against each other: scale it to 1", m.name(), replicas)})
	case m.workload.Status.ReadyReplicas == 0:
		all = append(all, Finding{Warning, about, m.name() + " is not ready: nothing is made or changed until it is; see its Pods"})
	}
	if qps, err := strconv.ParseFloat(m.flags["client-go-qps"], 64); err != nil || qps < 50 {
		all = append(all, Finding{Warning, about, "it may ask too seldom for more than some 24 machines: run it with --client-go-qps=100 --client-go-burst=200 --workers=10, see deploy/README.md"})
	}
	for _, flag := range []struct {
		name           string
		least, most    time.Duration
		little, lavish string
	}{
		{"discovery-interval", 0, 2 * time.Minute, "", "a kind that is installed later is found late"},
		{"cache-flush-interval", 5 * time.Minute, 24 * time.Hour, "the hook is called about everything that often", "what was missed is not looked at again for long"},
	} {
		given, err := time.ParseDuration(m.flags[flag.name])
		switch {
		case err != nil:
		case given < flag.least:
			all = append(all, Finding{Warning, about, "--" + flag.name + "=" + m.flags[flag.name] + ": " + flag.little})
		case given > flag.most:
			all = append(all, Finding{Warning, about, "--" + flag.name + "=" + m.flags[flag.name] + ": " + flag.lavish})
		}
	}
	return all
}

// roleName is the ClusterRole that deploy/metacontroller-role narrows.
const roleName = "metacontroller"

// allowed is the finding about what Metacontroller may do. What it may not list it waits for, and tells nobody.
func (c *Cluster) allowed(m caller, f Form, w Wants) Finding {
	const about = "Metacontroller's rights"
	if c.denied[askRoles] {
		return Finding{Unknown, about, "you may not list ClusterRoles and their bindings"}
	}
	account := m.workload.Spec.Template.Spec.ServiceAccountName
	if account == "" {
		account = "default"
	}
	var has []rbacv1.PolicyRule
	bound := map[string]bool{}
	for _, binding := range c.bindings {
		if slices.ContainsFunc(binding.Subjects, func(s rbacv1.Subject) bool {
			return s.Kind == "ServiceAccount" && s.Name == account && s.Namespace == m.workload.Namespace
		}) {
			has = append(has, c.roles[binding.RoleRef.Name]...)
			bound[binding.RoleRef.Name] = true
		}
	}
	if w.wants(ownRole) {
		if !bound[roleName] || m.workload.Namespace != roleName {
			return Finding{Wrong, about, "they are not from the ClusterRole metacontroller in namespace metacontroller, which -with metacontroller-role replaces: leave that out"}
		}
		return Finding{OK, about, "ClusterRole metacontroller becomes what Wukong needs, and no more"}
	}
	if right := lacks(has, neededRules(f)); right != "" {
		out := "give it to " + m.workload.Namespace + "/" + account
		if bound[roleName] && m.workload.Namespace == roleName {
			out = "add -with metacontroller-role, or " + out
		}
		return Finding{Wrong, about, "it may not " + right + ", and would wait for that without a word: " + out}
	}
	return Finding{OK, about, "it may do what is needed"}
}

// neededRules are the rules of deploy/metacontroller-role that a form needs. Those of the subresource finalizers are asked for only where
// an admission plugin is on, and those about what NMState or CDI brings need their kinds.
func neededRules(f Form) []rbacv1.PolicyRule {
	content, err := deploy.Files.ReadFile("metacontroller-role/clusterrole.yaml")
	if err != nil {
		panic(err) // it is embedded
	}
	var role rbacv1.ClusterRole
	if err := yaml.Unmarshal(content, &role); err != nil {
		panic(err)
	}
	return slices.DeleteFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
		return !f.NMState && slices.Contains(r.APIGroups, nmstate) || slices.Contains(r.Resources, "nodes/finalizers")
	})
}

// lacks is the first right of some rules that others do not give; empty where they give all.
func lacks(has, needed []rbacv1.PolicyRule) string {
	for _, rule := range needed {
		for _, resource := range rule.Resources {
			if strings.HasSuffix(resource, "/finalizers") {
				continue
			}
			for _, verb := range rule.Verbs {
				if !slices.ContainsFunc(has, func(r rbacv1.PolicyRule) bool { return gives(r, rule.APIGroups[0], resource, verb) }) {
					return strings.TrimSuffix(verb+" "+resource+"."+rule.APIGroups[0], ".")
				}
			}
		}
	}
	return ""
}

// gives reports whether a rule gives a right to all objects of a resource.
func gives(r rbacv1.PolicyRule, group, resource, verb string) bool {
	in := func(all []string, wanted ...string) bool {
		return slices.ContainsFunc(all, func(s string) bool { return s == "*" || slices.Contains(wanted, s) })
	}
	resources := []string{resource}
	if _, below, is := strings.Cut(resource, "/"); is {
		resources = append(resources, "*/"+below)
	}
	return len(r.ResourceNames) == 0 && in(r.APIGroups, group) && in(r.Resources, resources...) && in(r.Verbs, verb)
}
