package bridges

import (
	"strings"
	"testing"
)

func TestUsefulLine(t *testing.T) {
	const began = "error reconciling NodeNetworkConfigurationPolicy on node worker-2 at desired state apply: '',\n failed to execute " +
		"nmstatectl set --no-commit --timeout 480: 'exit status 1' '' '"
	for _, test := range []struct{ name, message, want string }{
		{"nothing is said", "", ""},
		{"empty lines", "\n \n\t\n", ""},
		{
			"the last error of a log, without its time and module",
			began + "[2026-11-23T11:04:58Z INFO  nmstatectl] Nmstate version: 2.2.38\n" +
				"[2026-11-23T11:04:58Z ERROR nmstate::query_apply::net_state] VerificationError: Verification failure: ens160.interface.mtu desire '9000', current '1500'\n" +
				"[2026-11-23T11:05:03Z INFO  nmstate::nispor::base_iface] Rollback\n" +
				"[2026-11-23T11:05:04Z ERROR nmstatectl::error] NmstateError: VerificationError: Verification failure: ens160.interface.mtu desire '9000', current '1500'\n'",
			"NmstateError: VerificationError: Verification failure: ens160.interface.mtu desire '9000', current '1500'",
		},
		{
			"an error with no NmstateError in it stays whole",
			began + "[2026-11-23T11:04:58Z INFO  nmstatectl] Nmstate version: 2.2.38\n" +
				"[2026-11-23T11:04:59Z ERROR nmstate::nm::nm_dbus] Failed to activate br-lan:  timeout\n[2026-11-23T11:05:00Z INFO  nmstatectl] done\n'",
			"[2026-11-23T11:04:59Z ERROR nmstate::nm::nm_dbus] Failed to activate br-lan: timeout",
		},
		{
			"the desired state behind the error is passed over",
			"NmstateError: InvalidArgument: Port ens160 of bridge br-lan not found\ninterfaces:\n- name: br-lan\n  type: linux-bridge\n",
			"NmstateError: InvalidArgument: Port ens160 of bridge br-lan not found",
		},
		{
			"no error: the last line that says anything",
			"failed running probes after network changes\nfailed to run probe 'default-gw' with after reconfigure:\n  timed out waiting for the condition\n\n",
			"timed out waiting for the condition",
		},
		{"Windows' line ends", "NmstateError: Bug: x\r\n\r\n", "NmstateError: Bug: x"},
		{"one that just fits", "NmstateError: " + strings.Repeat("ß", failureLength-14), "NmstateError: " + strings.Repeat("ß", failureLength-14)},
		{"one that is too long is cut between characters", "NmstateError: " + strings.Repeat("ß", failureLength-13), "NmstateError: " + strings.Repeat("ß", failureLength-14) + "…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := usefulLine(test.message); got != test.want {
				t.Errorf("it is   %q\nit should %q", got, test.want)
			}
		})
	}
}

// state is the state of a node, as nmstatectl shows it and NMState's handler puts it whole into its messages.
const state = "---\ndns-resolver:\n  running:\n    server:\n    - 10.0.0.53\nroutes:\n  running:\n  - destination: 0.0.0.0/0\n" +
	"    next-hop-interface: br-lan\ninterfaces:\n- name: tunl0\n  type: unknown\n  description: 'ERROR: none'\novn: {}\n\n"

