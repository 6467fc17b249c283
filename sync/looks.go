package sync

import (
	"time"

	"novasphere.dev/wukong/sync/bridges"
)

// Look is what speaks against the policy of a bridge on one of the nodes that it is for.
type Look struct {
	Policy string
	bridges.Look
}

// Looks are the looks at all nodes that the policies of a Wukong are for. Sync stops at the first node that speaks against a policy;
// this is for people who want to see them all.
func Looks(req *Request, settings Settings, now time.Time) []Look {
	return looks(newView(req, settings, now).bridges)
}

// NetworkLooks are the same for a WukongNetwork.
func NetworkLooks(req *NetworkRequest, settings Settings, now time.Time) []Look {
	return looks(newNetworkView(req, settings, now).bridges)
}

func looks(v *bridges.View) []Look {
	var all []Look
	for i := range v.Wants {
		for _, look := range v.Looks(&v.Wants[i]) {
			all = append(all, Look{v.Wants[i].Policy, look})
		}
	}
	return all
}
