// Package status says what has become of Wukongs and WukongNetworks: a tree from the object to its policies on each node, attachments,
// machine and instance, what is waited for and since when, and what to type next. What it says of an object is what the hook's own
// functions answer about it on a dump; what it says of the others is what is written in them.
package status

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/picture"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// State is how it stands with something.
type State string

// The states.
const (
	Good    State = "good"
	Waiting State = "waiting" // nobody has to do anything but wait
	Failed  State = "failed"  // nothing goes on without somebody
	Absent  State = "absent"  // it does not exist yet
)

// Branch is an object and what hangs on it.
type Branch struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	State State  `json:"state"`

	// Says is the word for how it stands, such as Running or PolicyFailed, and Message the line that explains it.
	Says    string `json:"says,omitempty"`
	Message string `json:"message,omitempty"`

	// Since is when it has come to stand so; the zero time where nobody knows.
	Since metav1.Time `json:"since,omitzero"`

	// Next is the command to type next; only of roots.
	Next string `json:"next,omitempty"`

	Branches []*Branch `json:"branches,omitempty"`
}

// Report is the trees that were asked for.
type Report struct {
	Roots   []*Branch `json:"roots"`
	Missing []string  `json:"missing,omitempty"`

	// Unknown are names that were asked for, and of which there is neither a Wukong nor a WukongNetwork.
	Unknown []string `json:"unknown,omitempty"`

	// Now is the time of the report.
	Now metav1.Time `json:"now"`

	named bool
	trees []drawn
	seen  *picture.Cluster
}

// Make makes the report about some names, or about everything where none is given.
func Make(c *dump.Cluster, h dump.Hook, names ...string) (*Report, error) {
	c = c.Copy()
	if err := c.TellNodes(h); err != nil {
		return nil, err
	}
	r := &Report{Missing: c.Denied(), Now: metav1.NewTime(h.Now), named: len(names) > 0, Roots: []*Branch{}}
	r.seen = picture.See(c, h)
	found := map[string]bool{}
	for _, kind := range []string{facts.WukongNetworkKind, facts.WukongKind} {
		for _, parent := range c.All(kind) {
			if len(names) > 0 && !slices.Contains(names, parent.GetName()) {
				continue
			}
			found[parent.GetName()] = true
			answer, err := c.Ask(h, parent)
			if err != nil {
				r.add(unreadable(parent, err), nil)
				continue
			}
			t := &tree{c, parent, answer}
			r.add(t.root(), t)
		}
	}
	if slices.ContainsFunc(r.Roots, func(b *Branch) bool { return b.State != Good }) {
		r.Missing = c.Missing() // it may be why
	}
	for _, name := range names {
		if !found[name] {
			r.Unknown = append(r.Unknown, name)
		}
	}
	return r, nil
}

// add adds the tree of one object.
func (r *Report) add(root *Branch, t *tree) {
	r.Roots, r.trees = append(r.Roots, root), append(r.trees, drawn{root, t})
}

// unreadable is the branch of an object that the hook cannot answer about. Those of others are told all the same.
func unreadable(parent *unstructured.Unstructured, err error) *Branch {
	return &Branch{
		Kind: parent.GetKind(), Name: parent.GetName(), State: Failed, Says: "the hook cannot read it", Message: err.Error(),
		Next: "kubectl edit " + strings.ToLower(parent.GetKind()) + " " + parent.GetName(),
	}
}

// tree is what one tree is made of.
type tree struct {
	cluster *dump.Cluster
	parent  *unstructured.Unstructured
	answer  *dump.Answer
}

// root is the branch of the object itself.
func (t *tree) root() *Branch {
	ready := t.answer.Of(v1alpha1.ConditionReady)
	b := &Branch{Kind: t.parent.GetKind(), Name: t.parent.GetName(), Says: ready.Reason, Message: ready.Message, Since: t.since(ready), State: Waiting}
	switch {
	case ready.Status == metav1.ConditionTrue:
		b.State = Good
	case t.answer.Of(v1alpha1.ConditionStalled).Status == metav1.ConditionTrue:
		b.State = Failed
	}
	if condition(t.parent, v1alpha1.ConditionReady) == nil {
		b.Since = t.parent.GetCreationTimestamp() // nobody has written a status yet
	}
	if b.Kind == v1alpha1.NetworkKind {
		b.Branches = t.policies()
	} else {
		b.Branches = append(t.networks(), t.machine())
	}
	b.Next = t.next(b)
	return b
}

// since is when a condition of the answer has changed last: as it is written, if it is written so. What the hook says just now is not
// since a time that anybody knows.
func (t *tree) since(c metav1.Condition) metav1.Time {
	if text(condition(t.parent, c.Type), "status") != string(c.Status) {
		return metav1.Time{}
	}
	return since(t.parent, c.Type)
}

