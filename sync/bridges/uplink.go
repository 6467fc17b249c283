package bridges

import (
	"fmt"

	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
)

// Feeds is the refusal to use an uplink without a bridge, because a policy feeds one by it; nil where none does.
func (v *View) Feeds(uplink string) *outcome.Refusal {
	b := node.Bridge{Uplink: uplink}
	for _, p := range v.unwanted("") {
		if conflict := v.conflictWith(b, p); conflict != nil {
			return conflict
		}
	}
	for p := range v.meeting(b) {
		conflict := v.conflictWith(b, p)
		if conflict != nil && conflict.Stuck {
			conflict.Message = fmt.Sprintf("%s is in bridge %s by policy %s of %s: add the network anew with another physicalInterface",
				uplink, p.Says.Name, p.Name, p.Owner)
		}
		if conflict != nil {
			return conflict
		}
	}
	return nil
}
