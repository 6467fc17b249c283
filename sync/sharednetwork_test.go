package sync

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

func TestNetworkPolicyName(t *testing.T) {
	for want, of := range map[string][2]string{
		"lan-100.bridge":       {"lan-100", ""},
		"lan-100.dell.bridge":  {"lan-100", "dell"},
		"lan.100-dell.bridge":  {"lan", "100-dell"},
		"bridge.bridge.bridge": {"bridge", "bridge"},
	} {
		if got := networkPolicyName(of[0], of[1]); got != want {
			t.Errorf("the policy of %s and %s is %s, and should be %s", of[0], of[1], got, want)
		}
	}
	// No Wukong and network have a dot in their names.
	w := &v1alpha1.Wukong{ObjectMeta: metav1.ObjectMeta{Name: "lan-100"}}
	if name := policyName(w, "dell"); strings.Contains(name, ".") {
		t.Errorf("a Wukong's policy is %s", name)
	}
}

func TestSharedRefusal(t *testing.T) {
	const network = `"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": "WukongNetwork"`
	ready := func(status, more string) string {
		return `"status": {"conditions": [{"type": "Ready", "status": "` + status + `", "reason": "R", "message": "the reason", ` +
			`"lastTransitionTime": "2026-11-23T12:00:00Z"}` + more + `]}`
	}
	const stalled = `, {"type": "Stalled", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": "2026-11-23T12:00:00Z"}`
	for _, test := range []struct {
		name, related string
		nmstate       bool
		reason        v1alpha1.Reason // empty where the network is ready
		stuck         bool
		message       string
	}{
		{"without NMState", `{}`, false, v1alpha1.ReasonNMStateNotRegistered, true, "networkName lan needs NMState"},
		{"not sent", `{}`, true, v1alpha1.ReasonWaitingForWukongNetwork, false, "Metacontroller does not send WukongNetwork lan yet"},
		{"sent as null", `null`, true, v1alpha1.ReasonWukongNetworkNotFound, true, "WukongNetwork lan does not exist"},
		{"not there", `{"other": {` + network + `}}`, true, v1alpha1.ReasonWukongNetworkNotFound, true, "WukongNetwork lan does not exist"},
		{"not looked at", `{"lan": {` + network + `}}`, true, v1alpha1.ReasonWaitingForWukongNetwork, false, "WukongNetwork lan is not ready: the hook has not looked at it"},
		{"not ready", `{"lan": {` + network + `, ` + ready("False", "") + `}}`, true, v1alpha1.ReasonWaitingForWukongNetwork, false,
			"WukongNetwork lan is not ready: the reason"},
		{"not known", `{"lan": {` + network + `, ` + ready("Unknown", "") + `}}`, true, v1alpha1.ReasonWaitingForWukongNetwork, false,
			"WukongNetwork lan is not ready: the reason"},
		{"ready in a form that is no longer wanted", `{"lan": {` + network + `, "metadata": {"generation": 2}, ` + ready("True", "") + `}}`, true,
			v1alpha1.ReasonWaitingForWukongNetwork, false, "WukongNetwork lan is not ready: the hook has not looked at it"},
		{"stalled", `{"lan": {` + network + `, ` + ready("False", stalled) + `}}`, true, v1alpha1.ReasonWaitingForWukongNetwork, true,
			"WukongNetwork lan is not ready: the reason"},
		{"ready", `{"lan": {` + network + `, ` + ready("True", "") + `}}`, true, "", false, ""},
		{"ready, of type ovs", `{"lan": {` + network + `, "spec": {"type": "ovs"}, ` + ready("True", "") + `}}`, true, "", false, ""},
		{"ready, of a type to come", `{"lan": {` + network + `, "spec": {"type": "vxlan"}, ` + ready("True", "") + `}}`, true,
			v1alpha1.ReasonWaitingForWukongNetwork, true, "WukongNetwork lan is of a type that"},
		{"ready, and not readable", `{"lan": {` + network + `, "spec": {"vlanId": "7"}, ` + ready("True", "") + `}}`, true,
			v1alpha1.ReasonWaitingForWukongNetwork, true, "WukongNetwork lan is of a type that"},
		{"ready, and being deleted", `{"lan": {` + network + `, "metadata": {"deletionTimestamp": "2026-11-23T12:00:00Z"}, ` + ready("True", "") + `}}`, true,
			v1alpha1.ReasonRemoving, true, "WukongNetwork lan is being deleted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := &Request{Controller: rendering(test.nmstate), Parent: &v1alpha1.Wukong{
				ObjectMeta: metav1.ObjectMeta{Name: "vm"},
				Spec:       v1alpha1.WukongSpec{Networks: []v1alpha1.Network{{Name: "n", NetworkName: "lan"}}},
			}}
			if test.related != `{}` {
				text := `{"` + facts.WukongNetworkKind + `": ` + test.related + `}`
				if err := json.Unmarshal([]byte(text), &req.Related); err != nil {
					t.Fatal(err)
				}
			}
			v := newView(req, Settings{}, time.Time{})
			r := v.sharedRefusal(v.networks[0])
			if test.reason == "" {
				if r != nil {
					t.Errorf("it is refused: %+v", r)
				}
				return
			}
			if r == nil || r.Reason != test.reason || r.Stuck != test.stuck || !strings.HasPrefix(r.Message, test.message) {
				t.Errorf("the refusal is %+v", r)
			}
		})
	}
}