// networks are the branches of a Wukong's networks.
func (t *tree) networks() []*Branch {
	var all []*Branch
	networks, _, _ := unstructured.NestedSlice(t.answer.Status, "networks")
	spec, _, _ := unstructured.NestedSlice(t.parent.Object, "spec", "networks")
	for _, item := range networks {
		n, _ := item.(map[string]any)
		b := &Branch{Kind: "network", Name: text(n, "name"), State: Good, Says: text(n, "type"), Message: text(n, "message")}
		if bridge := text(n, "bridge"); bridge != "" {
			b.Says = strings.TrimSpace(b.Says + " " + bridge)
		}
		if uplink := text(n, "uplink"); uplink != "" {
			b.Says += " on " + uplink
		}
		switch stalled := t.answer.Of(v1alpha1.ConditionStalled).Message; {
		case b.Message == "":
		case strings.Contains(stalled, b.Message):
			b.State = Failed
		default:
			b.State = Waiting
		}
		if policy := text(n, "policyName"); policy != "" {
			b.Branches = append(b.Branches, t.policy(policy))
		}
		for _, s := range spec {
			if in, _ := s.(map[string]any); in["name"] == n["name"] && text(in, "networkName") != "" {
				b.Branches = append(b.Branches, t.shared(text(in, "networkName")))
			}
		}
		if attachment := text(n, "nadName"); attachment != "" {
			b.Branches = append(b.Branches, t.attachment(attachment))
		}
		all = append(all, b)
	}
	return all
}

// policies are the branches of a WukongNetwork's policies.
func (t *tree) policies() []*Branch {
	var all []*Branch
	policies, _, _ := unstructured.NestedSlice(t.answer.Status, "policies")
	for _, item := range policies {
		p, _ := item.(map[string]any)
		all = append(all, t.policy(text(p, "name")))
	}
	return all
}

// policy is a policy and what has become of it on each node.
func (t *tree) policy(name string) *Branch {
	b := &Branch{Kind: "policy", Name: name, State: Absent, Says: "not there yet"}
	p := t.cluster.Get(facts.PolicyKind, name)
	if p == nil {
		return b.with(t.looks(name))
	}
	b.State, b.Says = Waiting, "NMState has not looked at it yet"
	for _, kind := range []string{"Degraded", "Progressing", "Available", "Ignored"} {
		if c := condition(p, kind); text(c, "status") == "True" {
			b.Says, b.State, b.Since = kind, map[string]State{"Available": Good, "Progressing": Waiting}[kind], since(p, kind)
			if b.State == "" {
				b.State = Failed
			}
			break
		}
	}
	for _, e := range t.cluster.Labeled(facts.EnactmentKind, "nmstate.io/policy", name) {
		b.Branches = append(b.Branches, t.enactment(p, e))
	}
	return b
}

// looks are the nodes that speak against a policy that does not exist.
func (t *tree) looks(policy string) []*Branch {
	var all []*Branch
	for _, look := range t.answer.Looks {
		switch {
		case look.Policy != policy:
		case look.Refused != "":
			all = append(all, &Branch{Kind: "node", Name: look.Node, State: Failed, Says: "speaks against it", Message: look.Refused})
		case look.Waits != "":
			all = append(all, &Branch{Kind: "node", Name: look.Node, State: Waiting, Says: "is not known", Message: look.Waits})
		}
	}
	return all
}

func (b *Branch) with(branches []*Branch) *Branch {
	b.Branches = branches
	return b
}

// enactment is what has become of a policy on one node.
func (t *tree) enactment(p, e *unstructured.Unstructured) *Branch {
	b := &Branch{Kind: "node", Name: e.GetLabels()["nmstate.io/node"], State: Waiting, Says: "has not begun"}
	for _, kind := range []string{"Failing", "Progressing", "Available", "Aborted"} {
		if c := condition(e, kind); text(c, "status") == "True" {
			b.Says, b.Since = kind, since(e, kind)
			b.State = map[string]State{"Available": Good, "Progressing": Waiting}[kind]
			if b.State == "" {
				b.State, b.Message = Failed, usefulLine(text(c, "message"))
			}
			break
		}
	}
	generation, _, _ := unstructured.NestedInt64(e.Object, "status", "policyGeneration")
	if b.State == Good && generation != 0 && p.GetGeneration() != 0 && generation != p.GetGeneration() {
		b.State, b.Says = Waiting, "has an earlier form of it"
	}
	return b
}

