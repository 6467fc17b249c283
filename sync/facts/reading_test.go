package facts_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/types"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
)

// This file reads a request a second time, as plainly as can be: it makes maps of the whole request, and looks each fact up by
// its path. What is at a path and is of the wrong kind is not there.

// seen is everything that is observed.
type seen struct {
	Policies           set[facts.Policy]
	Attachments        set[facts.Attachment]
	Machines           set[facts.Machine]
	RelatedPolicies    set[facts.Policy]
	RelatedAttachments set[facts.Attachment]
	RelatedMachines    set[facts.Machine]
	Enactments         set[facts.Enactment]
	Instances          set[facts.Instance]
	Nodes              set[facts.Node]
	States             set[string] // as fmt prints them
	Wukongs            set[facts.Wukong]
	Namespaces         set[facts.Namespace]
	DataVolumes        set[facts.DataVolume]
	Claims             set[facts.VolumeClaim]

	WukongNodes, WukongNetworks set[facts.Object]
}

// set are the objects of one kind, in the order of their keys.
type set[T any] struct {
	Sent bool
	Keys []string
	All  []T
}

// reading is a request as maps.
type reading struct {
	children, related any
	refused           bool // there is something that no API server sends
}

// seen is what the maps tell.
func (r *reading) seen() seen {
	var s seen
	readKind(r, r.children, facts.PolicyKind, &s.Policies, kept(policy))
	readKind(r, r.children, facts.AttachmentKind, &s.Attachments, kept(attachment))
	readKind(r, r.children, facts.MachineKind, &s.Machines, kept(machine))
	readKind(r, r.related, facts.PolicyKind, &s.RelatedPolicies, related(policy))
	readKind(r, r.related, facts.AttachmentKind, &s.RelatedAttachments, related(attachment))
	readKind(r, r.related, facts.MachineKind, &s.RelatedMachines, related(machine))
	readKind(r, r.related, facts.EnactmentKind, &s.Enactments, related(enactment))
	readKind(r, r.related, facts.InstanceKind, &s.Instances, related(instance))
	readKind(r, r.related, facts.NodeKind, &s.Nodes, related(clusterNode))
	readKind(r, r.related, facts.WukongKind, &s.Wukongs, related(wukong))
	readKind(r, r.related, facts.NamespaceKind, &s.Namespaces, related(func(o facts.Object, _ map[string]any) facts.Namespace { return facts.Namespace{Object: o} }))
	readKind(r, r.related, facts.DataVolumeKind, &s.DataVolumes, related(dataVolume))
	readKind(r, r.related, facts.ClaimKind, &s.Claims, related(claim))
	readKind(r, r.related, facts.WukongNodeKind, &s.WukongNodes, related(ofObject))
	readKind(r, r.related, facts.WukongNetworkKind, &s.WukongNetworks, related(ofObject))
	readKind(r, r.related, facts.StateKind, &s.States, func(key string, m map[string]any) (string, bool) {
		return fmt.Sprintf("%+v", stateOf(key, m)), true
	})
	return s
}

// kept reads a child, which keeps its text; related reads any other object. Neither is one without a kind.
func kept[T any](read func(facts.Object, map[string]any) T) func(string, map[string]any) (T, bool) {
	return func(key string, m map[string]any) (T, bool) {
		o := object(key, m)
		o.Raw = encoded(m)
		o.LastApplied = text(m, "metadata", "annotations", facts.AnnotationLastApplied)
		return read(o, m), o.Kind != ""
	}
}

func related[T any](read func(facts.Object, map[string]any) T) func(string, map[string]any) (T, bool) {
	return func(key string, m map[string]any) (T, bool) {
		o := object(key, m)
		return read(o, m), o.Kind != ""
	}
}

