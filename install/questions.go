// Package install decides how Wukong is installed in a cluster: whether what it stands on is there, which form fits, what is applied and in
// which order, and what is better left alone. It runs nothing and opens nothing: it is given what kubectl printed, and answers what
// kubectl is to apply.
package install

import (
	"maps"
	"slices"
	"strings"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Namespace is where the hook is. It is part of the addresses in the controllers, so there is no choice.
const Namespace = "wukong-system"

// Question is one thing that kubectl is asked about a cluster.
type Question struct {
	Key  string
	Args []string
}

// Access is what became of a question.
type Access int

// What may become of a question. Absent: its kind or object does not exist. Denied: the caller may not read it.
const (
	Told Access = iota
	Absent
	Denied
)

// Answer is what kubectl printed.
type Answer struct {
	Access Access
	Text   []byte
}

// The keys of the questions that are not about a kind.
const (
	askVersion     = "version"
	askDefinitions = "definitions"
	askControllers = "controllers"
	askWorkloads   = "workloads"
	askHook        = "hook"
	askCaller      = "caller"
	askRoles       = "roles"
	askKubeVirt    = "kubevirt"
	askCDI         = "cdi"
	askNamespace   = "namespace"
	askDashboard   = "dashboard"
	askTenancy     = "tenancy"
	askSecrets     = "secrets"
	askWukongs     = "wukongs"
	askNetworks    = "networks"
	askPolicies    = "policies"
	askNodes       = "nodes"
	askReported    = "reported"
)

// definitions are the names of the definitions that are looked into.
func definitions() []string {
	return []string{
		v1alpha1.Resource + "." + v1alpha1.Group, v1alpha1.NetworkResource + "." + v1alpha1.Group, v1alpha1.NodeResource + "." + v1alpha1.Group,
		policyDefinition,
	}
}

const policyDefinition = "nodenetworkconfigurationpolicies.nmstate.io"

// Questions are all questions. Of Secrets only the names are asked for, and only where TLS is wanted.
func Questions(w Wants) []Question {
	all := []Question{
		{askVersion, []string{"get", "--raw", "/version"}},
		{askDefinitions, append([]string{"get", "customresourcedefinitions.apiextensions.k8s.io", "--ignore-not-found", "--output=json"}, definitions()...)},
		{askControllers, get("compositecontrollers.metacontroller.k8s.io,decoratorcontrollers.metacontroller.k8s.io")},
		{askWorkloads, get("deployments.apps,statefulsets.apps", "--all-namespaces")},
		{askHook, get("deployments.apps", "--namespace="+Namespace)},
		{askCaller, get("deployments.apps,statefulsets.apps", "--namespace=metacontroller")},
		{askRoles, get("clusterroles.rbac.authorization.k8s.io,clusterrolebindings.rbac.authorization.k8s.io")},
		{askKubeVirt, get("kubevirts.kubevirt.io", "--all-namespaces")},
		{askCDI, get("cdis.cdi.kubevirt.io")},
		{askNamespace, names("namespaces", Namespace)},
		{askDashboard, names("configmaps", "wukong-dashboard", "--namespace="+Namespace)},
		{askTenancy, names("validatingadmissionpolicies.admissionregistration.k8s.io", "wukong-tenancy")},
		{askWukongs, get("wukongs.vm.novasphere.dev", "--all-namespaces")},
		{askNetworks, names("wukongnetworks.vm.novasphere.dev")},
		{askPolicies, names(policyDefinition, "--selector=app.kubernetes.io/managed-by=wukong")},
		{askNodes, names("nodes")},
		{askReported, names("wukongnodes.vm.novasphere.dev")},
	}
	if slices.Contains(w.With, "tls") {
		all = append(all, Question{askSecrets, names("secrets", "wukong-tls", "wukong-token", "--namespace="+Namespace)})
	}
	for _, groupVersion := range slices.Sorted(maps.Keys(needed())) {
		all = append(all, Question{groupVersion, []string{"get", "--raw", "/apis/" + groupVersion}})
	}
	return all
}

func get(resources string, args ...string) []string {
	return append([]string{"get", resources, "--output=json"}, args...)
}

func names(resource string, args ...string) []string {
	return append([]string{"get", resource, "--output=name", "--ignore-not-found"}, args...)
}

// The groups of the kinds that others bring.
const (
	nmstate        = "nmstate.io"
	multus         = "k8s.cni.cncf.io"
	kubevirt       = "kubevirt.io"
	cdi            = "cdi.kubevirt.io"
	metacontroller = "metacontroller.k8s.io"
	monitoring     = "monitoring.coreos.com"
)

// needed are the resources that are needed of others, by group and version. What the hook looks at is what a dump has of it.
func needed() map[string][]string {
	all := map[string][]string{
		metacontroller + "/v1alpha1": {"compositecontrollers", "decoratorcontrollers"},
		monitoring + "/v1":           {"prometheusrules", "servicemonitors"},
	}
	for _, kind := range dump.Kinds() {
		switch kind.Group() {
		case nmstate, multus, kubevirt, cdi:
			all[kind.APIVersion()] = append(all[kind.APIVersion()], kind.Resource)
		}
	}
	return all
}

// missing are the needed resources of a group that the cluster does not serve, in the version that is needed, and how many are needed.
// known is false where it may not be asked.
func (c *Cluster) missing(group string) (missing []string, of int, known bool) {
	for groupVersion, resources := range needed() {
		if named, _, _ := strings.Cut(groupVersion, "/"); named != group {
			continue
		}
		served, asked := c.kinds[groupVersion]
		if !asked {
			return nil, 0, false
		}
		for _, resource := range resources {
			of++
			if !slices.Contains(served, resource) {
				missing = append(missing, resource+" "+groupVersion)
			}
		}
	}
	slices.Sort(missing)
	return missing, of, true
}
