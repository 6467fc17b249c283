package sync_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// TestNoQuantityIsParsedUnseen holds that a quantity whose parsing does not end is refused while a request is read: this test would not end
// either. As JSON it may be a string, with escapes too, or a number.
func TestNoQuantityIsParsedUnseen(t *testing.T) {
	for _, quantity := range []string{
		`"1e-2000000000"`, `"1E-2000000000"`, `1e-2000000000`, `"\u0031e-2000000000"`, `"+.1e-2000000000"`, `"-1e-2000000000"`, `" 1e-2000000000"`,
		`"` + strings.Repeat("9", 1000) + `"`, `"2GB"`, `-1E-2000000000`,
	} {
		for _, spec := range []string{
			`{"memory": ` + quantity + `}`, `{"disks": [{"name": "a", "size": "1Gi"}, {"name": "b", "size": ` + quantity + `}]}`,
		} {
			text := fmt.Sprintf(`{"parent": {"apiVersion": %q, "kind": "Wukong", "metadata": {"name": "a"}, "spec": %s}}`, v1alpha1.APIVersion, spec)
			for _, req := range []any{new(sync.Request), new(sync.CustomizeRequest)} {
				err := jsonv2.Unmarshal([]byte(text), req)
				if err == nil || !strings.Contains(err.Error(), "must be a number and a unit") {
					t.Errorf("%.100s: %v", text, err)
				}
			}
		}
	}
}

// TestQuantitiesThatPeopleWriteAreRead holds that nothing else is refused by that.
func TestQuantitiesThatPeopleWriteAreRead(t *testing.T) {
	for _, quantity := range []string{`"2Gi"`, `"8.5Gi"`, `2147483648`, `"2e9"`, `"0.5Ti"`, `null`} {
		text := fmt.Sprintf(`{"parent": {"spec": {"memory": %s, "disks": [{"name": "a", "size": %s}]}}}`, quantity, quantity)
		if err := jsonv2.Unmarshal([]byte(text), new(sync.Request)); err != nil {
			t.Errorf("%s: %v", quantity, err)
		}
	}
}

// TestSelectorsAreAccepted holds that the API server takes every selector that /customize answers, whatever names and labels a
// parent has: one that it refuses stops every sync of that parent for good.
func TestSelectorsAreAccepted(t *testing.T) {
	strange := []string{"", "-", "not a label", "UPPER/lower/x", strings.Repeat("x", 64), strings.Repeat("y", 400), "a,b", "ä", "a\nb", "br-lan"}
	for _, text := range strange {
		w := &v1alpha1.Wukong{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind}}
		w.Name = "vm" + text
		selector := map[string]v1alpha1.LabelValue{v1alpha1.APIVersion: "x", "k" + text: "v", "key": v1alpha1.LabelValue(text)}
		w.Spec.HighAvailability = &v1alpha1.HighAvailability{NodeSelector: selector}
		w.Spec.Networks = []v1alpha1.Network{{Name: "n" + text, Type: v1alpha1.Bridge, BridgeName: text, PhysicalInterface: text}, {Name: text, Type: v1alpha1.OVS, VLANID: 7}}
		w.Spec.Disks = []v1alpha1.Disk{{Name: text, ClaimName: "c" + text}}
		w.Status.Networks = []v1alpha1.NetworkStatus{{Name: text, Bridge: text, Uplink: "u" + text, PolicyName: "p" + text}}
		controller := sync.Controller{Spec: sync.ControllerSpec{ChildResources: []sync.ChildResource{
			{APIVersion: "nmstate.io/v1", Resource: "nodenetworkconfigurationpolicies"},
		}}}
		resp, err := sync.Customize(&sync.CustomizeRequest{Controller: controller, Parent: w}, goldenSettings)
		if err != nil {
			t.Fatal(err)
		}
		accepted(t, text, resp)

		n := &v1alpha1.WukongNetwork{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.NetworkKind}}
		n.Name, n.Spec.BridgeName, n.Spec.PhysicalInterface, n.Spec.NodeSelector = "lan"+text, text, text, selector
		n.Status.Policies = []v1alpha1.NetworkPolicyStatus{{Name: text, Bridge: "b" + text, Uplink: text}}
		resp, err = sync.CustomizeNetwork(&sync.NetworkCustomizeRequest{Controller: controller, Parent: n}, goldenSettings)
		if err != nil {
			t.Fatal(err)
		}
		accepted(t, text, resp)
	}
}

func accepted(t *testing.T, text string, resp *sync.CustomizeResponse) {
	t.Helper()
	for _, rule := range resp.RelatedResources {
		if rule.LabelSelector == nil {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(rule.LabelSelector)
		if err != nil || selector.Empty() {
			raw, _ := json.Marshal(rule)
			t.Errorf("%q makes the rule %s: %v", text, raw, err)
		}
	}
}

// TestMessagesFitIntoTheStatus holds that no message is longer than the CRD takes, however long what others say is: it would refuse the
// whole status.
func TestMessagesFitIntoTheStatus(t *testing.T) {
	const most = 5000
	long := strings.Repeat("ä long story ", 5000)
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		if hook == "node-sync" {
			return
		}
		for _, set := range []objects{req.Children, req.Related} {
			for _, kind := range set {
				for _, object := range kind {
					lengthen(object.Object["status"], long)
				}
			}
		}
		raw, err := json.Marshal(answer(t, hook, req, goldenNow).status)
		if err != nil {
			t.Fatal(err)
		}
		var status any
		if err := json.Unmarshal(raw, &status); err != nil {
			t.Fatal(err)
		}
		if longest := longestMessage(status); longest > most {
			t.Errorf("a message has %d characters", longest)
		}
	})
}

// lengthen makes every message in a status long.
func lengthen(v any, long string) {
	switch v := v.(type) {
	case map[string]any:
		for key, below := range v {
			if _, isText := below.(string); isText && (key == "message" || key == "printableStatus") {
				v[key] = long
			}
			lengthen(below, long)
		}
	case []any:
		for _, item := range v {
			lengthen(item, long)
		}
	}
}

func longestMessage(v any) int {
	longest := 0
	switch v := v.(type) {
	case map[string]any:
		for key, below := range v {
			if text, isText := below.(string); isText && key == "message" {
				longest = max(longest, len([]rune(text)))
			}
			longest = max(longest, longestMessage(below))
		}
	case []any:
		for _, item := range v {
			longest = max(longest, longestMessage(item))
		}
	}
	return longest
}