// readKind reads the objects of one kind. A null is no object.
func readKind[T any](r *reading, kinds any, kind string, s *set[T], read func(string, map[string]any) (T, bool)) {
	all, ok := kinds.(map[string]any)
	r.refused = r.refused || !ok && kinds != nil
	named, ok := all[kind].(map[string]any)
	r.refused = r.refused || !ok && all[kind] != nil
	_, s.Sent = all[kind]
	for _, key := range slices.Sorted(maps.Keys(named)) {
		if named[key] == nil {
			continue
		}
		m, ok := named[key].(map[string]any)
		if !ok {
			r.refused = true
			continue
		}
		found, ok := read(key, m)
		r.refused = r.refused || !ok
		s.Keys, s.All = append(s.Keys, key), append(s.All, found)
	}
}

func object(key string, m map[string]any) facts.Object {
	o := facts.Object{
		Key: key, APIVersion: text(m, "apiVersion"), Kind: text(m, "kind"),
		Namespace: text(m, "metadata", "namespace"), Name: text(m, "metadata", "name"),
		UID: types.UID(text(m, "metadata", "uid")), Generation: number(m, "metadata", "generation"),
		Labels:        pairs(m, "metadata", "labels"),
		Created:       moment(m, "metadata", "creationTimestamp"),
		Deleting:      !moment(m, "metadata", "deletionTimestamp").IsZero(),
		RemovingSince: text(m, "metadata", "annotations", facts.AnnotationRemoving),
		Types:         text(m, "metadata", "annotations", facts.AnnotationTypes),
		DefaultMTU:    facts.ReadMTU(text(m, "metadata", "annotations", facts.AnnotationMTU)),
		Restored:      text(m, "metadata", "annotations", "restore.kubevirt.io/lastRestoreUID") != "",
		Decorated:     text(m, "metadata", "annotations", "metacontroller.k8s.io/decorator-controller") != "",
	}
	for _, ref := range items(m, "metadata", "ownerReferences") {
		if truth(ref, "controller") {
			o.Owner = facts.Owner{
				APIVersion: text(ref, "apiVersion"), Kind: text(ref, "kind"), Name: text(ref, "name"),
				UID: types.UID(text(ref, "uid")), Controller: true,
			}
			break
		}
	}
	for _, ref := range items(m, "metadata", "ownerReferences") {
		if text(ref, "apiVersion") == "v1" && text(ref, "kind") == "Node" && o.NodeUID == "" {
			o.NodeUID = types.UID(text(ref, "uid"))
		}
	}
	return o
}

func policy(o facts.Object, m map[string]any) facts.Policy {
	p := facts.Policy{Object: o, Conditions: conditions(m), NodeSelector: pairs(m, "spec", "nodeSelector")}
	interfaces := items(m, "spec", "desiredState", "interfaces")
	if list := value(m, "spec", "desiredState", "interfaces"); list != nil {
		p.Interfaces = encoded(list)
	}
	for _, i := range interfaces {
		p.MovesDHCP = p.MovesDHCP || truth(i, "ipv4", "dhcp")
		p.STP = p.STP || truth(i, "bridge", "options", "stp") || truth(i, "bridge", "options", "stp", "enabled")
		kind, gone := text(i, "type"), text(i, "state") == "absent"
		marked := p.Says.Name != "" && p.Says.Name == o.Labels[facts.LabelBridge]
		if p.Absent || marked && !gone || kind != node.LinuxBridge && kind != node.OVSBridge {
			continue
		}
		p.Says = node.Bridge{Kind: kind, Name: text(i, "name"), MTU: number(i, "mtu")}
		p.Absent = gone
		for _, port := range items(i, "bridge", "port") {
			p.Says.Uplink = text(port, "name")
		}
	}
	p.Says.NIC = p.Says.Uplink
	for _, i := range interfaces {
		if text(i, "type") == "vlan" && text(i, "name") == p.Says.Uplink {
			p.Says.NIC, p.Says.VLAN, p.Says.MTU = text(i, "vlan", "base-iface"), number(i, "vlan", "id"), number(i, "mtu")
		}
	}
	if p.Absent {
		p.Says.Uplink, p.Says.NIC = o.Labels[facts.LabelUplink], o.Labels[facts.LabelNIC]
		for _, i := range interfaces {
			kind, state, name := text(i, "type"), text(i, "state"), text(i, "name")
			if tagged := kind == "vlan" && state == "absent"; tagged || kind == "" && state == "up" {
				p.Says.Uplink = name
				if !tagged {
					p.Says.NIC = name
				} else if p.Says.NIC == name {
					p.Says.NIC = ""
				}
				break
			}
		}
	}
	p.Says.Preserves = value(m, "spec", "capture") != nil
	if p.Says.MTU == o.DefaultMTU {
		p.Says.MTU = 0
	}
	return p
}

