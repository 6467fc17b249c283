package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// KubeVirt's virt-controller and, where a guest would have to run, virt-handler: pkg/virt-controller/watch/vm/vm.go. A
// machine gets a finalizer and the observed API versions, its run strategy says whether there is an instance, its status
// follows the instance (setPrintableStatus, syncConditions), and when it is deleted the instance goes first.
//
// A change of the template of a running machine is RestartRequired, as with rollout strategy Stage. The guest does what
// cloud-init tells it: it has the addresses of the network data.
//
// Not played: pods, migration, hot-plugging, start failures, the Containerized Data Importer (DataVolumes are filled at
// once).

const (
	machineFinalizer  = "kubevirt.io/virtualMachineControllerFinalize"
	instanceFinalizer = "kubevirt.io/foregroundDeleteVirtualMachine"
)

// StartMachine asks for a machine that does not run by itself to be started, as virtctl start does.
func (s *Simulator) StartMachine(namespace, name string) {
	s.mu.Lock()
	s.wanted[namespace+"/"+name] = true
	s.mu.Unlock()
	s.queue.Add(task{kind: "machine", namespace: namespace, name: name})
}

// RestartMachine restarts a machine with what its template now says, as virtctl restart does.
func (s *Simulator) RestartMachine(ctx context.Context, namespace, name string) error {
	if err := s.client.Resource(instances).Namespace(namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("restarting machine %s/%s: %w", namespace, name, err)
	}
	return nil
}

// guest is a machine and its instance as they are stored now, nil where there is none, and the clients that write them.
type guest struct {
	vms, vmis         dynamic.ResourceInterface
	machine, instance *unstructured.Unstructured
}

// guest reads a machine and its instance, which has the same name.
func (s *Simulator) guest(ctx context.Context, namespace, name string) (*guest, error) {
	g := &guest{
		vms:  s.client.Resource(machines).Namespace(namespace),
		vmis: s.client.Resource(instances).Namespace(namespace),
	}
	var err error
	if g.machine, err = get(ctx, g.vms, name); err != nil {
		return nil, err
	}
	if g.instance, err = get(ctx, g.vmis, name); err != nil {
		return nil, err
	}
	return g, nil
}

// machineStep takes a machine one state further, and reports whether there is one more.
func (s *Simulator) machineStep(ctx context.Context, namespace, name string) (again bool, err error) {
	g, err := s.guest(ctx, namespace, name)
	switch {
	case err != nil:
		return false, err
	case g.instance != nil && g.instance.GetDeletionTimestamp() != nil:
		return true, stopInstance(ctx, g.vmis, g.instance)
	case g.machine == nil:
		return false, nil // the garbage collector deletes what is left of it
	case g.machine.GetDeletionTimestamp() != nil:
		return s.leaveStep(ctx, g)
	}
	if adopted, err := adopt(ctx, g.vms, g.machine); adopted || err != nil {
		return adopted, err
	}
	return s.runStep(ctx, g)
}

// leaveStep takes a deleted machine one state further: its instance goes first.
func (s *Simulator) leaveStep(ctx context.Context, g *guest) (again bool, err error) {
	if g.instance != nil {
		if err := s.setMachine(ctx, g); err != nil {
			return false, err
		}
		return true, g.vmis.Delete(ctx, g.instance.GetName(), metav1.DeleteOptions{})
	}
	if !slices.Contains(g.machine.GetFinalizers(), machineFinalizer) {
		return false, nil
	}
	g.machine.SetFinalizers(slices.DeleteFunc(g.machine.GetFinalizers(), func(f string) bool { return f == machineFinalizer }))
	_, err = g.vms.Update(ctx, g.machine, metav1.UpdateOptions{})
	return false, err
}

// runStep takes a machine one state further to where its run strategy wants it.
func (s *Simulator) runStep(ctx context.Context, g *guest) (again bool, err error) {
	switch running := s.shallRun(g.machine); {
	case g.instance == nil && running:
		g.instance, err = g.vmis.Create(ctx, newInstance(g.machine), metav1.CreateOptions{})
		if err != nil {
			return false, fmt.Errorf("creating instance %s/%s: %w", g.machine.GetNamespace(), g.machine.GetName(), err)
		}
		return true, s.setMachine(ctx, g)
	case g.instance != nil && !running:
		return true, g.vmis.Delete(ctx, g.instance.GetName(), metav1.DeleteOptions{})
	case g.instance == nil:
		return false, s.setMachine(ctx, g)
	}
	moved, err := s.instanceStep(ctx, g.vmis, g.instance)
	if err != nil {
		return false, err
	}
	return moved, s.setMachine(ctx, g)
}

