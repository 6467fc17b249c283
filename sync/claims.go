package sync

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/template"
	"novasphere.dev/wukong/types/v1alpha1"
)

// ownClaim is a claim behind a disk of the machine, and the field that names it.
type ownClaim struct {
	name, field string
	disk        string // the disk of the spec; empty where spec.virtualMachine names the claim
	existing    bool   // the machine does not make it
	cd          bool   // the guest cannot write to it
}

// ownClaims are the claims of the spec's disks, and those that spec.virtualMachine makes or names.
func ownClaims(w *v1alpha1.Wukong) []ownClaim {
	var all []ownClaim
	seen := map[string]bool{}
	for i, d := range w.Spec.Disks {
		c := ownClaim{name: claimName(w, d), disk: d.Name, field: fmt.Sprintf("spec.disks[%d].name", i), cd: d.CDROM}
		if d.ClaimName != "" {
			c.existing, c.field = true, fmt.Sprintf("spec.disks[%d].claimName", i)
		}
		seen[c.name] = true
		all = append(all, c)
	}
	const spec = "spec.virtualMachine.spec."
	for _, made := range template.DataVolumes(w.Spec.VirtualMachine) {
		seen[made.Name] = true
		all = append(all, ownClaim{name: made.Name, field: fmt.Sprintf("%sdataVolumeTemplates[%d].metadata.name", spec, made.Index)})
	}
	for _, named := range template.NamedClaims(w.Spec.VirtualMachine) {
		if seen[named.Name] {
			continue
		}
		c := ownClaim{name: named.Name, existing: true, cd: named.CD}
		c.field = fmt.Sprintf("%stemplate.spec.volumes[%d].persistentVolumeClaim.claimName", spec, named.Index)
		if named.DataVolume {
			c.field = fmt.Sprintf("%stemplate.spec.volumes[%d].dataVolume.name", spec, named.Index)
		}
		all = append(all, c)
	}
	return all
}

// claimRules select what exists under the names of the machine's claims. DataVolumes are asked for only where the machine makes some:
// then the Containerized Data Importer has to be there, and without it their kind would stop every sync. Names that the API server
// takes for no object's are left out.
func claimRules(w *v1alpha1.Wukong) []RelatedRule {
	var names []string
	makes := false
	for _, c := range ownClaims(w) {
		if len(validation.IsDNS1123Subdomain(c.name)) == 0 {
			names = append(names, c.name)
			makes = makes || !c.existing
		}
	}
	if len(names) == 0 || w.DeletionTimestamp != nil {
		return nil
	}
	rules := []RelatedRule{{APIVersion: "v1", Resource: "persistentvolumeclaims", Namespace: w.Spec.Namespace, Names: distinct(names)}}
	if makes {
		rules = append(rules, RelatedRule{
			APIVersion: "cdi.kubevirt.io/v1beta1", Resource: "datavolumes", Namespace: w.Spec.Namespace, Names: distinct(names),
		})
	}
	return rules
}

// dataVolume is what exists as the DataVolume of a claim; nil where there is none, or where DataVolumes are not related.
func (v *view) dataVolume(claim string) *facts.DataVolume {
	return v.related.DataVolumes.Get(facts.Qualified(v.w.Spec.Namespace, claim))
}

// volumeClaim is what exists as a claim; nil where there is none, or where claims are not related.
func (v *view) volumeClaim(claim string) *facts.VolumeClaim {
	return v.related.Claims.Get(facts.Qualified(v.w.Spec.Namespace, claim))
}
