package node

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"novasphere.dev/wukong/e2e/node/uml"
)

// worker is a real node of the cluster: its machine, and what NMState's handler keeps there.
type worker struct {
	*uml.Machine

	name     string
	labels   map[string]string
	nics     []string          // hardware addresses
	ports    []*uml.Port       // of the switch, one for each NIC
	wires    []*uml.Port       // to guests
	plugged  int               // wires that have a guest
	captured map[string]string // what a policy has captured here, by its UID
	applied  map[string]int64  // the generation of a policy that was applied last, by its UID
	state    map[string]any    // as it was last shown

	// built builds what a policy desires in place of NMState; nil where NMState does.
	built func(desired map[string]any) error
}

// show is the node's state as kubernetes-nmstate reports it: without the veths that nobody manages, and without what changes all the
// time (pkg/state/filter.go).
func (w *worker) show(ctx context.Context) (map[string]any, error) {
	text, err := w.Sh(ctx, "/run/wukong/nmstatectl show --json 2>/dev/null")
	if err != nil {
		return nil, err
	}
	state := map[string]any{}
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		return nil, fmt.Errorf("%s: what nmstatectl shows: %w: %.200s", w.name, err, text)
	}
	filter(state)
	w.state = state
	return state, nil
}

// filter leaves out of a state what kubernetes-nmstate leaves out.
func filter(state map[string]any) {
	var kept []any
	names := map[any]bool{}
	all, _ := state["interfaces"].([]any)
	for _, i := range all {
		i, _ := i.(map[string]any)
		if i["type"] == "veth" && i["state"] == "ignore" {
			continue
		}
		names[i["name"]] = true
		if bridge, _ := i["bridge"].(map[string]any); i["type"] == "linux-bridge" {
			options, _ := bridge["options"].(map[string]any)
			delete(options, "gc-timer")
			delete(options, "hello-timer")
		}
		for _, family := range []string{"ipv4", "ipv6"} {
			ip, _ := i[family].(map[string]any)
			addresses, _ := ip["address"].([]any)
			for _, a := range addresses {
				if a, ok := a.(map[string]any); ok {
					delete(a, "preferred-life-time")
					delete(a, "valid-life-time")
				}
			}
		}
		kept = append(kept, i)
	}
	state["interfaces"] = kept
	routes, _ := state["routes"].(map[string]any)
	for _, list := range []string{"running", "config"} {
		all, _ := routes[list].([]any)
		kept := []any{}
		for _, r := range all {
			if r, ok := r.(map[string]any); ok && names[r["next-hop-interface"]] {
				kept = append(kept, r)
			}
		}
		if routes != nil {
			routes[list] = kept
		}
	}
}

// probeTimeout is how long a probe may fail after a change; NMState's handler gives it 120 s.
const probeTimeout = 20 * time.Second

// apply does what kubernetes-nmstate's handler does with a policy on its node (pkg/client/client.go), and returns the message of the
// enactment where that fails; empty where it goes well. Played are the calls of nmstatectl, in their order, and of the probes the ping of the default
// gateway; each of them may end in a roll-back. The handler would try again up to five times.
func (w *worker) apply(ctx context.Context, p policy) (failure string, err error) {
	if w.built != nil {
		return "", w.built(p.desired)
	}
	desired, failure, err := w.evaluate(ctx, p)
	if err != nil || failure != "" {
		return failure, err
	}
	gateway, err := w.gateway(ctx)
	if err != nil {
		return "", err
	}
	probed := gateway != "" && w.pings(ctx, gateway)
	if _, err := w.nmstatectl(ctx, "", "rollback"); err != nil {
		return "", err
	}
	fails := func(cause string) string {
		return fmt.Sprintf("error reconciling NodeNetworkConfigurationPolicy on node %s at desired state apply: \"\",\n %s", w.name, cause)
	}
	set, err := w.nmstatectl(ctx, desired, "apply", "--no-commit", "--timeout", "480")
	if err != nil || set.Code != 0 {
		return fails(said3(set, "apply --no-commit --timeout 480")), err
	}
	if probed && !w.probe(ctx) {
		shown, err := w.Sh(ctx, "/run/wukong/nmstatectl show 2>/dev/null")
		if err != nil {
			return "", err
		}
		cause := fmt.Sprintf("failed runnig probes after network changes: failed runnig probe 'ping' with after network reconfiguration -> "+
			"currentState: %s: context deadline exceeded", shown)
		back, err := w.nmstatectl(ctx, "", "rollback")
		if err != nil {
			return "", err
		}
		if back.Code != 0 {
			return fails("rolling back desired state configuration: " + cause + ": failed calling nmstatectl rollback: " + said3(back, "rollback")), nil
		}
		if !w.probe(ctx) {
			cause = "failed running probes after rollback: " + cause
		}
		return fails("rolling back desired state configuration: " + cause), nil
	}
	commit, err := w.nmstatectl(ctx, "", "commit")
	if err != nil || commit.Code != 0 {
		return fails(said3(commit, "commit")), err
	}
	return "", nil
}

