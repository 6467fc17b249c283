package sync

import (
	"slices"

	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/sync/template"
	"novasphere.dev/wukong/types/v1alpha1"
)

// fallbacks are the values of the machine that only a default says. Each gives way to what spec.virtualMachine says instead.
func (v *view) fallbacks(nets []*network) []template.Fallback {
	return slices.Concat(v.sizeFallbacks(), v.bootFallbacks(), v.guestFallbacks(), v.deviceFallbacks(nets))
}

// sizeFallbacks are whether the machine runs, its cores and its memory.
func (v *view) sizeFallbacks() []template.Fallback {
	const cpu, memory, resources = template.Domain + ".cpu", template.Domain + ".memory", template.Domain + ".resources"
	var all []template.Fallback
	if !v.saysRunStrategy() {
		all = append(all, template.Fallback{At: "spec.runStrategy", To: []string{"spec.runStrategy"}})
	}
	if v.given.CPU == 0 {
		// Without cores KubeVirt takes as many as are requested.
		all = append(all, template.Fallback{At: cpu + ".cores", To: []string{
			cpu + ".cores", cpu + ".sockets", cpu + ".threads", resources + ".requests.cpu", resources + ".limits.cpu", "spec.instancetype",
		}})
	}
	if v.given.Memory == nil {
		all = append(all, template.Fallback{At: memory + ".guest", To: []string{
			memory + ".guest", resources + ".requests.memory", resources + ".limits.memory", "spec.instancetype",
		}})
	}
	return all
}

// bootFallbacks are the container disk of the default image.
func (v *view) bootFallbacks() []template.Fallback {
	const volume, disk = template.Instance + ".volumes[" + osDisk + "]", template.Devices + ".disks[" + osDisk + "]"
	all := []template.Fallback{{At: disk + ".bootOrder", To: []string{disk + ".bootOrder"}}}
	if v.osDiskGivesWay() {
		all = append(all, template.Fallback{At: volume}, template.Fallback{At: disk})
	}
	if v.given.OSImage == "" {
		all = append(all,
			template.Fallback{At: volume + ".containerDisk.image", To: []string{volume + ".containerDisk.image"}})
	}
	if v.given.OSImage == "" && v.given.ImagePullSecret == "" {
		all = append(all,
			template.Fallback{At: volume + ".containerDisk", To: others(volume, template.VolumeSources(), "containerDisk")})
	}
	return all
}

// guestFallbacks are what cloud-init reads where the Wukong says nothing of it: empty user data, and network data without an address.
func (v *view) guestFallbacks() []template.Fallback {
	const (
		volume, disk = template.Instance + ".volumes[" + cloudInitDisk + "]", template.Devices + ".disks[" + cloudInitDisk + "]"
		noCloud      = volume + ".cloudInitNoCloud"
	)
	var all []template.Fallback
	if !v.saysUserData() {
		all = append(all, template.Fallback{At: noCloud + ".userData", To: []string{
			noCloud + ".userData", noCloud + ".userDataBase64", noCloud + ".secretRef",
		}})
	}
	if v.given.NetworkDataSecret != "" || slices.ContainsFunc(v.given.Networks, func(n v1alpha1.Network) bool { return n.IPConfig != nil }) {
		return all
	}
	all = append(all, template.Fallback{At: noCloud + ".networkData", To: []string{
		noCloud + ".networkData", noCloud + ".networkDataBase64", noCloud + ".networkDataSecretRef",
	}})
	if v.saysUserData() {
		return all
	}
	all = append(all, template.Fallback{At: noCloud, To: []string{volume + ".cloudInitConfigDrive"}})
	if v.hasCloudInitUnderAnotherName() {
		all = append(all, template.Fallback{At: volume}, template.Fallback{At: disk})
	}
	return all
}

// saysUserData reports whether fields of the Wukong say something of the guest's user data.
func (v *view) saysUserData() bool {
	return v.given.CloudInitUser != nil || v.given.UserDataSecret != "" || v.given.UserData != "" || len(v.given.SSHAuthorizedKeys) > 0
}

