package bridges

import (
	"fmt"
	"regexp"
	"strings"

	"novasphere.dev/wukong/sync/facts"
)

// What NMState's handler writes into an enactment, in kubernetes-nmstate v0.85.1: pkg/client, pkg/probe, pkg/nmstatectl and
// controllers/handler. A message has up to three parts, one behind the other: what failed, whether the node was put back,
// and whether the probes failed after that as well. Between them may stand the whole state of the node as YAML.

// failedProbe finds a probe that failed. The typing error is NMState's; other versions have it otherwise.
var failedProbe = regexp.MustCompile(`failed (?:to run|running|runnig) probe '([^'\n]*)'`)

// probes are what the probes try, by their names.
var probes = map[string]string{
	"ping":           "the default gateway does not answer, or there is none",
	"dns":            "no name server answers",
	"api-server":     "the API server cannot be reached",
	"node-readiness": "the node is not Ready",
}

// Texts that NMState's handler writes between the parts of a message.
const (
	generating    = "failure generating desiredState and capturedStates:"
	rollingBack   = "rolling back desired state configuration:"
	probedAgain   = "failed running probes after rollback:"
	notRolledBack = "failed calling nmstatectl rollback:"
	notShown      = "failed to retrieve currentState at runProbes:"
	committing    = "failed to execute nmstatectl commit"
	applierRolled = "Rollbacked to checkpoint" // in the log of nmstatectl
)

// readFailure is what a message of an enactment says in one line: what failed, and what became of the node.
func readFailure(message string) string {
	if message == "" {
		return "NMState does not say why"
	}
	probe := failedProbe.FindStringSubmatchIndex(message)
	rolled := strings.Contains(message, rollingBack)
	switch {
	case strings.Contains(message, generating):
		// It calls its own step "rollback", whatever fails.
		_, said, _ := strings.Cut(message, generating)
		return usefulLine(said) + "; nothing was changed on the node"
	case rolled && probe != nil:
		return probed(message, probe) + putBack(message[probe[1]:])
	case rolled && strings.Contains(message, notShown):
		_, said, _ := strings.Cut(message, notShown)
		why, _, _ := strings.Cut(said, probedAgain)
		why, _, _ = strings.Cut(why, notRolledBack)
		return "the node's state could not be read after the change: " + usefulLine(why) + putBack(said)
	case probe != nil:
		return probed(message, probe)
	case strings.Contains(message, committing):
		return usefulLine(message) + "; the change is made and not confirmed, so NetworkManager takes it back"
	case strings.Contains(message, applierRolled):
		return usefulLine(message) + "; NMState put the node back"
	}
	return usefulLine(message)
}

// probed says which probe failed, and why where that is more than that time was up.
func probed(message string, probe []int) string {
	name := message[probe[2]:probe[3]]
	says := fmt.Sprintf("probe %s failed after the change", name)
	if meaning, known := probes[name]; known {
		says += ": " + meaning
	}
	// The cause stands behind the YAML, which ends with its line.
	rest := message[probe[1]:]
	for _, next := range []string{probedAgain, notRolledBack} {
		rest, _, _ = strings.Cut(rest, next)
	}
	at := strings.LastIndex(rest, "\n: ")
	if at < 0 {
		return says
	}
	cause := strings.Trim(strings.Join(strings.Fields(rest[at+len("\n: "):]), " "), ": ")
	if cause == "" || cause == "context deadline exceeded" || cause == "timed out waiting for the condition" {
		return says
	}
	return fmt.Sprintf("%s (%s)", says, shortened(cause))
}

// putBack says whether the node was put back, from what stands behind the failure.
func putBack(rest string) string {
	if _, said, not := strings.Cut(rest, notRolledBack); not {
		return "; NMState could not put the node back: " + usefulLine(said)
	}
	_, said, again := strings.Cut(rest, probedAgain)
	if !again {
		return "; NMState put the node back"
	}
	if probe := failedProbe.FindStringSubmatch(said); probe != nil {
		return fmt.Sprintf("; NMState put the node back, and probe %s failed then too: see whether the node is well", probe[1])
	}
	return "; NMState put the node back, and could not probe it then: see whether the node is well"
}

