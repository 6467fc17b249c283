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
