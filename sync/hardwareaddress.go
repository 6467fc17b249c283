package sync

import (
	"strings"

	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// hardwareAddress is the address that the guest sees on one network: what the spec says, else what the machine has, else one that is
// derived from the Wukong's UID. A Wukong that was restored from a backup has a new UID, and must not give its machine new addresses:
// guests and DHCP servers know the old ones. Of two networks with one address, the second gets a derived one.
// The table in docs/decisions.md has its rows.
func (v *view) hardwareAddress(n v1alpha1.Network, before []*network) string {
	if n.MACAddress == "" {
		for _, had := range []string{v.pluggedMAC(n.Name), v.toldMAC(n.Name)} {
			if isMAC(had) && !v.takenMAC(had, before) {
				return had
			}
		}
	}
	return macAddress(v.w, n)
}

// pluggedMAC is the address that the machine has on a network; empty where there is none. A machine that is to be given back counts too, so
// that the status says what it will have.
func (v *view) pluggedMAC(network string) string {
	m := v.machine()
	if m == nil {
		if m = v.related.Machines.Get(v.machineKey()); m == nil || !outcome.GivesBack(&m.Object, v.owner) {
			return ""
		}
	}
	plug, _ := m.Plugs.Find(network)
	return strings.ToLower(plug.MAC)
}

// toldMAC is the address in the last status, which outlives a machine that is deleted and made again; empty where there is none.
func (v *view) toldMAC(network string) string {
	for _, told := range v.w.Status.Networks {
		if told.Name == network {
			return told.MACAddress
		}
	}
	return ""
}

// takenMAC reports whether the spec gives an address to another network, or a network before has it.
func (v *view) takenMAC(mac string, before []*network) bool {
	for _, n := range v.w.Spec.Networks {
		if strings.EqualFold(n.MACAddress, mac) {
			return true
		}
	}
	for _, n := range before {
		if n.mac == mac {
			return true
		}
	}
	return false
}

// isMAC reports whether a text is the hardware address of one interface, as the hook writes it: six pairs of digits in lower case, not
// of a group, and none of the two that the schema refuses.
func isMAC(text string) bool {
	pairs := strings.Split(text, ":")
	if len(pairs) != 6 || text == "00:00:00:00:00:00" || text == "02:00:00:00:00:00" {
		return false
	}
	for _, pair := range pairs {
		if len(pair) != 2 || strings.Trim(pair, "0123456789abcdef") != "" {
			return false
		}
	}
	return strings.ContainsRune("02468ace", rune(pairs[0][1]))
}