// TestReadFailure has the forms of messages that kubernetes-nmstate v0.85.1 writes into an enactment, with errors as nmstate 2.2
// writes them.
func TestReadFailure(t *testing.T) {
	const (
		applying = "error reconciling NodeNetworkConfigurationPolicy on node worker-2 at desired state apply: \"\",\n "
		began    = applying + ", [2026-07-21T09:28:57Z INFO  nmstatectl] Nmstate version: 2.2.60\n" +
			"[2026-07-21T09:28:57Z INFO  nmstate::query_apply::net_state] Created checkpoint /org/freedesktop/NetworkManager/Checkpoint/20\n"
		rolled = "[2026-07-21T09:29:03Z INFO  nmstate::query_apply::net_state] Rollbacked to checkpoint /org/freedesktop/NetworkManager/Checkpoint/20\n"
		failed = "\n: failed to execute nmstatectl apply --no-commit --timeout 480: exit status 1"
		probes = applying + "rolling back desired state configuration: failed runnig probes after network changes: "
		probe  = "failed runnig probe 'ping' with after network reconfiguration -> currentState: " + state
		again  = ": failed running probes after rollback: failed runnig probe 'dns' with after network reconfiguration -> currentState: " + state
		up     = ": context deadline exceeded"
	)
	for _, test := range []struct{ name, message, want string }{
		{"nothing", "", "NMState does not say why"},
		{"a probe", probes + probe + up,
			"probe ping failed after the change: the default gateway does not answer, or there is none; NMState put the node back"},
		{"the name server", probes + strings.Replace(probe, "'ping'", "'dns'", 1) + up,
			"probe dns failed after the change: no name server answers; NMState put the node back"},
		{"the API server", probes + strings.Replace(probe, "'ping'", "'api-server'", 1) + up,
			"probe api-server failed after the change: the API server cannot be reached; NMState put the node back"},
		{"the node's readiness, with a cause of its own", probes + strings.Replace(probe, "'ping'", "'node-readiness'", 1) +
			": failed retrieving pod's node worker-2: Get \"https://10.96.0.1:443/api/v1/nodes/worker-2\": dial tcp 10.96.0.1:443: i/o timeout",
			"probe node-readiness failed after the change: the node is not Ready (failed retrieving pod's node worker-2: " +
				"Get \"https://10.96.0.1:443/api/v1/nodes/worker-2\": dial tcp 10.96.0.1:443: i/o timeout); NMState put the node back"},
		{"a probe that this version does not know", probes + strings.Replace(probe, "'ping'", "'ntp'", 1) + up,
			"probe ntp failed after the change; NMState put the node back"},
		{"a probe, and another after the roll-back", probes + probe + up + again + up,
			"probe ping failed after the change: the default gateway does not answer, or there is none; " +
				"NMState put the node back, and probe dns failed then too: see whether the node is well"},
		{"a probe, and no state after the roll-back", probes + probe + up +
			": failed running probes after rollback: failed to retrieve currentState at runProbes: , NmstateError: Bug: x\n: failed to execute nmstatectl show: exit status 1",
			"probe ping failed after the change: the default gateway does not answer, or there is none; " +
				"NMState put the node back, and could not probe it then: see whether the node is well"},
		{"a probe, and no roll-back", probes + probe + up + ": failed calling nmstatectl rollback: , NmstateError: InvalidArgument: No checkpoint\n" +
			": failed to execute nmstatectl rollback: exit status 1",
			"probe ping failed after the change: the default gateway does not answer, or there is none; " +
				"NMState could not put the node back: NmstateError: InvalidArgument: No checkpoint"},
		{"no state to probe", probes + "failed to retrieve currentState at runProbes: , NmstateError: PluginFailure: no NetworkManager\n" +
			": failed to execute nmstatectl show: exit status 1",
			"the node's state could not be read after the change: NmstateError: PluginFailure: no NetworkManager; NMState put the node back"},
		{"a probe in a version without the state", "rolling back desired state configuration\n  failed runnig probes after network changes\n" +
			"    failed runnig probe 'ping' with after network reconfiguration.\n",
			"probe ping failed after the change: the default gateway does not answer, or there is none"},
		{"a change that nmstate itself took back", began + rolled + "NmstateError: VerificationError: Verification failure: ens160.interface.mtu desire '9000', current '1500'" + failed,
			"NmstateError: VerificationError: Verification failure: ens160.interface.mtu desire '9000', current '1500'; NMState put the node back"},
		{"a change that was never begun", applying + ", NmstateError: InvalidArgument: Interface br-lan has port ens160 which is not defined" + failed,
			"NmstateError: InvalidArgument: Interface br-lan has port ens160 which is not defined"},
		{"what NetworkManager lacks", began + rolled + "NmstateError: DependencyError: NetworkManager plugin for 'ovs-bridge' unavailable: missing plugin" + failed,
			"NmstateError: DependencyError: NetworkManager plugin for 'ovs-bridge' unavailable: missing plugin; NMState put the node back"},
		{"an error twice, in the log and at the end", began + "[2025-02-20T10:47:58Z ERROR nmstate::query_apply::net_state] PluginFailure: no OVS daemon\n" +
			"NmstateError: PluginFailure: no OVS daemon" + failed, "NmstateError: PluginFailure: no OVS daemon"},
		{"an error that is not nmstate's", applying + ", std::io::Error: Permission denied (os error 13)" + failed, "std::io::Error: Permission denied (os error 13)"},
		{"no word before the end", applying + ", : failed to execute nmstatectl apply --no-commit --timeout 480: exit status 1",
			"failed to execute nmstatectl apply --no-commit --timeout 480: exit status 1"},
		{"time was up", began + "\n: failed to execute nmstatectl apply --no-commit --timeout 480: signal: killed",
			"failed to execute nmstatectl apply --no-commit --timeout 480: signal: killed"},
		{"a change that was not confirmed", "error reconciling NodeNetworkConfigurationPolicy on node worker-2 at desired state apply: \"\",\n " +
			", NmstateError: InvalidArgument: No checkpoint\n: failed to execute nmstatectl commit: exit status 1",
			"NmstateError: InvalidArgument: No checkpoint; the change is made and not confirmed, so NetworkManager takes it back"},
		{"captures that find nothing", "failure generating desiredState and capturedStates: failed calling nmstatectl rollback: , " +
			"NmstateError: PolicyError: Failed to find property mac-address, exists properties are name\n| capture.host | interfaces.mac-address==capture.nic.interfaces.0.mac-address\n" +
			"| ........................................................................................^\n" +
			": failed to execute nmstatectl policy --current /tmp/currentState1 --json --output-captured /tmp/capturedState1 /tmp/policy1: exit status 1",
			"NmstateError: PolicyError: Failed to find property mac-address, exists properties are name; nothing was changed on the node"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := readFailure(test.message)
			if got != test.want {
				t.Errorf("it is   %q\nit should %q", got, test.want)
			}
			if strings.ContainsAny(got, "\n") || strings.Contains(got, "dns-resolver") {
				t.Errorf("it has more than a line: %q", got)
			}
		})
	}
}