// failureLength is how many characters of NMState's error a message carries. The whole error is in the enactment.
const failureLength = 300

func shortened(text string) string {
	if runes := []rune(text); len(runes) > failureLength {
		return string(runes[:failureLength]) + "…"
	}
	return text
}

// nmstateError is how nmstatectl, and the library before it, begin an error.
var nmstateError = regexp.MustCompile(`Nmstate\w*Error:`)

// exited is what the handler says of a command that ended with an error of its own, which stands before it.
var exited = regexp.MustCompile(`^failed to execute nmstatectl .*: exit status [0-9]+$`)

// heading is what the handler puts before an error where nothing else stands on the line.
var heading = regexp.MustCompile(`^error reconciling NodeNetworkConfigurationPolicy .*at desired state apply: (""|'')?,?$`)

// usefulLine is the one line in NMState's many lines of log and desired state that says what went wrong: the last that
// mentions an error, else the last of all.
func usefulLine(message string) string {
	last, useful := "", ""
	for line := range strings.Lines(message) {
		line = strings.TrimLeft(strings.Join(strings.Fields(line), " "), ":, ")
		if line == "" || heading.MatchString(line) {
			continue
		}
		if last == "" || !exited.MatchString(line) {
			last = line
		}
		if nmstateError.MatchString(line) || strings.Contains(line, "ERROR") {
			useful = line
		}
	}
	if useful == "" {
		useful = last
	}
	if at := nmstateError.FindStringIndex(useful); at != nil {
		useful = useful[at[0]:] // without the time and the module before it
	}
	return shortened(useful)
}

// failures are the enactments of a policy's present form that failed for good, and those that NMState tries again.
type failures struct {
	failed, retried []*facts.Enactment
	aborted         bool // NMState did not begin on some node, because others had failed
}

func (v *View) failures(p *facts.Policy) failures {
	var all failures
	for _, e := range v.enactments[p.Key] {
		switch {
		case e.Generation != p.Generation:
		case e.Retried():
			all.retried = append(all.retried, e)
		case e.Conditions.Of("Failing").True():
			all.failed = append(all.failed, e)
		case e.Conditions.Of("Aborted").True():
			all.aborted = true
		}
	}
	return all
}

// message says on which nodes a policy failed and why, in one line. The policy itself only counts nodes; the enactment of
// a node has the error.
func (f failures) message(p *facts.Policy) string {
	if len(f.failed) == 0 {
		counted := usefulLine(p.Conditions.Of("Degraded").Message)
		if counted == "" {
			counted = "NMState could not configure the nodes"
		}
		return fmt.Sprintf("%s; see `kubectl get nnce -l nmstate.io/policy=%s`", counted, p.Name)
	}
	says := fmt.Sprintf("node %s failed: %s", f.failed[0].Node, readFailure(f.failed[0].Conditions.Of("Failing").Message))
	if others := nodesOf(f.failed[1:]); len(others) > 0 {
		says += fmt.Sprintf("; %s failed too", someNodes(others))
	}
	if f.aborted {
		says += "; NMState left other nodes alone then"
	}
	return says
}

// nodesOf are the names of the nodes of enactments.
func nodesOf(all []*facts.Enactment) []string {
	var names []string
	for _, e := range all {
		names = append(names, e.Node)
	}
	return names
}

// someNodes are the names of two nodes, and whether there are more. How many there are would change a status with each node.
func someNodes(names []string) string {
	switch len(names) {
	case 1:
		return "node " + names[0]
	case 2:
		return "nodes " + names[0] + " and " + names[1]
	}
	return fmt.Sprintf("nodes %s, %s and others", names[0], names[1])
}

// afterFailure is the outcome of a policy that failed on some nodes, with what would help. The look at the nodes cannot tell what
// NMState stumbled over.
func (v *View) afterFailure(w *Want, failed []string, o Outcome) Outcome {
	told := *o.Refusal
	told.Message += "; correct the node or the network" + v.skipping(w, failed)
	o.Refusal = &told
	return o
}
