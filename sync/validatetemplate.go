package sync

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/template"
)

// validateTemplate is what is wrong with spec.virtualMachine, and with the machine that it would make. Only a Wukong that is right
// otherwise makes one.
func (v *view) validateTemplate(otherwiseRight bool) field.ErrorList {
	if v.w.Spec.VirtualMachine == nil || !otherwiseRight || len(v.template.errs) > 0 {
		return v.template.errs
	}
	machine := v.plainMachine(v.networks)
	var errs field.ErrorList
	for _, c := range v.merge(machine, v.networks) {
		errs = append(errs, field.Forbidden(c.Path, v.saidBy(c.At)+" says it: remove one of the two"))
	}
	errs = append(errs, v.validateSize()...)
	errs = append(errs, validateBoot(machine)...)
	errs = append(errs, v.validateBootable(machine)...)
	errs = append(errs, validateDefaultNetwork(machine)...)
	return append(errs, v.validateCloudInitVolumes(machine)...)
}

// templatePath is a place of the machine in spec.virtualMachine.
func templatePath(place string) *field.Path {
	return field.NewPath("spec", append([]string{"virtualMachine"}, strings.Split(place, ".")...)...)
}

// validateSize refuses what says the size of the machine in other words than the Wukong does.
func (v *view) validateSize() field.ErrorList {
	var errs field.ErrorList
	refuse := func(by string, places ...string) {
		for _, place := range places {
			if v.template.Says(place) {
				errs = append(errs, field.Forbidden(templatePath(place), by+" says it in other words: remove one of the two"))
			}
		}
	}
	if v.given.CPU != 0 {
		refuse("spec.cpu", "spec.instancetype", template.Domain+".cpu.sockets", template.Domain+".cpu.threads")
	}
	if v.given.Memory != nil {
		refuse("spec.memory", "spec.instancetype")
	}
	if v.given.Instancetype != nil {
		const resources = template.Domain + ".resources"
		refuse("spec.instancetype", template.Domain+".cpu.cores", template.Domain+".cpu.sockets", template.Domain+".cpu.threads",
			template.Domain+".memory.guest", resources+".requests.cpu", resources+".limits.cpu",
			resources+".requests.memory", resources+".limits.memory")
	}
	return errs
}

// validateBoot refuses two devices with one place in the order in which the machine boots.
func validateBoot(machine map[string]any) field.ErrorList {
	var errs field.ErrorList
	first := map[any]string{}
	for _, device := range []struct{ kind, list string }{{"disk", template.Devices + ".disks"}, {"interface", template.Devices + ".interfaces"}} {
		for _, item := range template.Items(machine, device.list) {
			order, name := item["bootOrder"], fmt.Sprintf("%s %v", device.kind, item["name"])
			switch other := first[order]; {
			case order == nil:
			case other != "":
				errs = append(errs, field.Invalid(templatePath(template.Devices), order,
					fmt.Sprintf("is bootOrder of %s and %s: give each its own", other, name)))
			default:
				first[order] = name
			}
		}
	}
	return errs
}

// validateBootable refuses a new machine that boots from empty disks alone. The schema cannot tell what spec.virtualMachine boots from: a
// disk of its own, the network, or a kernel. By the time the machine exists, something may have been installed on its disks.
func (v *view) validateBootable(machine map[string]any) field.ErrorList {
	empty := map[string]bool{}
	for _, d := range v.w.Spec.Disks {
		empty[d.Name] = d.Image == "" && d.DataSource == nil && d.Clone == nil && d.ClaimName == ""
	}
	var boots []string
	for _, disk := range template.Items(machine, template.Devices+".disks") {
		name, _ := disk["name"].(string)
		switch {
		case disk["bootOrder"] == nil:
		case !empty[name]:
			return nil
		default:
			boots = append(boots, name)
		}
	}
	byNetwork := func(nic map[string]any) bool { return nic["bootOrder"] != nil }
	if len(boots) == 0 || v.machine() != nil || v.template.Says(template.Domain+".firmware.kernelBoot") ||
		slices.ContainsFunc(template.Items(machine, template.Devices+".interfaces"), byNetwork) {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("spec", "disks"), strings.Join(boots, ", "), "there is nothing to boot on an empty disk: "+
		"fill it, or give another disk, or a NIC in spec.virtualMachine, a bootOrder too")}
}

