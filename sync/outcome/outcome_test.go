package outcome_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

func TestNameTaken(t *testing.T) {
	owner := facts.Owner{Kind: "Wukong", Name: "vm", UID: "u-1", Controller: true}
	own := map[string]string{facts.LabelWukong: "vm", facts.LabelManagedBy: facts.ManagedBy}
	for _, test := range []struct {
		name string
		by   facts.Object
		want string
	}{
		{
			"nobody's", facts.Object{Key: "vm-lan-bridge", Kind: "NodeNetworkConfigurationPolicy", Name: "vm-lan-bridge"},
			"policy vm-lan-bridge exists and belongs to nobody: rename this Wukong or its network, or delete that object",
		},
		{
			"another Wukong's, though it has this one's labels",
			facts.Object{Key: "a/vm-lan-nad", Kind: "NetworkAttachmentDefinition", Namespace: "a", Name: "vm-lan-nad", Labels: own,
				Owner: facts.Owner{Kind: "Wukong", Name: "other", UID: "u-2", Controller: true}},
			"attachment a/vm-lan-nad exists and belongs to Wukong other: rename this Wukong or its network, or delete that object",
		},
		{
			"nobody's, with the label of another Wukong",
			facts.Object{Key: "a/vm", Kind: "VirtualMachine", Namespace: "a", Name: "vm",
				Labels: map[string]string{facts.LabelWukong: "other", facts.LabelManagedBy: facts.ManagedBy}},
			"machine a/vm exists and belongs to nobody: choose another name for this Wukong, " +
				"because deleting that machine deletes its disks",
		},
		{
			"nobody's, with one of two labels",
			facts.Object{Key: "a/vm", Kind: "VirtualMachine", Namespace: "a", Name: "vm", Labels: map[string]string{facts.LabelWukong: "vm"}},
			"machine a/vm exists and belongs to nobody: choose another name for this Wukong, " +
				"because deleting that machine deletes its disks",
		},
		{
			"this one's, that lost its label", facts.Object{Key: "a/vm", Kind: "VirtualMachine", Namespace: "a", Name: "vm", Labels: own},
			"machine lost its label: " +
				"`kubectl label --overwrite -n a vm vm controller-uid=u-1` gives it back",
		},
		{
			"this one's, of a kind without namespaces",
			facts.Object{Key: "vm-lan-bridge", Kind: "NodeNetworkConfigurationPolicy", Name: "vm-lan-bridge", Labels: own},
			"policy lost its label: " +
				"`kubectl label --overwrite nncp vm-lan-bridge controller-uid=u-1` gives it back",
		},
		{
			"that of an earlier Wukong of this name", facts.Object{Key: "a/vm", Kind: "VirtualMachine", Namespace: "a", Name: "vm", Labels: own,
				Owner: facts.Owner{Kind: "Wukong", Name: "vm", UID: "u-0", Controller: true}},
			"an earlier Wukong owns this machine: " +
				"`kubectl patch vm vm --type=merge -p '{\"metadata\":{\"ownerReferences\":null}}' -n a` keeps it",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := &outcome.Refusal{Reason: v1alpha1.ReasonConflict, Message: test.want, Stuck: true}
			if diff := cmp.Diff(want, outcome.NameTaken(&test.by, owner)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := outcome.NameTaken(nil, owner); got != nil {
		t.Errorf("a name that nothing has is taken: %+v", got)
	}
}

func TestWorst(t *testing.T) {
	waits, waitsToo := &outcome.Refusal{Message: "waits"}, &outcome.Refusal{Message: "waits too"}
	stuck, stuckToo := &outcome.Refusal{Message: "stuck", Stuck: true}, &outcome.Refusal{Message: "stuck too", Stuck: true}
	for _, test := range []struct {
		name     string
		refusals []*outcome.Refusal
		want     *outcome.Refusal
	}{
		{"of none there is none", nil, nil},
		{"what is ready is no refusal", []*outcome.Refusal{nil, nil}, nil},
		{"the first that waits", []*outcome.Refusal{nil, waits, waitsToo}, waits},
		{"the first that only the user can end", []*outcome.Refusal{waits, stuck, waitsToo, stuckToo}, stuck},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := outcome.Worst(test.refusals...); got != test.want {
				t.Errorf("the worst is %+v", got)
			}
		})
	}
}