func enactment(o facts.Object, m map[string]any) facts.Enactment {
	e := facts.Enactment{
		Object: o, Policy: o.Labels["nmstate.io/policy"], Node: o.Labels["nmstate.io/node"],
		Generation: number(m, "status", "policyGeneration"), Conditions: conditions(m),
	}
	if o.Name == e.Node+"."+e.Policy {
		return e
	}
	switch {
	case e.Policy != "" && strings.HasSuffix(o.Name, "."+e.Policy):
		e.Node = strings.TrimSuffix(o.Name, "."+e.Policy)
	case e.Node != "" && strings.HasPrefix(o.Name, e.Node+"."):
		e.Policy = strings.TrimPrefix(o.Name, e.Node+".")
	case strings.Contains(o.Name, "."):
		e.Node, e.Policy, _ = strings.Cut(o.Name, ".")
	}
	return e
}

func attachment(o facts.Object, m map[string]any) facts.Attachment {
	a := facts.Attachment{Object: o}
	var config map[string]any
	strict := jsontext.Value(text(m, "spec", "config"))
	if !strict.IsValid() || kjson.UnmarshalCaseSensitivePreserveInts(strict, &config) != nil {
		return a
	}
	a.Bridge, a.ConfigName = text(config, "bridge"), text(config, "name")
	a.Plugin, a.Master, a.Mode = text(config, "type"), text(config, "master"), text(config, "mode")
	a.VLAN = number(config, "vlan")
	for _, p := range items(config, "plugins") {
		for field, to := range map[string]*string{"bridge": &a.Bridge, "type": &a.Plugin, "master": &a.Master, "mode": &a.Mode} {
			if *to == "" {
				*to = text(p, field)
			}
		}
		if a.VLAN == 0 {
			a.VLAN = number(p, "vlan")
		}
	}
	return a
}

func clusterNode(o facts.Object, m map[string]any) facts.Node {
	n := facts.Node{Object: o}
	for _, c := range conditions(m) {
		if c.Type == "Ready" {
			n.Ready = c.Status == "True"
			break
		}
	}
	return n
}

func machine(o facts.Object, m map[string]any) facts.Machine {
	found := facts.Machine{
		Object: o, Plugs: plugs(value(m, "spec", "template", "spec")),
		PrintableStatus: text(m, "status", "printableStatus"), Conditions: conditions(m), Created: truth(m, "status", "created"),
		EvictionStrategy: text(m, "spec", "template", "spec", "evictionStrategy"),
		MovesVolumes:     text(m, "spec", "updateVolumesStrategy") == "Migration",
	}
	for _, v := range items(m, "status", "volumeUpdateState", "volumeMigrationState", "migratedVolumes") {
		found.Moving = append(found.Moving, text(v, "volumeName"))
	}
	for _, t := range items(m, "spec", "dataVolumeTemplates") {
		found.Templates = append(found.Templates, text(t, "metadata", "name"))
	}
	found.Volumes = storage(value(m, "spec", "template", "spec"))
	found.Instancetype, found.Preference = matcher(m, "instancetype"), matcher(m, "preference")
	domain := value(m, "spec", "template", "spec", "domain")
	for _, size := range [][]string{{"cpu", "cores"}, {"cpu", "sockets"}, {"cpu", "threads"}, {"memory", "guest"}} {
		found.Sized = found.Sized || value(domain, size...) != nil
	}
	return found
}

