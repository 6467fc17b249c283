package sync_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/admission"
	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Advice that is refused again is worse than none. So each way out of a refusal, and not only those that its message names, is gone here
// as the user would: the spec or the node is changed, the API server takes the change, and the hook decides anew about the same nodes and
// policies.

var adviceRounds = flag.Int("advice.rounds", 800, "how many requests TestAdviceOnManyNodesIsNotRefusedAgain makes")

// TestAdviceOfGoldenCasesIsNotRefusedAgain goes all ways out of all golden refusals.
func TestAdviceOfGoldenCasesIsNotRefusedAgain(t *testing.T) {
	w := walker{schemas: userSchemas(t), gone: map[string]int{}}
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		if hook == "sync" || hook == "network-sync" {
			w.goes(t, req)
		}
	})
	w.hasGone(t, "nodes", "mtu", "physicalInterface", "vlanId", "bridgeName", "preserveHostIP", "nadName", "uplinks", "node", "name")
}

// TestAdviceOnManyNodesIsNotRefusedAgain does the same for networks of every form on nodes of every form: those of the golden
// cases, real ones, and such with something changed.
func TestAdviceOnManyNodesIsNotRefusedAgain(t *testing.T) {
	nodes := nodeNetworks(t)
	chance := rand.New(rand.NewPCG(12, 7))
	w := walker{schemas: userSchemas(t), gone: map[string]int{}}
	asked, refused := 0, 0
	for round := range *adviceRounds {
		req := anyRequest(chance, nodes)
		if _, err := w.schemas[req.Parent.GetKind()].Admit(req.Parent); err != nil {
			continue // what the API server refuses is never looked at
		}
		asked++
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			for _, d := range w.goes(t, req) {
				if !d.Refuses() || strings.Contains(d.Refusal.Message, " are one NIC, which network ") {
					continue // of two networks of one spec each is in the other's way, as where validation says so
				}
				refused++
				if hopeless := strings.Contains(d.Refusal.Message, "no single change of the spec helps"); hopeless != (len(d.Ways) == 0) {
					t.Errorf("%q has the ways out %+v", d.Refusal.Message, d.Ways)
				}
			}
		})
	}
	t.Logf("%d specs were asked for, and %d networks refused", asked, refused)
	if asked < 500 || refused < 500 {
		t.Errorf("%d specs were asked for, and %d networks refused", asked, refused)
	}
	w.hasGone(t, "nodes", "mtu", "physicalInterface", "vlanId", "bridgeName", "preserveHostIP", "nadName", "uplinks", "node", "type")
}

// walker goes ways out.
type walker struct {
	schemas map[string]*admission.Schema
	gone    map[string]int // by what the way changes
}

// hasGone holds that ways of each sort were gone.
func (w walker) hasGone(t *testing.T, sorts ...string) {
	t.Helper()
	t.Log("ways out that were gone, by what they change:", w.gone)
	for _, sort := range sorts {
		if w.gone[sort] == 0 {
			t.Errorf("no way out by %s was gone", sort)
		}
	}
}

// goes all ways out that the decisions about a request have.
func (w walker) goes(t *testing.T, req *posted) []sync.Decision {
	t.Helper()
	all, _ := decisions(t, req)
	for _, d := range all {
		for _, way := range d.Ways {
			for _, changed := range changedBy(way, d.Want.Bridge) {
				w.gone[changed]++
			}
			w.goesOne(t, req, d, way)
		}
	}
	return all
}

func (w walker) goesOne(t *testing.T, req *posted, d sync.Decision, way bridges.Way) {
	t.Helper()
	changed := follow(t, req, d, way)
	if changed == nil {
		return // nothing is asked for any more
	}
	if err := w.taken(req.Parent, changed.Parent); err != nil {
		t.Errorf("%s: the API server refuses what %q advises: %v", d.Name, d.Refusal.Message, err)
		return
	}
	after, valid := decisions(t, changed)
	if !valid {
		t.Errorf("%s: what %q advises is invalid: %+v", d.Name, d.Refusal.Message, way)
	}
	for _, again := range after {
		if (follows(again.Name, d.Name) || len(way.Uplinks) > 0) && again.Refuses() {
			t.Errorf("%s: %q advises %+v, and that is refused: %s", d.Name, d.Refusal.Message, way, again.Refusal.Message)
		}
	}
}

// taken is the API server's error: of the update, or of the creation of another object.
func (w walker) taken(before, after *unstructured.Unstructured) error {
	schema := w.schemas[after.GetKind()]
	if before.GetKind() != after.GetKind() || before.GetName() != after.GetName() {
		_, err := schema.Admit(after)
		return err
	}
	old, err := schema.Admit(before)
	if err != nil {
		return nil // golden parents may be of a form that an older version let pass
	}
	_, err = schema.AdmitUpdate(old, after)
	return err
}

// decisions are those about a request. valid is whether the hook acts on the spec at all.
func decisions(t *testing.T, req *posted) (all []sync.Decision, valid bool) {
	t.Helper()
	raw, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	if req.Parent.GetKind() == v1alpha1.NetworkKind {
		var of sync.NetworkRequest
		if err := jsonv2.Unmarshal(raw, &of); err != nil {
			t.Fatal(err)
		}
		return sync.NetworkDecisions(&of, goldenSettings, goldenNow)
	}
	var of sync.Request
	if err := jsonv2.Unmarshal(raw, &of); err != nil {
		t.Fatal(err)
	}
	return sync.Decisions(&of, goldenSettings, goldenNow)
}
