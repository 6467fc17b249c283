package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What KubeVirt rewrites in a machine by right stays, whatever the hook writes there later. Under server-side apply the lists of
// a machine are atomic: what an answer leaves out of them is gone.

func TestAVolumeThatIsPluggedIntoARunningMachineStays(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "plugged"
		l.create(t, name, "{disks: [{name: data, size: 1Gi}], networks: [{name: default}, {name: lan, type: bridge, bridgeName: br-261, vlanId: 261}]}")
		l.ready(t, name)

		l.rewrite(t, name, func(spec map[string]any) { // as virtctl addvolume --persist does
			add(t, spec, "{name: backup, persistentVolumeClaim: {claimName: backups, hotpluggable: true}}", "volumes")
			add(t, spec, "{name: backup, disk: {bus: scsi}, serial: backup}", "domain", "devices", "disks")
		})
		l.change(t, name, "{cpu: 2}")
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.has(t, name, "backup", true)
		l.reboot(t, "worker-1") // so that everything is held, and released
		l.change(t, name, "{cpu: 3, disks: [{name: data, size: 1Gi}, {name: logs, size: 1Gi}]}")
		l.eventually(t, "the machine has its new disk", func() (bool, string) {
			names := volumeNames(l.must(t, machines, "default", name))
			return slices.Contains(names, "logs"), fmt.Sprint(names)
		})
		l.has(t, name, "backup", true)
		l.restart(t, name)
		l.ready(t, name)
		l.has(t, name, "backup", true)

		l.rewrite(t, name, func(spec map[string]any) { // as virtctl removevolume --persist does
			drop(spec, "backup", "volumes")
			drop(spec, "backup", "domain", "devices", "disks")
		})
		l.change(t, name, "{cpu: 4}")
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.has(t, name, "backup", false)
		l.settles(t, name, time.Second)
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
	})
}

func TestSocketsThatArePluggedIntoARunningMachineStay(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "sockets"
		l.create(t, name, "{memory: 1Gi}")
		l.ready(t, name)
		path := []string{"spec", "template", "spec", "domain", "cpu", "sockets"}
		l.rewriteMachine(t, name, func(spec map[string]any) {
			if err := unstructured.SetNestedField(spec, int64(2), path[1:]...); err != nil {
				t.Fatal(err)
			}
		})
		l.change(t, name, "{terminationGracePeriodSeconds: 30}")
		l.eventually(t, "the machine has its grace period", func() (bool, string) {
			seconds, _, _ := unstructured.NestedInt64(l.must(t, machines, "default", name).Object, "spec", "template", "spec", "terminationGracePeriodSeconds")
			return seconds == 30, fmt.Sprint("it has ", seconds)
		})
		if sockets, _, _ := unstructured.NestedInt64(l.must(t, machines, "default", name).Object, path...); sockets != 2 {
			t.Errorf("the machine has %d sockets", sockets)
		}
		l.settles(t, name, time.Second)
		l.delete(t, name)
	})
}

