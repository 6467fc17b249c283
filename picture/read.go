package picture

import (
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Cluster is a dump of which owners are drawn.
type Cluster struct {
	dump     *dump.Cluster
	hook     dump.Hook
	networks []*v1alpha1.WukongNetwork
}

// See reads what all owners of a dump have in common.
func See(c *dump.Cluster, h dump.Hook) *Cluster {
	seen := &Cluster{dump: c, hook: h}
	for _, u := range c.All(facts.WukongNetworkKind) {
		if n := (&v1alpha1.WukongNetwork{}); convert(u.Object, n) {
			seen.networks = append(seen.networks, n)
		}
	}
	return seen
}

// convert reads a value into a type, and says whether it could.
func convert(from, into any) bool {
	text, err := json.Marshal(from)
	return err == nil && json.Unmarshal(text, into) == nil
}

// Owner is a Wukong or WukongNetwork with the children that it has, and with those that it asks for and does not have yet. What is there
// is drawn as it is.
func (c *Cluster) Owner(parent *unstructured.Unstructured, a *dump.Answer) Owner {
	o := Owner{Kind: parent.GetKind(), Name: parent.GetName(), Mark: whole(a)}
	wanted := c.wanted(parent)
	asked := map[string]bool{}
	for _, u := range wanted {
		asked[u.GetKind()+" "+u.GetName()] = true
	}
	for _, kind := range []string{facts.PolicyKind, facts.AttachmentKind, facts.MachineKind} {
		there := map[string]bool{}
		for _, u := range c.dump.Children(parent, kind) {
			there[facts.Qualified(u.GetNamespace(), u.GetName())] = true
			m := Mark{State: Good}
			if wanted != nil && !asked[u.GetKind()+" "+u.GetName()] {
				m = Mark{State: Leaving, Word: "asked for no more"}
			}
			o.Add(u, m)
		}
		for _, u := range wanted {
			key := facts.Qualified(u.GetNamespace(), u.GetName())
			if of, _ := dump.KindOf(u); of.Key == kind && !there[key] {
				o.Add(u, Mark{State: Absent})
			}
		}
	}
	c.judge(&o, parent, a)
	return o
}

// whole is the mark of an owner, by the answer about it.
func whole(a *dump.Answer) Mark {
	ready, stalled := a.Of(v1alpha1.ConditionReady), a.Of(v1alpha1.ConditionStalled)
	switch {
	case stalled.Status == metav1.ConditionTrue:
		m := Mark{Refused, stalled.Reason, stalled.Message}
		switch v1alpha1.Reason(stalled.Reason) {
		case v1alpha1.ReasonPolicyFailed, v1alpha1.ReasonBridgeLost, v1alpha1.ReasonMachineFailed:
			m.State = Failed
		}
		return m
	case ready.Status == metav1.ConditionTrue:
		return Mark{Good, ready.Reason, ""}
	}
	return Mark{Waiting, ready.Reason, ready.Message}
}

// wanted are the children that an owner asks for; nil where the hook refuses the whole of it, or the owner is being deleted.
func (c *Cluster) wanted(parent *unstructured.Unstructured) []*unstructured.Unstructured {
	if parent.GetDeletionTimestamp() != nil {
		return nil
	}
	if parent.GetKind() == v1alpha1.NetworkKind {
		n := &v1alpha1.WukongNetwork{}
		if !convert(parent.Object, n) {
			return nil
		}
		policies, err := sync.RenderNetwork(n, c.hook.Settings, c.hook.NMState)
		if err != nil {
			return nil
		}
		return policies
	}
	w := &v1alpha1.Wukong{}
	if !convert(parent.Object, w) {
		return nil
	}
	stages, err := sync.Render(w, c.networks, c.hook.Settings, c.hook.NMState)
	if err != nil {
		return nil
	}
	return append(append(stages.NodeNetwork, stages.Attachments...), stages.Machine...)
}

// Add adds a child to an owner.
func (o *Owner) Add(u *unstructured.Unstructured, m Mark) {
	text, err := json.Marshal(u.Object)
	if err != nil {
		return // it was JSON
	}
	switch u.GetKind() {
	case "NodeNetworkConfigurationPolicy":
		o.Policies = append(o.Policies, Policy{Policy: policyOf(u, text), Mark: m, Nodes: map[string]Mark{}})
	case "NetworkAttachmentDefinition":
		o.Attachments = append(o.Attachments, attachmentOf(u, text, m))
	case "VirtualMachine":
		machine := &Machine{Namespace: u.GetNamespace(), Name: u.GetName(), Mark: m}
		for _, p := range facts.MachineOf(text).Plugs.Networks {
			if p.Attachment != "" {
				p.Attachment = facts.Qualified(facts.Unqualified(p.Attachment, u.GetNamespace()))
			}
			machine.Plugs = append(machine.Plugs, p)
		}
		machine.NodeSelector, _, _ = unstructured.NestedStringMap(u.Object, "spec", "template", "spec", "nodeSelector")
		o.Machine = machine
	}
}

func policyOf(u *unstructured.Unstructured, text []byte) *facts.Policy {
	p := facts.PolicyOf(text)
	p.Key, p.Name = u.GetName(), u.GetName()
	return p
}

func attachmentOf(u *unstructured.Unstructured, text []byte, m Mark) Attachment {
	a := Attachment{Attachment: facts.AttachmentOf(text), Mark: m, Resource: u.GetAnnotations()["k8s.v1.cni.cncf.io/resourceName"]}
	a.Key, a.Namespace, a.Name = facts.Qualified(u.GetNamespace(), u.GetName()), u.GetNamespace(), u.GetName()
	return a
}

// judge gives the children marks by what the answer says of each network.
func (c *Cluster) judge(o *Owner, parent *unstructured.Unstructured, a *dump.Answer) {
	var status v1alpha1.WukongStatus
	convert(a.Status, &status)
	for i := range o.Policies {
		o.Policies[i].judge(o, status.Networks)
		o.Policies[i].look(a.Looks)
	}
	for i := range o.Attachments {
		m := &o.Attachments[i]
		for _, n := range status.Networks {
			switch {
			case n.NADName != m.Key:
			case m.State == Absent:
				m.Mark = missing(o.Mark, n.Message, n.PolicyName != "")
			case m.State == Leaving:
				m.Why = n.Message
			}
		}
	}
	if o.Kind != v1alpha1.Kind {
		return
	}
	if o.Machine == nil {
		o.undecided(parent, status.Networks)
	}
	if parent.GetDeletionTimestamp() != nil && o.Machine.State == Absent {
		o.Machine = &Machine{Namespace: o.Machine.Namespace, Name: o.Name, Mark: Mark{State: Leaving, Word: o.Word}}
		return
	}
	o.Machine.judge(o, a)
	instance := c.dump.Get(facts.InstanceKind, facts.Qualified(o.Machine.Namespace, o.Machine.Name))
	if instance != nil {
		o.Machine.Node, _, _ = unstructured.NestedString(instance.Object, "status", "nodeName")
	}
}

// missing is the mark of a child that does not exist, by the message about its network. later is whether something else comes before it,
// which is then what is refused.
func missing(owner Mark, message string, later bool) Mark {
	if message != "" && strings.Contains(owner.Why, message) && owner.State == Refused && !later {
		return owner
	}
	return Mark{State: Absent, Why: message}
}

func (p *Policy) judge(o *Owner, networks []v1alpha1.NetworkStatus) {
	if p.State == Good {
		return
	}
	if o.Kind == v1alpha1.NetworkKind {
		if p.State == Absent {
			p.Mark = missing(o.Mark, o.Why, false)
		}
		return
	}
	for _, n := range networks {
		switch {
		case n.PolicyName != p.Name:
		case p.State == Leaving:
			p.Why = n.Message
		default:
			p.Mark = missing(o.Mark, n.Message, false)
		}
	}
}

// look gives the nodes of a policy that does not exist their marks: those that speak against it, and those of which nothing is known.
func (p *Policy) look(looks []sync.Look) {
	against := false
	for _, look := range looks {
		switch {
		case look.Policy != p.Name || p.State == Good || p.State == Leaving:
		case look.Refused != "":
			p.Nodes[look.Node], against = Mark{State: Refused, Why: look.Refused}, true
			p.Why = strings.TrimPrefix(p.Why, look.Refused+": ") // what helps is left, and what was found stands at the node
		case look.Waits != "":
			p.Nodes[look.Node] = Mark{State: Absent, Why: look.Waits}
		}
	}
	for _, look := range looks {
		if _, said := p.Nodes[look.Node]; look.Policy == p.Name && against && !said {
			p.Nodes[look.Node] = Mark{State: Absent} // another node is why
		}
	}
}

// judge gives the machine its mark.
func (m *Machine) judge(o *Owner, a *dump.Answer) {
	c := a.Of(v1alpha1.ConditionMachineReady)
	switch {
	case m.State == Absent && o.State == Refused:
		m.Mark = o.Mark
	case m.State == Absent:
		m.Word, m.Why = o.Word, c.Message
	case c.Status != metav1.ConditionTrue && a.Of(v1alpha1.ConditionStalled).Reason == c.Reason:
		m.Mark = Mark{Failed, c.Reason, c.Message}
	case c.Status != metav1.ConditionTrue:
		m.Mark = Mark{Waiting, c.Reason, c.Message}
	default:
		m.Word = c.Reason
	}
}

// undecided adds the machine of a Wukong of which the hook decides nothing, and its attachments, as far as its status tells.
func (o *Owner) undecided(parent *unstructured.Unstructured, networks []v1alpha1.NetworkStatus) {
	namespace, _, _ := unstructured.NestedString(parent.Object, "spec", "namespace")
	if namespace == "" {
		namespace = "default"
	}
	m := &Machine{Namespace: namespace, Name: parent.GetName(), Mark: Mark{State: Absent}}
	for _, n := range networks {
		if n.NADName != "" || n.Type == v1alpha1.Pod {
			m.Plugs = append(m.Plugs, facts.Plug{Name: n.Name, Attachment: n.NADName})
		}
		there := slices.ContainsFunc(o.Attachments, func(a Attachment) bool { return a.Key == n.NADName })
		if own := o.Name + "-" + n.Name + "-nad"; n.NADName == facts.Qualified(namespace, own) && !there {
			a := &facts.Attachment{Object: facts.Object{Key: n.NADName, Namespace: namespace, Name: own}, Bridge: n.Bridge, Plugin: string(n.Type)}
			o.Attachments = append(o.Attachments, Attachment{Attachment: a, Mark: missing(o.Mark, n.Message, n.PolicyName != "")})
		}
	}
	o.Machine = m
}

// Nodes are the labels of the nodes, as WukongNodes have them or else Nodes; nil where the dump has neither.
func (c *Cluster) Nodes() map[string]map[string]string {
	var all map[string]map[string]string
	for _, kind := range []string{facts.NodeKind, facts.WukongNodeKind} {
		for _, u := range c.dump.All(kind) {
			if all == nil {
				all = map[string]map[string]string{}
			}
			all[u.GetName()] = u.GetLabels()
		}
	}
	return all
}

// Others are the policies and attachments that are none of the owners'.
func (c *Cluster) Others(owners []Owner) (policies []Policy, attachments []Attachment) {
	own := map[string]bool{}
	for _, o := range owners {
		for _, p := range o.Policies {
			own[p.Name] = true
		}
		for _, a := range o.Attachments {
			own[a.Key] = true
		}
	}
	var rest Owner
	for _, kind := range []string{facts.PolicyKind, facts.AttachmentKind} {
		for _, u := range c.dump.All(kind) {
			if !own[facts.Qualified(u.GetNamespace(), u.GetName())] {
				rest.Add(u, Mark{State: Good})
			}
		}
	}
	for i := range rest.Policies {
		p := &rest.Policies[i]
		own[p.Name] = true
		if d := p.Conditions.Of("Degraded"); d.True() {
			p.Mark = Mark{State: Failed, Word: "Degraded"}
		} else if p.Busy() {
			p.Mark = Mark{State: Waiting, Word: "Progressing"}
		}
	}
	return append(rest.Policies, c.expected(own)...), rest.Attachments
}

// expected are the policies that WukongNetworks will have, but for those that are known.
func (c *Cluster) expected(known map[string]bool) []Policy {
	var all []Policy
	for _, u := range c.dump.All(facts.WukongNetworkKind) {
		var rest Owner
		for _, p := range c.wanted(u) {
			if !known[p.GetName()] {
				rest.Add(p, Mark{State: Absent})
			}
		}
		for _, p := range rest.Policies {
			p.Owner = facts.Owner{Kind: v1alpha1.NetworkKind, Name: u.GetName(), Controller: true}
			all = append(all, p)
		}
	}
	return all
}