// adopt writes on a machine what virt-controller writes on every machine that it takes up.
func adopt(ctx context.Context, vms dynamic.ResourceInterface, machine *unstructured.Unstructured) (bool, error) {
	annotations := machine.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	if slices.Contains(machine.GetFinalizers(), machineFinalizer) && annotations["kubevirt.io/latest-observed-api-version"] == "v1" {
		return false, nil
	}
	annotations["kubevirt.io/latest-observed-api-version"] = "v1"
	annotations["kubevirt.io/storage-observed-api-version"] = "v1"
	machine.SetAnnotations(annotations)
	if !slices.Contains(machine.GetFinalizers(), machineFinalizer) {
		machine.SetFinalizers(append(machine.GetFinalizers(), machineFinalizer))
	}
	_, err := vms.Update(ctx, machine, metav1.UpdateOptions{})
	return true, err
}

// shallRun reports whether a machine's run strategy wants an instance of it (syncRunStrategy).
func (s *Simulator) shallRun(machine *unstructured.Unstructured) bool {
	switch strategy, _, _ := unstructured.NestedString(machine.Object, "spec", "runStrategy"); strategy {
	case "Always", "RerunOnFailure", "Once":
		return true
	case "Manual":
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.wanted[machine.GetNamespace()+"/"+machine.GetName()]
	default:
		return false
	}
}

// newInstance is the instance of a machine (SetupVMIFromVM).
func newInstance(machine *unstructured.Unstructured) *unstructured.Unstructured {
	spec, _, _ := unstructured.NestedMap(machine.Object, "spec", "template", "spec")
	labels, _, _ := unstructured.NestedMap(machine.Object, "spec", "template", "metadata", "labels")
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
		"metadata": map[string]any{
			"name": machine.GetName(), "namespace": machine.GetNamespace(), "labels": labels,
			"annotations": map[string]any{"kubevirt.io/vm-generation": fmt.Sprint(machine.GetGeneration())},
			"finalizers":  []any{machineFinalizer, instanceFinalizer},
			"ownerReferences": []any{map[string]any{
				"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": machine.GetName(), "uid": string(machine.GetUID()),
				"controller": true, "blockOwnerDeletion": true,
			}},
		},
		"spec": spec,
	}}
}

// instanceStep takes an instance one phase further: Pending, Scheduling, Scheduled, Running. It stays Scheduling until a
// node takes it and every attachment exists.
func (s *Simulator) instanceStep(ctx context.Context, vmis dynamic.ResourceInterface, instance *unstructured.Unstructured) (moved bool, err error) {
	phase, _, _ := unstructured.NestedString(instance.Object, "status", "phase")
	status := map[string]any{"phase": phase, "conditions": []any{
		machineCondition(condition{"Ready", "False", "GuestNotRunning", "Guest VM is not reported as running"}, instance),
	}}
	switch phase {
	case "":
		status["phase"] = "Pending"
	case "Pending":
		status["phase"] = "Scheduling"
	case "Scheduling":
		node, problem, err := s.schedule(ctx, instance)
		if err != nil {
			return false, err
		}
		if problem != nil {
			status["conditions"] = append(status["conditions"].([]any), problem)
			if reflect.DeepEqual(instance.Object["status"], any(status)) {
				return false, nil
			}
			instance.Object["status"] = status
			return false, updateStatus(ctx, vmis, instance)
		}
		status["phase"], status["nodeName"] = "Scheduled", node
	case "Scheduled":
		status["phase"] = "Running"
		status["nodeName"], _, _ = unstructured.NestedString(instance.Object, "status", "nodeName")
		status["conditions"] = []any{
			machineCondition(condition{"Ready", "True", "", ""}, instance),
			machineCondition(condition{"AgentConnected", "True", "", ""}, instance),
		}
		status["interfaces"] = guestInterfaces(instance)
		status["volumeStatus"] = volumeStatus(instance)
	default:
		return false, nil
	}
	instance.Object["status"] = status
	return true, updateStatus(ctx, vmis, instance)
}

