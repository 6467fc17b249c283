package sync

import (
	"net"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/types/v1alpha1"
)

func TestNamesOfChildrenAndBack(t *testing.T) {
	for _, test := range []struct{ wukong, network, policy, attachment string }{
		{"vm", "lan", "vm-lan-bridge", "vm-lan-nad"},
		{"vm", "lan-bridge", "vm-lan-bridge-bridge", "vm-lan-bridge-nad"},
		{"vm", "vm-lan", "vm-vm-lan-bridge", "vm-vm-lan-nad"},
		{"vm-nad", "nad", "vm-nad-nad-bridge", "vm-nad-nad-nad"},
	} {
		w := &v1alpha1.Wukong{ObjectMeta: metav1.ObjectMeta{Name: test.wukong}}
		policy, attachment := policyName(w, test.network), attachmentName(w, test.network)
		if policy != test.policy || attachment != test.attachment {
			t.Errorf("network %s of %s has %s and %s", test.network, test.wukong, policy, attachment)
		}
		if a, b := networkOf(w, policy, policySuffix), networkOf(w, attachment, attachmentSuffix); a != test.network || b != test.network {
			t.Errorf("%s and %s are those of networks %q and %q", policy, attachment, a, b)
		}
	}
}

func TestBridgeName(t *testing.T) {
	for want, n := range map[string]v1alpha1.Network{
		"br-lan": {Name: "lan"},
		"lan":    {Name: "other", BridgeName: "lan"},
	} {
		if got := bridgeName(n); got != want {
			t.Errorf("the bridge is %s, and should be %s", got, want)
		}
	}
}

func TestMACAddress(t *testing.T) {
	given := v1alpha1.Network{Name: "lan", MACAddress: "02:AB:cd:00:00:FF"}
	if got := macAddress(&v1alpha1.Wukong{}, given); got != "02:ab:cd:00:00:ff" {
		t.Errorf("the one that was given is %s", got)
	}
	seen := map[string]bool{}
	for _, uid := range []types.UID{"u-1", "u-2"} {
		for _, network := range []string{"lan", "lan2", "wan"} {
			w := &v1alpha1.Wukong{ObjectMeta: metav1.ObjectMeta{UID: uid}}
			got := macAddress(w, v1alpha1.Network{Name: network})
			const local, group = 2, 1 // bits of the first byte
			if address, err := net.ParseMAC(got); err != nil || len(address) != 6 || address[0]&(local|group) != local {
				t.Errorf("%s is no address of a machine, given locally (%v)", got, err)
			}
			if seen[got] {
				t.Errorf("%s is given twice", got)
			}
			seen[got] = true
			w.Name, w.Generation = "renamed", 7
			if again := macAddress(w, v1alpha1.Network{Name: network, Type: v1alpha1.Bridge, MTU: 9000}); again != got {
				t.Errorf("it changes from %s to %s with what it has nothing to do with", got, again)
			}
		}
	}
}
