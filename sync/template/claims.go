package template

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/util/validation"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Claim is a claim that spec.virtualMachine names, or that is made for a DataVolume of it.
type Claim struct {
	Name string

	// Index is that of the volume, or of the DataVolume template, that names it.
	Index int

	// DataVolume is whether a volume names it as a DataVolume.
	DataVolume bool

	// CD is whether the guest cannot write to it.
	CD bool
}

// claims is what of a spec says which claims there are. Nothing of it is read strictly: what is asked for once per generation must
// not depend on a flag, nor on whatever else is wrong with the spec.
type claims struct {
	DataVolumeTemplates []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
	} `json:"dataVolumeTemplates"`
	Template struct {
		Spec struct {
			Volumes []struct {
				Name       string `json:"name"`
				DataVolume struct {
					Name string `json:"name"`
				} `json:"dataVolume"`
				Claim struct {
					Name string `json:"claimName"`
				} `json:"persistentVolumeClaim"`
			} `json:"volumes"`
			Domain struct {
				Devices struct {
					Disks []struct {
						Name  string          `json:"name"`
						CDROM json.RawMessage `json:"cdrom"`
					} `json:"disks"`
				} `json:"devices"`
			} `json:"domain"`
		} `json:"spec"`
	} `json:"template"`
}

func readClaims(vm *v1alpha1.VirtualMachine) (c claims) {
	if vm == nil || vm.Spec == nil {
		return c
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(vm.Spec.Raw, &c); err != nil {
		return claims{} // which no flag makes right
	}
	return c
}

// DataVolumes are the DataVolumes that spec.virtualMachine makes.
func DataVolumes(vm *v1alpha1.VirtualMachine) []Claim {
	templates := readClaims(vm).DataVolumeTemplates
	var all []Claim
	for i, t := range templates[:min(len(templates), mostDataVolumes)] {
		if isName(t.Metadata.Name) {
			all = append(all, Claim{Name: t.Metadata.Name, Index: i})
		}
	}
	return all
}

// NamedClaims are the claims that volumes of spec.virtualMachine name, each once, whoever makes them.
func NamedClaims(vm *v1alpha1.VirtualMachine) []Claim {
	spec := readClaims(vm).Template.Spec
	cds := map[string]bool{}
	for _, d := range spec.Domain.Devices.Disks {
		cds[d.Name] = len(d.CDROM) > 0 && string(d.CDROM) != "null"
	}
	seen := map[string]bool{}
	var all []Claim
	for i, v := range spec.Volumes {
		c := Claim{Name: v.Claim.Name, Index: i, CD: cds[v.Name]}
		if v.DataVolume.Name != "" {
			c.Name, c.DataVolume = v.DataVolume.Name, true
		}
		if len(all) < mostDataVolumes && isName(c.Name) && !seen[c.Name] {
			seen[c.Name] = true
			all = append(all, c)
		}
	}
	return all
}

func isName(name string) bool {
	return len(validation.IsDNS1123Subdomain(name)) == 0
}