// schedule finds a node for an instance; problem is the condition that says why there is none, or why the pod on it
// cannot start.
func (s *Simulator) schedule(ctx context.Context, instance *unstructured.Unstructured) (node string, problem map[string]any, err error) {
	waiting := task{kind: "machine", namespace: instance.GetNamespace(), name: instance.GetName()}
	s.mu.Lock()
	s.waiting[waiting] = true // before it is looked: what comes meanwhile is not missed
	s.mu.Unlock()
	networks, _, _ := unstructured.NestedSlice(instance.Object, "spec", "networks")
	for _, network := range networks {
		reference, found, _ := unstructured.NestedString(network.(map[string]any), "multus", "networkName")
		if !found {
			continue
		}
		namespace, name, qualified := strings.Cut(reference, "/")
		if !qualified {
			namespace, name = instance.GetNamespace(), reference
		}
		nad, err := get(ctx, s.client.Resource(nads).Namespace(namespace), name)
		if err != nil {
			return "", nil, err
		}
		if nad == nil {
			// pkg/network/multus/nad.go
			return "", machineCondition(condition{
				"Synchronized", "False", "FailedCreate",
				fmt.Sprintf("failed to render launch manifest: failed to locate network attachment definition %s/%s", namespace, name),
			}, instance), nil
		}
	}
	s.mu.Lock()
	delete(s.waiting, waiting)
	s.mu.Unlock()
	selector, _, _ := unstructured.NestedStringMap(instance.Object, "spec", "nodeSelector")
	matching := s.matching(selector)
	if len(matching) == 0 {
		return "", machineCondition(condition{"PodScheduled", "False", "Unschedulable", "0 nodes are available: node(s) didn't match Pod's node affinity/selector."}, instance), nil
	}
	return matching[0], nil, nil
}

// stopInstance ends a deleted instance: it is final first, and gone when both finalizers are.
func stopInstance(ctx context.Context, vmis dynamic.ResourceInterface, instance *unstructured.Unstructured) error {
	if phase, _, _ := unstructured.NestedString(instance.Object, "status", "phase"); phase != "Succeeded" {
		if err := unstructured.SetNestedField(instance.Object, "Succeeded", "status", "phase"); err != nil {
			return fmt.Errorf("stopping instance %s/%s: %w", instance.GetNamespace(), instance.GetName(), err)
		}
		unstructured.RemoveNestedField(instance.Object, "status", "interfaces")
		return updateStatus(ctx, vmis, instance)
	}
	instance.SetFinalizers(nil)
	if _, err := vmis.Update(ctx, instance, metav1.UpdateOptions{}); !apierrors.IsNotFound(err) {
		return err
	}
	return nil
}

// setMachine writes what KubeVirt says of a machine, unless it says so.
func (s *Simulator) setMachine(ctx context.Context, g *guest) error {
	machine, instance := g.machine, g.instance
	ready := machineCondition(condition{"Ready", "False", "VMINotExists", "VMI does not exist"}, machine)
	var conditions []any
	phase, word := "", "Stopped"
	if instance != nil {
		phase, _, _ = unstructured.NestedString(instance.Object, "status", "phase")
		word = "Starting"
		ready = machineCondition(condition{"Ready", "False", "GuestNotRunning", "Guest VM is not reported as running"}, machine)
		list, _, _ := unstructured.NestedSlice(instance.Object, "status", "conditions")
		for _, item := range list {
			c := item.(map[string]any)
			if c["type"] == "PodScheduled" {
				word = "ErrorUnschedulable"
			}
			if c["type"] != "Ready" {
				conditions = append(conditions, c)
			}
		}
		if phase == "Running" {
			word, ready = "Running", machineCondition(condition{"Ready", "True", "", ""}, machine)
			template, _, _ := unstructured.NestedMap(machine.Object, "spec", "template", "spec")
			if !reflect.DeepEqual(template, instance.Object["spec"]) {
				conditions = append(conditions, machineCondition(condition{
					"RestartRequired", "True", "RestartRequired", "a non-live-updatable field was changed in the template spec",
				}, machine))
			}
		}
	} else if s.shallRun(machine) {
		word = "Starting"
	}
	if machine.GetDeletionTimestamp() != nil {
		word = "Terminating"
	}
	status := map[string]any{
		"printableStatus": word,
		"conditions":      append([]any{ready}, conditions...),
	}
	if instance != nil {
		status["created"] = true
		status["runStrategy"], _, _ = unstructured.NestedString(machine.Object, "spec", "runStrategy")
		status["desiredGeneration"] = machine.GetGeneration()
		var generation int64
		_, _ = fmt.Sscan(instance.GetAnnotations()["kubevirt.io/vm-generation"], &generation)
		status["observedGeneration"] = generation
	}
	if phase == "Running" {
		status["ready"] = true
	}
	if reflect.DeepEqual(machine.Object["status"], any(status)) {
		return nil
	}
	machine.Object["status"] = status
	return updateStatus(ctx, g.vms, machine)
}