func TestARestoredMachineKeepsTheDiskItWasRestoredTo(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, restored = "restored", "restore-58af44a2-restored-data"
		l.create(t, name, "{disks: [{name: data, size: 1Gi}]}")
		l.ready(t, name)

		l.patch(t, machines, "default", name, map[string]any{"metadata": map[string]any{"annotations": map[string]any{"restore.kubevirt.io/lastRestoreUID": "restore-58af44a2"}}})
		l.rewriteMachine(t, name, func(spec map[string]any) { // as a VirtualMachineRestore does
			for _, template := range spec["dataVolumeTemplates"].([]any) {
				template.(map[string]any)["metadata"].(map[string]any)["name"] = restored
			}
			volumes, _, _ := unstructured.NestedSlice(spec, "template", "spec", "volumes")
			for _, volume := range volumes {
				if volume := volume.(map[string]any); volume["name"] == "data" {
					volume["dataVolume"] = map[string]any{"name": restored}
				}
			}
			if err := unstructured.SetNestedSlice(spec, volumes, "template", "spec", "volumes"); err != nil {
				t.Fatal(err)
			}
		})
		l.change(t, name, "{cpu: 2}")
		message := l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		if !strings.Contains(message, restored) {
			t.Errorf("the status does not say where the disk is: %q", message)
		}
		l.eventually(t, "the machine has its cores", func() (bool, string) {
			cores, _, _ := unstructured.NestedInt64(l.must(t, machines, "default", name).Object, "spec", "template", "spec", "domain", "cpu", "cores")
			return cores == 2, fmt.Sprint("it has ", cores)
		})
		if claims := claims(l.must(t, machines, "default", name)); !slices.Contains(claims, restored) || slices.Contains(claims, name+"-data") {
			t.Errorf("the machine is on %v", claims)
		}
		l.has(t, name, "data", true)
		l.settles(t, name, time.Second)
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
	})
}

// rewrite changes the template of a machine, as its owner reads it.
func (l *lab) rewrite(t *testing.T, name string, change func(spec map[string]any)) {
	t.Helper()
	l.rewriteMachine(t, name, func(spec map[string]any) {
		change(spec["template"].(map[string]any)["spec"].(map[string]any))
	})
}

// rewriteMachine changes the spec of a machine, again where somebody else has changed the machine in between.
func (l *lab) rewriteMachine(t *testing.T, name string, change func(spec map[string]any)) {
	t.Helper()
	l.retry(t, func() error {
		machine := l.must(t, machines, "default", name)
		change(machine.Object["spec"].(map[string]any))
		_, err := l.Dynamic.Resource(machines).Namespace("default").Update(t.Context(), machine, metav1.UpdateOptions{FieldManager: "virt-api"})
		return err
	})
}

// add appends an item in YAML to a list.
func add(t *testing.T, spec map[string]any, item string, path ...string) {
	t.Helper()
	list, _, _ := unstructured.NestedSlice(spec, path...)
	if err := unstructured.SetNestedSlice(spec, append(list, object(t, item)), path...); err != nil {
		t.Fatal(err)
	}
}

// drop takes the items with a name out of a list.
func drop(spec map[string]any, name string, path ...string) {
	list, _, _ := unstructured.NestedSlice(spec, path...)
	list = slices.DeleteFunc(list, func(item any) bool { return item.(map[string]any)["name"] == name })
	_ = unstructured.SetNestedSlice(spec, list, path...) // the list was there
}

// has fails unless a machine has a volume and its disk, or has neither.
func (l *lab) has(t *testing.T, name, volume string, want bool) {
	t.Helper()
	machine := l.must(t, machines, "default", name)
	for _, path := range [][]string{{"volumes"}, {"domain", "devices", "disks"}} {
		list, _, _ := unstructured.NestedSlice(machine.Object, append([]string{"spec", "template", "spec"}, path...)...)
		if got := slices.ContainsFunc(list, func(item any) bool { return item.(map[string]any)["name"] == volume }); got != want {
			t.Errorf("%s has %s in %s: %v, want %v", name, volume, strings.Join(path, "."), got, want)
		}
	}
}

// volumeNames are the names of a machine's volumes, and claims the DataVolumes behind them.
func volumeNames(machine *unstructured.Unstructured) []string {
	return ofVolumes(machine, "name")
}

func claims(machine *unstructured.Unstructured) []string {
	return ofVolumes(machine, "dataVolume", "name")
}

func ofVolumes(machine *unstructured.Unstructured, path ...string) []string {
	list, _, _ := unstructured.NestedSlice(machine.Object, "spec", "template", "spec", "volumes")
	var all []string
	for _, volume := range list {
		if text, _, _ := unstructured.NestedString(volume.(map[string]any), path...); text != "" {
			all = append(all, text)
		}
	}
	return all
}