// shared is the WukongNetwork that a network uses.
func (t *tree) shared(name string) *Branch {
	b := &Branch{Kind: v1alpha1.NetworkKind, Name: name, State: Absent, Says: "does not exist"}
	u := t.cluster.Get(facts.WukongNetworkKind, name)
	if u == nil {
		return b
	}
	c := condition(u, v1alpha1.ConditionReady)
	b.State, b.Says, b.Message, b.Since = Waiting, text(c, "reason"), text(c, "message"), since(u, v1alpha1.ConditionReady)
	switch {
	case text(c, "status") == "True":
		b.State, b.Message = Good, ""
	case text(condition(u, v1alpha1.ConditionStalled), "status") == "True":
		b.State = Failed
	}
	return b
}

func (t *tree) attachment(key string) *Branch {
	b := &Branch{Kind: "attachment", Name: key, State: Absent, Says: "not there yet"}
	if u := t.cluster.Get(facts.AttachmentKind, key); u != nil {
		b.State, b.Says, b.Since = Good, "exists", u.GetCreationTimestamp()
	}
	return b
}

// namespace is where the machine is.
func (t *tree) namespace() string {
	if namespace, _, _ := unstructured.NestedString(t.parent.Object, "spec", "namespace"); namespace != "" {
		return namespace
	}
	return "default"
}

// machine is the machine, its disks that are not filled yet, and its instance.
func (t *tree) machine() *Branch {
	c := t.answer.Of(v1alpha1.ConditionMachineReady)
	key := facts.Qualified(t.namespace(), t.parent.GetName())
	b := &Branch{Kind: "machine", Name: key, State: Waiting, Says: c.Reason, Message: c.Message, Since: t.since(c)}
	m := t.cluster.Get(facts.MachineKind, key)
	switch {
	case m == nil:
		b.State, b.Says, b.Since = Absent, "not there yet", metav1.Time{}
		return b
	case c.Status == metav1.ConditionTrue:
		b.State = Good
	case t.answer.Of(v1alpha1.ConditionStalled).Reason == c.Reason:
		b.State = Failed
	}
	if says, _, _ := unstructured.NestedString(m.Object, "status", "printableStatus"); says != "" {
		b.Says = says
	}
	b.Branches = t.disks(m)
	if i := t.cluster.Get(facts.InstanceKind, key); i != nil {
		b.Branches = append(b.Branches, instance(i))
	}
	return b
}

// disks are the DataVolumes of a machine, where the dump has them.
func (t *tree) disks(m *unstructured.Unstructured) []*Branch {
	var all []*Branch
	templates, _, _ := unstructured.NestedSlice(m.Object, "spec", "dataVolumeTemplates")
	for _, item := range templates {
		template, _ := item.(map[string]any)
		name, _, _ := unstructured.NestedString(template, "metadata", "name")
		dv := t.cluster.Get(facts.DataVolumeKind, facts.Qualified(m.GetNamespace(), name))
		if dv == nil {
			continue
		}
		phase, _, _ := unstructured.NestedString(dv.Object, "status", "phase")
		progress, _, _ := unstructured.NestedString(dv.Object, "status", "progress")
		b := &Branch{Kind: "disk", Name: name, Says: phase, State: Waiting}
		switch phase {
		case "Succeeded":
			b.State = Good
		case "Failed":
			b.State = Failed
		default:
			b.Message = progress
		}
		all = append(all, b)
	}
	return all
}

// instance is the running machine.
func instance(i *unstructured.Unstructured) *Branch {
	phase, _, _ := unstructured.NestedString(i.Object, "status", "phase")
	node, _, _ := unstructured.NestedString(i.Object, "status", "nodeName")
	b := &Branch{Kind: "instance", Name: i.GetName(), Says: phase, State: Waiting, Since: i.GetCreationTimestamp()}
	switch phase {
	case "Running":
		b.State = Good
	case "Failed":
		b.State = Failed
	}
	if node != "" {
		b.Says += " on " + node
	}
	return b
}

// text is a text in an object; empty where it has none.
func text(o map[string]any, field string) string {
	s, _ := o[field].(string)
	return s
}

// condition is a condition of an object as it is written; nil where there is none.
func condition(u *unstructured.Unstructured, kind string) map[string]any {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range conditions {
		if c, _ := item.(map[string]any); c["type"] == kind {
			return c
		}
	}
	return nil
}

// since is when a condition of an object has changed last; the zero time where it does not say.
func since(u *unstructured.Unstructured, kind string) metav1.Time {
	at, err := time.Parse(time.RFC3339, text(condition(u, kind), "lastTransitionTime"))
	if err != nil {
		return metav1.Time{}
	}
	return metav1.NewTime(at)
}