func (v *view) hasCloudInitUnderAnotherName() bool {
	return slices.ContainsFunc(v.template.Items(template.Instance+".volumes"), func(volume map[string]any) bool {
		return volume["name"] != cloudInitDisk && readByCloudInit(volume)
	})
}

// readByCloudInit reports whether a volume is one that cloud-init reads.
func readByCloudInit(volume map[string]any) bool {
	return volume["cloudInitNoCloud"] != nil || volume["cloudInitConfigDrive"] != nil
}

// deviceFallbacks are the bus of each disk, and the binding of each interface.
func (v *view) deviceFallbacks(nets []*network) []template.Fallback {
	var all []template.Fallback
	for _, d := range append([]v1alpha1.Disk{{Name: osDisk}, {Name: cloudInitDisk}}, v.w.Spec.Disks...) {
		all = append(all, diskFallbacks(d)...)
	}
	for _, n := range nets {
		nic := template.Devices + ".interfaces[" + n.Name + "]"
		if n.Type == v1alpha1.Pod {
			all = append(all, template.Fallback{At: nic + ".masquerade", To: others(nic, template.Bindings(), "masquerade")})
		} else {
			all = append(all, template.Fallback{At: nic + ".bridge", To: []string{nic + ".binding"}})
		}
	}
	return all
}

// diskFallbacks are the bus of a disk, and that it is no CD, as far as its fields do not say them.
func diskFallbacks(d v1alpha1.Disk) []template.Fallback {
	if d.Bus != "" {
		return nil
	}
	disk := template.Devices + ".disks[" + d.Name + "]"
	if d.CDROM {
		return []template.Fallback{{At: disk + ".cdrom.bus", To: []string{disk + ".cdrom.bus", "spec.preference"}}}
	}
	return []template.Fallback{
		{At: disk + ".disk.bus", To: []string{disk + ".disk.bus", "spec.preference"}},
		{At: disk + ".disk", To: others(disk, template.DiskDevices(), "disk")},
	}
}

// others are the places of all fields but one.
func others(at string, fields []string, but string) []string {
	var all []string
	for _, name := range fields {
		if name != but {
			all = append(all, at+"."+name)
		}
	}
	return all
}

// runStrategy is the machine's run strategy: the Wukong's, or else the template's, or else the default.
func (v *view) runStrategy() kubevirtv1.VirtualMachineRunStrategy {
	if said := v.template.Text("spec.runStrategy"); said != "" && !v.saysRunStrategy() {
		return kubevirtv1.VirtualMachineRunStrategy(said)
	}
	return runStrategy(v.w)
}

// saysRunStrategy reports whether a field of the Wukong decides the run strategy.
func (v *view) saysRunStrategy() bool {
	s, ha := v.given.StartStrategy, v.given.HighAvailability
	return s != nil && (s.RunStrategy != "" || s.AutoStart != nil) || ha != nil && ha.RestartPolicy != ""
}

// osDiskGivesWay reports whether the machine has no container disk of the default image, because spec.virtualMachine says what boots:
// a volume that an operating system can be on, a bootOrder, or a kernel.
func (v *view) osDiskGivesWay() bool {
	t := v.template
	if v.given.OSImage != "" || v.given.ImagePullSecret != "" || bootsFromDisk(v.w) || t.Says(template.Instance+".volumes["+osDisk+"]", template.Devices+".disks["+osDisk+"]") {
		return false
	}
	has := func(list string, fields ...string) bool {
		return slices.ContainsFunc(t.Items(list), func(item map[string]any) bool {
			return slices.ContainsFunc(fields, func(name string) bool { return item[name] != nil })
		})
	}
	return has(template.Instance+".volumes", template.BootSources()...) ||
		has(template.Devices+".disks", "bootOrder") || has(template.Devices+".interfaces", "bootOrder") ||
		t.Says(template.Domain+".firmware.kernelBoot")
}