func matcher(m map[string]any, field string) facts.Matcher {
	return facts.Matcher{
		Name: text(m, "spec", field, "name"), Kind: text(m, "spec", field, "kind"), Revision: text(m, "spec", field, "revisionName"),
	}
}

func storage(spec any) (s facts.Storage) {
	disks := items(spec, "domain", "devices", "disks")
	for _, v := range items(spec, "volumes") {
		volume := machineVolume(v)
		at := slices.IndexFunc(disks, func(d map[string]any) bool { return text(d, "name") == volume.Name })
		volume.CD = at >= 0 && value(disks[at], "cdrom") != nil
		s = append(s, volume)
	}
	return s
}

func machineVolume(v map[string]any) facts.MachineVolume {
	claims := []string{text(v, "dataVolume", "name"), text(v, "persistentVolumeClaim", "claimName"), text(v, "memoryDump", "claimName")}
	return facts.MachineVolume{
		Name: text(v, "name"), ContainerDisk: value(v, "containerDisk") != nil, Claim: cmp.Or(claims...),
		Hotplugged: truth(v, "dataVolume", "hotpluggable") || truth(v, "persistentVolumeClaim", "hotpluggable") ||
			truth(v, "memoryDump", "hotpluggable"),
	}
}

func plugs(spec any) facts.Plugs {
	p := facts.Plugs{Readable: spec != nil}
	interfaces := items(spec, "domain", "devices", "interfaces")
	for _, n := range items(spec, "networks") {
		plug := facts.Plug{Name: text(n, "name"), Attachment: text(n, "multus", "networkName")}
		at := slices.IndexFunc(interfaces, func(i map[string]any) bool { return text(i, "name") == plug.Name })
		if at >= 0 {
			plug.SRIOV, plug.MAC = value(interfaces[at], "sriov") != nil, text(interfaces[at], "macAddress")
		}
		p.Networks = append(p.Networks, plug)
	}
	return p
}

func instance(o facts.Object, m map[string]any) facts.Instance {
	found := facts.Instance{
		Object: o, Plugs: plugs(value(m, "spec")), Storage: storage(value(m, "spec")),
		NodeName: text(m, "status", "nodeName"), Phase: text(m, "status", "phase"),
		Reason: text(m, "status", "reason"), Conditions: conditions(m),
	}
	for _, i := range items(m, "status", "interfaces") {
		addresses := texts(i, "ipAddresses")
		if single := text(i, "ipAddress"); len(addresses) == 0 && single != "" {
			addresses = []string{single}
		}
		found.Interfaces = append(found.Interfaces, facts.Interface{
			Name: text(i, "name"), GuestName: text(i, "interfaceName"), Addresses: addresses,
			ByGuest: strings.Contains(text(i, "infoSource"), "guest-agent"),
		})
	}
	for _, v := range items(m, "status", "volumeStatus") {
		found.Volumes = append(found.Volumes, facts.Volume{
			Name: text(v, "name"), Phase: text(v, "phase"), Message: text(v, "message"),
			Claim:    text(v, "persistentVolumeClaimInfo", "claimName"),
			Capacity: text(v, "persistentVolumeClaimInfo", "capacity", "storage"),
		})
	}
	return found
}

func dataVolume(o facts.Object, m map[string]any) facts.DataVolume {
	d := facts.DataVolume{
		Object: o, Phase: text(m, "status", "phase"), Progress: text(m, "status", "progress"), Conditions: conditions(m),
		Size:         cmp.Or(text(m, "spec", "storage", "resources", "requests", "storage"), text(m, "spec", "pvc", "resources", "requests", "storage")),
		StorageClass: cmp.Or(text(m, "spec", "storage", "storageClassName"), text(m, "spec", "pvc", "storageClassName")),
	}
	named := func(v any) string {
		if text(v, "name") == "" {
			return ""
		}
		return facts.Qualified(cmp.Or(text(v, "namespace"), o.Namespace), text(v, "name"))
	}
	if name := named(value(m, "spec", "sourceRef")); name != "" {
		d.Source = facts.Source{Kind: "DataSource", Name: name}
	}
	sources, _ := value(m, "spec", "source").(map[string]any)
	for _, kind := range slices.Sorted(maps.Keys(sources)) {
		if v := sources[kind]; v != nil {
			d.Source = facts.Source{Kind: kind}
			switch kind {
			case "registry", "http":
				d.Source.Name = text(v, "url")
			case "pvc":
				d.Source.Name = named(v)
			}
			break
		}
	}
	return d
}