// validateDefaultNetwork refuses a second network in the place of the pod network: KubeVirt takes one.
func validateDefaultNetwork(machine map[string]any) field.ErrorList {
	var names []string
	for _, network := range template.Items(machine, template.Instance+".networks") {
		if multus, _ := network["multus"].(map[string]any); network["pod"] != nil || multus["default"] == true {
			names = append(names, fmt.Sprint(network["name"]))
		}
	}
	if len(names) < 2 {
		return nil
	}
	return field.ErrorList{field.Invalid(templatePath(template.Instance+".networks"), strings.Join(names, ", "),
		"would each be the pod's default network: keep one of them")}
}

// validateCloudInitVolumes refuses a second volume for cloud-init, which reads one while KubeVirt chooses which, and one by which
// KubeVirt cannot hand the SSH keys on.
func (v *view) validateCloudInitVolumes(machine map[string]any) field.ErrorList {
	var names []string
	configDrive := false
	for _, volume := range template.Items(machine, template.Instance+".volumes") {
		if readByCloudInit(volume) {
			names = append(names, fmt.Sprint(volume["name"]))
			configDrive = configDrive || volume["cloudInitConfigDrive"] != nil
		}
	}
	at := templatePath(template.Instance + ".volumes")
	switch {
	case len(names) > 1:
		return field.ErrorList{field.Invalid(at, strings.Join(names, ", "),
			"are for cloud-init, and it reads one: write what it should read as volume "+cloudInitDisk)}
	case configDrive && v.given.SSHKeySecret != "":
		return field.ErrorList{field.Invalid(at, names[0],
			"is a config drive, and takes no sshKeySecret: use cloudInitNoCloud")}
	}
	return nil
}

// saysOSDisk is the field that makes the container disk stay.
func (v *view) saysOSDisk() string {
	if v.given.OSImage == "" && v.given.ImagePullSecret != "" {
		return "spec.imagePullSecret"
	}
	return "spec.osImage"
}

// saidBy is the field of the Wukong that makes what is at a place in the machine.
func (v *view) saidBy(at string) string {
	for _, said := range []struct{ at, by string }{
		{"spec.runStrategy", "spec.startStrategy or spec.highAvailability.restartPolicy"},
		{"spec.instancetype", "spec.instancetype"},
		{"spec.preference", "spec.preference"},
		{template.Domain + ".cpu", "spec.cpu"},
		{template.Domain + ".memory", "spec.memory"},
		{template.Instance + ".nodeSelector", "spec.highAvailability.nodeSelector"},
		{template.Instance + ".tolerations", "spec.highAvailability.tolerations"},
		{template.Instance + ".affinity", "spec.highAvailability.antiAffinity"},
		{template.Instance + ".evictionStrategy", "spec.evictionStrategy"},
		{template.Instance + ".terminationGracePeriodSeconds", "spec.terminationGracePeriodSeconds"},
		{template.Instance + ".accessCredentials", "spec.sshKeySecret"},
		{template.Instance + ".volumes[" + osDisk + "].containerDisk.imagePullSecret", "spec.imagePullSecret"},
		{template.Instance + ".volumes[" + osDisk + "]", v.saysOSDisk()},
		{template.Devices + ".disks[" + osDisk + "]", v.saysOSDisk()},
		{template.Instance + ".volumes[" + cloudInitDisk + "].cloudInitNoCloud.network", "spec.networks or spec.networkDataSecret"},
		{template.Instance + ".volumes[" + cloudInitDisk + "]", "spec.cloudInitUser, spec.userData, spec.userDataSecret or spec.networks"},
	} {
		if strings.HasPrefix(at, said.at) {
			return said.by
		}
	}
	for i, d := range v.w.Spec.Disks {
		for _, item := range []string{
			template.Instance + ".volumes[" + d.Name + "]", template.Devices + ".disks[" + d.Name + "]",
			"spec.dataVolumeTemplates[" + claimName(v.w, d) + "]",
		} {
			if strings.HasPrefix(at, item) {
				return fmt.Sprintf("spec.disks[%d]", i)
			}
		}
	}
	for _, n := range v.networks {
		if strings.HasPrefix(at, template.Instance+".networks["+n.Name+"]") || strings.HasPrefix(at, template.Devices+".interfaces["+n.Name+"]") {
			return fmt.Sprintf("spec.networks[%d]", n.index)
		}
	}
	return "another field of the Wukong"
}
