package sync

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// objection is what speaks against giving the machine what exists under the name of one of its claims.
type objection struct {
	what   string // says what exists, and what is wrong with that
	wayOut string
	passes bool // by itself
}

// told is the objection in one line.
func (o objection) told(c ownClaim) string {
	if o.wayOut == "" {
		return c.field + ": " + o.what
	}
	return fmt.Sprintf("%s: %s: %s", c.field, o.what, o.wayOut)
}

// existingDisk is the refusal of the machine, or of a disk added to it, because of what exists under the name of a claim already; nil where
// nothing speaks against it. KubeVirt takes a DataVolume or a claim that exists as it is, whatever its template says (handleDataVolumes):
// the guest would boot from another image, or find less than was asked for. It also makes one that is nobody's the machine's own.
// The table in docs/decisions.md has its rows.
func (v *view) existingDisk() *outcome.Refusal {
	for _, c := range ownClaims(v.w) {
		if v.inUse(c) {
			continue
		}
		switch o := v.objection(c); {
		case o.passes:
			return &outcome.Refusal{Reason: v1alpha1.ReasonRemoving, Message: fmt.Sprintf("%s: %s: waiting until it is gone", c.field, o.what)}
		case o.what != "":
			return &outcome.Refusal{Reason: v1alpha1.ReasonConflict, Stuck: true, Message: o.told(c)}
		}
	}
	return nil
}

// existingDisks say what exists under the names of claims that the machine has already, or will take over. Nothing is taken from a
// machine for it.
// The table in docs/decisions.md has its rows.
func (v *view) existingDisks() []string {
	var all []string
	for _, c := range ownClaims(v.w) {
		o := v.objection(c)
		switch used := v.inUse(c); {
		case used && o.what != "":
			all = append(all, o.told(c))
		case used && v.short(c) != "":
			all = append(all, v.short(c))
		case !used && o.what == "" && v.adopts(c):
			all = append(all, fmt.Sprintf("%s: DataVolume %s exists already and belongs to nobody: it becomes the machine's, and is deleted with it",
				c.field, v.dataVolume(c.name).Key))
		}
	}
	return all
}

// inUse reports whether the machine has a claim already, or had it until KubeVirt put another one in its place.
func (v *view) inUse(c ownClaim) bool {
	m := v.machine()
	return m != nil && (makes(m, c.name) || len(m.Volumes.Using(c.name)) > 0 || c.disk != "" && m.Volumes.Named(c.disk).Claim != "")
}

// adopts reports whether KubeVirt makes a DataVolume that is nobody's the machine's own.
func (v *view) adopts(c ownClaim) bool {
	found := v.dataVolume(c.name)
	return found != nil && !c.existing && !found.Owner.Controller
}

// objection is what speaks against what exists under the name of a claim; the zero objection where nothing does.
func (v *view) objection(c ownClaim) objection {
	made, claim := v.dataVolume(c.name), v.volumeClaim(c.name)
	found := object(made, claim)
	switch {
	case found == nil, v.displaced(c):
		return objection{}
	case v.othersMachine(found) != "":
		return v.taken(c, found)
	case c.existing:
		return objection{}
	case found.Deleting:
		return objection{what: namedDisk(found) + " is being deleted", passes: true}
	case v.leftBehind(found):
		return objection{
			what:   fmt.Sprintf("%s belongs to an earlier machine %s, and is deleted with it", namedDisk(found), found.Owner.Name),
			wayOut: keptBy(found), passes: true,
		}
	case v.strange(found):
		return objection{what: fmt.Sprintf("%s belongs to %s", namedDisk(found), found.Owner), wayOut: anotherName(c)}
	case made == nil && !found.Owner.Controller:
		return objection{
			what:   namedDisk(found) + " exists already, and KubeVirt would take it with whatever is on it",
			wayOut: anotherName(c) + ", or use it by a disk of another name with claimName",
		}
	}
	return v.differs(c, made, claim)
}

// displaced reports whether a restore or a migration has put another claim in the place of one.
func (v *view) displaced(c ownClaim) bool {
	m := v.machine()
	return m != nil && c.disk != "" && len(m.Volumes.Using(c.name)) == 0 && m.Volumes.Named(c.disk).Claim != ""
}

// object is what exists under the name of a claim: its DataVolume, or else the claim.
func object(made *facts.DataVolume, claim *facts.VolumeClaim) *facts.Object {
	switch {
	case made != nil:
		return &made.Object
	case claim != nil:
		return &claim.Object
	}
	return nil
}

// taken is the objection that the disk of another machine is under the name of a claim. That machine deletes it with itself.
func (v *view) taken(c ownClaim, found *facts.Object) objection {
	o := objection{wayOut: anotherName(c)}
	o.what = fmt.Sprintf("%s is a disk of machine %s", namedDisk(found), v.othersMachine(found))
	if c.existing {
		o.wayOut = "add a disk with a clone of it, or with another claim"
	}
	return o
}

// ownMachine reports whether an object belongs to the Wukong's machine.
func (v *view) ownMachine(o *facts.Object) bool {
	m := v.machine()
	return m != nil && o.Owner.Controller && o.Owner.Kind == "VirtualMachine" && o.Owner.UID == m.UID
}