func claim(o facts.Object, m map[string]any) facts.VolumeClaim {
	return facts.VolumeClaim{
		Object: o, Phase: text(m, "status", "phase"), Size: text(m, "spec", "resources", "requests", "storage"),
		StorageClass: text(m, "spec", "storageClassName"),
	}
}

func wukong(o facts.Object, m map[string]any) facts.Wukong {
	w := facts.Wukong{Object: o, MachineNamespace: text(m, "spec", "namespace")}
	for _, d := range items(m, "spec", "disks") {
		w.Disks = append(w.Disks, facts.Disk{Name: text(d, "name"), ClaimName: text(d, "claimName"), CD: truth(d, "cdrom")})
	}
	for _, dv := range items(m, "spec", "virtualMachine", "spec", "dataVolumeTemplates") {
		w.DataVolumes = append(w.DataVolumes, text(dv, "metadata", "name"))
	}
	w.Volumes = storage(value(m, "spec", "virtualMachine", "spec", "template", "spec"))
	for _, n := range items(m, "spec", "networks") {
		if name := text(n, "networkName"); name != "" {
			w.NetworkNames = append(w.NetworkNames, name)
		}
	}
	return w
}

// ofObject is what all objects have: the rest of a kind of our own is read strictly, or not at all.
func ofObject(o facts.Object, _ map[string]any) facts.Object { return o }

func conditions(m map[string]any) facts.Conditions {
	var all facts.Conditions
	for _, c := range items(m, "status", "conditions") {
		all = append(all, facts.Condition{
			Type: text(c, "type"), Status: text(c, "status"), Reason: text(c, "reason"), Message: text(c, "message"),
			LastTransitionTime: text(c, "lastTransitionTime"),
		})
	}
	return all
}

// value is what is at a path, or nil.
func value(v any, path ...string) any {
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// text is the string at a path, or "".
func text(v any, path ...string) string {
	s, _ := value(v, path...).(string)
	return s
}

// number is the integer at a path, or 0.
func number(v any, path ...string) int64 {
	n, _ := value(v, path...).(int64)
	return n
}

// truth is the boolean at a path, or false.
func truth(v any, path ...string) bool {
	b, _ := value(v, path...).(bool)
	return b
}

// moment is the time at a path, or the zero time.
func moment(v any, path ...string) time.Time {
	t, err := time.Parse(time.RFC3339, text(v, path...))
	if err != nil {
		return time.Time{}
	}
	return t
}

// items are the objects in the list at a path.
func items(v any, path ...string) []map[string]any {
	list, _ := value(v, path...).([]any)
	var all []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// texts are the strings in the list at a path.
func texts(v any, path ...string) []string {
	list, _ := value(v, path...).([]any)
	var all []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// pairs are the strings in the object at a path.
func pairs(v any, path ...string) map[string]string {
	m, _ := value(v, path...).(map[string]any)
	var all map[string]string
	for key, item := range m {
		if s, ok := item.(string); ok {
			if all == nil {
				all = map[string]string{}
			}
			all[key] = s
		}
	}
	return all
}

// decoded is a text as maps, with integers as integers.
func decoded(raw []byte) (any, error) {
	var v any
	err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &v)
	return v, err
}

// encoded is a text that is the same for the same value.
func encoded(v any) jsontext.Value {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was decoded from JSON
	}
	return raw
}
