package manifest

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// The places in a VirtualMachine in which people look for a field. spec.virtualMachine is one in part.
const (
	inMachine = "spec.virtualMachine.spec"
	inDomain  = inMachine + ".template.spec.domain"
)

// machineTypes are the objects of a VirtualMachine whose fields people write at the top of a Wukong, by their places. The first that has a
// field is where it goes.
func machineTypes() []struct {
	place string
	of    reflect.Type
} {
	return []struct {
		place string
		of    reflect.Type
	}{
		{inMachine, reflect.TypeFor[kubevirtv1.VirtualMachineSpec]()},
		{inMachine + ".template.spec", reflect.TypeFor[kubevirtv1.VirtualMachineInstanceSpec]()},
		{inDomain, reflect.TypeFor[kubevirtv1.DomainSpec]()},
		{inDomain + ".devices", reflect.TypeFor[kubevirtv1.Devices]()},
		{inDomain + ".cpu", reflect.TypeFor[kubevirtv1.CPU]()},
		{inDomain + ".memory", reflect.TypeFor[kubevirtv1.Memory]()},
		{inDomain + ".firmware", reflect.TypeFor[kubevirtv1.Firmware]()},
		{inDomain + ".features", reflect.TypeFor[kubevirtv1.Features]()},
		{inDomain + ".resources", reflect.TypeFor[kubevirtv1.ResourceRequirements]()},
	}
}

// machineWords are fields of a machine by words of others, and those that are no field of one place alone.
func machineWords() map[string]string {
	return map[string]string{
		"labels":      "spec.virtualMachine.metadata.labels, and for its Pod into " + inMachine + ".template.metadata.labels",
		"annotations": "spec.virtualMachine.metadata.annotations, and for its Pod into " + inMachine + ".template.metadata.annotations",
		"cpumodel":    inDomain + ".cpu.model",
		"machinetype": inDomain + ".machine.type",
		"efi":         inDomain + ".firmware.bootloader.efi",
		"uefi":        inDomain + ".firmware.bootloader.efi",
		"bios":        inDomain + ".firmware.bootloader.bios",
		"secureboot":  inDomain + ".firmware.bootloader.efi.secureBoot",
		"vtpm":        inDomain + ".devices.tpm",
		"gpu":         inDomain + ".devices.gpus",
		"hostdevice":  inDomain + ".devices.hostDevices",
		"arch":        inMachine + ".template.spec.architecture",
		"priority":    inMachine + ".template.spec.priorityClassName",
		"timezone":    inDomain + ".clock.timezone",
		"packages":    "spec.userData, as cloud-config",
		"runcmd":      "spec.userData, as cloud-config",
		"bootcmd":     "spec.userData, as cloud-config",
		"writefiles":  "spec.userData, as cloud-config",
		"users":       "spec.userData, as cloud-config; one user can be spec.cloudInitUser",
	}
}

// plain is a word without what people write differently: case, dashes and underscores.
func plain(word string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(word))
}

// goesInto is where a field of a VirtualMachine goes that is written at some place of a Wukong; empty where it is none.
func (k *kind) goesInto(parent, name string) string {
	if k.admission.GroupKind().Kind != v1alpha1.Kind {
		return ""
	}
	switch index.ReplaceAllString(parent, "") {
	case "spec", "spec.virtualMachine":
		return machinePlace(name)
	case "spec.networks":
		return itemPlace(name, "interfaces", reflect.TypeFor[kubevirtv1.Interface]())
	case "spec.disks":
		return itemPlace(name, "disks", reflect.TypeFor[kubevirtv1.Disk]())
	}
	return ""
}

// machinePlace is where a field of a machine goes.
func machinePlace(name string) string {
	if word, ok := machineWords()[plain(name)]; ok {
		return word
	}
	for _, t := range machineTypes() {
		if found := fieldOf(t.of, name); found != "" {
			return t.place + "." + found
		}
	}
	return ""
}

// itemPlace is where a field of an interface or a disk goes: into one of the same name.
func itemPlace(name, list string, of reflect.Type) string {
	if found := fieldOf(of, name); found != "" {
		return inDomain + ".devices." + list + ", into one of the same name"
	}
	return ""
}

// fieldOf is the field of a type with a name, written as people may write it; empty where there is none.
func fieldOf(t reflect.Type, name string) string {
	for _, field := range reflect.VisibleFields(t) {
		named, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if named != "" && named != "-" && plain(named) == plain(name) {
			return named
		}
	}
	return ""
}

// machineFields are the fields of a machine that a misspelled one may be meant to be.
func machineFields() []string {
	all := map[string]bool{}
	for _, t := range machineTypes() {
		for _, field := range reflect.VisibleFields(t.of) {
			if named, _, _ := strings.Cut(field.Tag.Get("json"), ","); named != "" && named != "-" {
				all[named] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// insteadOf is what is written instead of a field of a machine that nobody may set; empty for any other.
func insteadOf(parent, name string) string {
	if plain(name) == "running" && (parent == "spec" || strings.HasPrefix(parent, "spec.virtualMachine")) {
		return "startStrategy: {runStrategy: Always}, or Halted for a machine that is off"
	}
	return ""
}