// strange reports whether an object belongs to somebody else than the machine, or a DataVolume of it.
func (v *view) strange(o *facts.Object) bool {
	ofDataVolume := o.Kind != "DataVolume" && o.Owner.Kind == "DataVolume"
	return o.Owner.Controller && !v.ownMachine(o) && !ofDataVolume
}

// leftBehind reports whether an object belongs to a machine of the same name that is no more. Kubernetes deletes it.
func (v *view) leftBehind(o *facts.Object) bool {
	return o.Owner.Controller && o.Owner.Kind == "VirtualMachine" && o.Owner.Name == v.w.Name && !v.ownMachine(o)
}

// othersMachine is the key of the other machine that an object belongs to; empty where it belongs to none.
func (v *view) othersMachine(o *facts.Object) string {
	if !o.Owner.Controller || o.Owner.Kind != "VirtualMachine" || o.Owner.Name == v.w.Name {
		return ""
	}
	return facts.Qualified(o.Namespace, o.Owner.Name)
}

// namedDisk is a DataVolume or a claim in messages.
func namedDisk(o *facts.Object) string {
	if o.Kind == "DataVolume" {
		return "DataVolume " + o.Key
	}
	return "claim " + o.Key
}

// keptBy is the command that keeps an object from being deleted with its owner.
func keptBy(o *facts.Object) string {
	resource := "pvc"
	if o.Kind == "DataVolume" {
		resource = "datavolume"
	}
	return fmt.Sprintf("`kubectl patch %s -n %s %s %s` keeps it", resource, o.Namespace, o.Name, outcome.WithoutOwner)
}

// anotherName is the way out that needs nothing from anybody.
func anotherName(c ownClaim) string {
	if c.disk == "" {
		return "choose another name there"
	}
	return "choose another name"
}

// differs is the objection that a DataVolume, or a claim without one, is not what the Wukong says. What the Wukong leaves open is not
// compared, and neither is what the Containerized Data Importer fills in.
func (v *view) differs(c ownClaim, made *facts.DataVolume, claim *facts.VolumeClaim) objection {
	wanted := v.wantedDataVolume(c)
	var wrong []string
	if size := otherSize(wanted.Size, made, claim); size != "" {
		wrong = append(wrong, fmt.Sprintf("has %s, not %s", size, wanted.Size))
	}
	if made != nil && wanted.Source.Differs(made.Source) {
		wrong = append(wrong, fmt.Sprintf("is filled with %s, not %s", oneLine(made.Source.String()), wanted.Source))
	}
	if class := classOf(made, claim); wanted.StorageClass != "" && class != "" && class != wanted.StorageClass {
		wrong = append(wrong, fmt.Sprintf("is of storage class %s, not %s", class, wanted.StorageClass))
	}
	if len(wrong) == 0 {
		return objection{}
	}
	what := fmt.Sprintf("%s exists already and %s, and KubeVirt takes it as it is", namedDisk(object(made, claim)), strings.Join(wrong, ", and "))
	return objection{what: what, wayOut: anotherName(c)}
}

// wantedDataVolume is the DataVolume that the machine makes as a claim.
func (v *view) wantedDataVolume(c ownClaim) facts.DataVolume {
	for _, d := range v.w.Spec.Disks {
		if d.Name == c.disk && d.ClaimName == "" {
			return facts.AsDataVolume([]byte(compact(dataVolumeTemplate(v.w, d))), v.w.Spec.Namespace)
		}
	}
	for _, said := range v.template.Items("spec.dataVolumeTemplates") {
		if metadata, _ := said["metadata"].(map[string]any); metadata["name"] == c.name {
			text, err := json.Marshal(said)
			if err != nil {
				panic(err) // it was JSON before
			}
			return facts.AsDataVolume(text, v.w.Spec.Namespace)
		}
	}
	return facts.DataVolume{}
}

// otherSize is the size of what exists where that is not the wanted one; empty where it is, or where a size is not known. A claim may be
// larger: it is rounded up, and holds a file system beside the disk.
func otherSize(wanted string, made *facts.DataVolume, claim *facts.VolumeClaim) string {
	want, ok := facts.ReadQuantity(wanted)
	if !ok {
		return ""
	}
	if made != nil {
		if have, ok := facts.ReadQuantity(made.Size); ok {
			if have.Cmp(want) == 0 {
				return ""
			}
			return made.Size
		}
	}
	if claim != nil {
		if have, ok := facts.ReadQuantity(claim.Size); ok && have.Cmp(want) < 0 {
			return claim.Size
		}
	}
	return ""
}

func classOf(made *facts.DataVolume, claim *facts.VolumeClaim) (class string) {
	if made != nil {
		class = made.StorageClass
	}
	if claim != nil {
		class = cmp.Or(class, claim.StorageClass)
	}
	return class
}

// short says that a disk of the running machine has less than the spec says, by what the instance reports; empty where it does not.
func (v *view) short(c ownClaim) string {
	instance := v.instance()
	want, ok := facts.ReadQuantity(v.wantedDataVolume(c).Size)
	if instance == nil || !ok || c.disk == "" {
		return ""
	}
	for _, volume := range instance.Volumes {
		if have, ok := facts.ReadQuantity(volume.Capacity); ok && volume.Name == c.disk && volume.Claim == c.name && have.Cmp(want) < 0 {
			return fmt.Sprintf("%s: claim %s has %s, not %s: KubeVirt took what was there already, so give the disk another name",
				c.field, c.name, volume.Capacity, want.String())
		}
	}
	return ""
}