// said3 is an error of nmstatectl as the handler writes it: what it printed, what it logged, and how it ended.
func said3(r uml.Result, args string) string {
	return fmt.Sprintf("%s, %s: failed to execute nmstatectl %s: exit status %d", r.Output, r.Errors, args, r.Code)
}

// policy is what the handler reads of a policy.
type policy struct {
	uid     string
	capture map[string]any
	desired map[string]any
}

// evaluate is the desired state of a policy on this node, as JSON. Captures are evaluated the first time only.
func (w *worker) evaluate(ctx context.Context, p policy) (desired, failure string, err error) {
	if len(p.capture) == 0 {
		text, err := json.Marshal(p.desired)
		return string(text), "", err
	}
	text, err := json.Marshal(map[string]any{"capture": p.capture, "desiredState": p.desired})
	if err != nil {
		return "", "", err
	}
	script := `cd "$(mktemp -d)"; cat > policy; /run/wukong/nmstatectl show --json > state 2>/dev/null; `
	args := "--current state --json --output-captured captured"
	if before := w.captured[p.uid]; before != "" {
		script += "cat > captured <<'END'\n" + before + "\nEND\n"
		args += " --captured captured"
	}
	script += "/run/wukong/nmstatectl policy " + args + " policy || exit; echo; echo ====; cat captured"
	r, err := w.Run(ctx, uml.Command{Args: []string{"sh", "-eu", "-c", script}, Input: string(text)})
	if err != nil {
		return "", "", err
	}
	if r.Code != 0 {
		return "", fmt.Sprintf("failure generating state from nmpolicy: %s", said3(r, "policy")), nil
	}
	desired, captured, _ := strings.Cut(r.Output, "\n====\n")
	w.captured[p.uid] = strings.TrimSpace(captured)
	return desired, "", nil
}

func (w *worker) nmstatectl(ctx context.Context, input string, args ...string) (uml.Result, error) {
	return w.Run(ctx, uml.Command{Args: append([]string{"/run/wukong/nmstatectl"}, args...), Input: input})
}

// gateway is the next hop of the default route; empty where the node has none.
func (w *worker) gateway(ctx context.Context) (string, error) {
	return w.Sh(ctx, "ip route show default | awk '{print $3; exit}'")
}

// probe is the handler's probe ping: it asks again until the gateway answers, and gives up after some time.
func (w *worker) probe(ctx context.Context) bool {
	for end := time.Now().Add(probeTimeout); time.Now().Before(end); time.Sleep(time.Second) {
		if gateway, err := w.gateway(ctx); err == nil && gateway != "" && w.pings(ctx, gateway) {
			return true
		}
	}
	return false
}

// pings reports whether an address answers.
func (w *worker) pings(ctx context.Context, address string) bool {
	return pings(ctx, w.Machine, address)
}

// pings reports whether an address answers to a machine, which asks three times.
func pings(ctx context.Context, m *uml.Machine, address string) bool {
	r, err := m.Run(ctx, uml.Command{Args: []string{"ping", "-c", "3", "-i", "0.3", "-W", "2", address}})
	return err == nil && r.Code == 0
}
