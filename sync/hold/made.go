package hold

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
)

// MadePolicy is the bridge that a policy was made for. Its labels say so, and so does its desired state, and anybody may edit
// either: an edit is undone, and must not be mistaken for another network. Where the two differ, what the hook answered last decides.
// Where that is gone as well, it is not certain.
// The table in docs/decisions.md has its rows.
func MadePolicy(p *facts.Policy) (made node.Bridge, certain bool) {
	if p == nil {
		return node.Bridge{}, false
	}
	labels := p.Made()
	if agree(labels, p.Says) {
		return p.Says, true
	}
	answer := noted(&p.Object)
	if answer == nil {
		return p.Says, false
	}
	return said(facts.PolicyOf(text(answer)).Says, labels)
}

// MadeAttachment is what an attachment was made to plug into, in the same way. Uplink is empty.
func MadeAttachment(a *facts.Attachment) (made node.Bridge, certain bool) {
	if a == nil {
		return node.Bridge{}, false
	}
	labels := a.Made()
	labels.Uplink = ""
	if agree(labels, a.Says()) {
		return a.Says(), true
	}
	answer := noted(&a.Object)
	if answer == nil {
		return a.Says(), false
	}
	return said(facts.AttachmentOf(text(answer)).Says(), labels)
}

// said is what the last answer said. With server-side apply it no longer has a content that somebody has edited; then the labels count.
func said(answered, labels node.Bridge) (node.Bridge, bool) {
	if answered.Kind != "" {
		return answered, true
	}
	return labels, labels.Kind != ""
}

// agree reports whether labels and content are about one bridge. Attachments on bridges name no NIC, and a policy that removes its bridge
// may not either.
func agree(labels, says node.Bridge) bool {
	sameNIC := labels.NIC == says.NIC || says.NIC == ""
	return labels.Kind == says.Kind && labels.Name == says.Name && labels.Uplink == says.Uplink && sameNIC
}

func text(answer *unstructured.Unstructured) []byte {
	raw, err := json.Marshal(answer.Object)
	if err != nil {
		return nil
	}
	return raw
}