// updateStatus writes an object's status. That the object is gone meanwhile, the next event says.
func updateStatus(ctx context.Context, client dynamic.ResourceInterface, object *unstructured.Unstructured) error {
	stored, err := client.UpdateStatus(ctx, object, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing the status of %s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
	}
	object.Object = stored.Object
	return nil
}

// machineCondition is a condition of a machine or an instance in stored form. One that says what it said keeps its time.
func machineCondition(c condition, before *unstructured.Unstructured) map[string]any {
	stored := map[string]any{"type": c.kind, "status": c.status, "lastProbeTime": nil, "lastTransitionTime": now()}
	if c.reason != "" {
		stored["reason"] = c.reason
	}
	if c.message != "" {
		stored["message"] = c.message
	}
	list, _, _ := unstructured.NestedSlice(before.Object, "status", "conditions")
	for _, item := range list {
		b := item.(map[string]any)
		if b["type"] == c.kind && b["status"] == c.status && b["reason"] == stored["reason"] {
			stored["lastTransitionTime"] = b["lastTransitionTime"]
		}
	}
	return stored
}

// guestInterfaces are what the guest agent reports: each interface with the address that cloud-init's network data gives
// to its hardware address, one of the pod network where it says DHCP or nothing.
func guestInterfaces(instance *unstructured.Unstructured) []any {
	addresses := staticAddresses(instance)
	interfaces, _, _ := unstructured.NestedSlice(instance.Object, "spec", "domain", "devices", "interfaces")
	var all []any
	for i, item := range interfaces {
		iface := item.(map[string]any)
		mac, _ := iface["macAddress"].(string)
		reported := map[string]any{
			"name": iface["name"], "interfaceName": fmt.Sprintf("enp%ds0", i+1), "mac": mac,
			"infoSource": "domain, guest-agent", "queueCount": int64(1),
		}
		address := addresses[mac]
		if _, pod := iface["masquerade"]; pod && address == "" {
			address = fmt.Sprintf("10.244.1.%d", 10+i)
		}
		if address != "" {
			reported["ipAddress"], reported["ipAddresses"] = address, []any{address, "fe80::5054:ff:fe12:3456"}
		}
		all = append(all, reported)
	}
	return all
}

// staticAddresses are the addresses in cloud-init's network data, by hardware address.
func staticAddresses(instance *unstructured.Unstructured) map[string]string {
	volumes, _, _ := unstructured.NestedSlice(instance.Object, "spec", "volumes")
	all := map[string]string{}
	for _, volume := range volumes {
		data, _, _ := unstructured.NestedString(volume.(map[string]any), "cloudInitNoCloud", "networkData")
		var config struct {
			Ethernets map[string]struct {
				Match     struct{ MACAddress string }
				Addresses []string
			}
		}
		if json.Unmarshal([]byte(data), &config) != nil {
			continue
		}
		for _, ethernet := range config.Ethernets {
			if len(ethernet.Addresses) > 0 {
				all[ethernet.Match.MACAddress], _, _ = strings.Cut(ethernet.Addresses[0], "/")
			}
		}
	}
	return all
}

// volumeStatus are the volumes of a running instance.
func volumeStatus(instance *unstructured.Unstructured) []any {
	volumes, _, _ := unstructured.NestedSlice(instance.Object, "spec", "volumes")
	var all []any
	for i, item := range volumes {
		volume := item.(map[string]any)
		status := map[string]any{"name": volume["name"], "target": fmt.Sprintf("vd%c", 'a'+i)}
		if claim, found, _ := unstructured.NestedString(volume, "dataVolume", "name"); found {
			maps.Copy(status, map[string]any{"phase": "Ready", "persistentVolumeClaimInfo": map[string]any{
				"claimName": claim, "accessModes": []any{"ReadWriteOnce"}, "volumeMode": "Block",
			}})
		}
		all = append(all, status)
	}
	return all
}
