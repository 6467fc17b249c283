package operations

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/yaml"
)

// argo is the health of an object as Argo CD tells it. The script gets the object, and of Lua's libraries those that Argo CD opens: no string,
// no math. An object that is being deleted is Progressing without a script.
func argo(t *testing.T, o object) (health, message string) {
	t.Helper()
	if at(o, []string{"metadata", "deletionTimestamp"}) != nil {
		return "Progressing", ""
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", inLua(state, o))
	if err := state.DoString(script(t, o["kind"].(string))); err != nil {
		t.Fatal(err)
	}
	answer, is := state.Get(-1).(*lua.LTable)
	if !is {
		t.Fatalf("the script returns %s, want a table", state.Get(-1).Type())
	}
	health = lua.LVAsString(answer.RawGetString("status"))
	if !slices.Contains([]string{"Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"}, health) {
		t.Fatalf("Argo CD knows no health %q", health)
	}
	return health, lua.LVAsString(answer.RawGetString("message"))
}

// script is what Argo CD runs for a kind.
func script(t *testing.T, kind string) string {
	t.Helper()
	raw, err := os.ReadFile("../deploy/argo-cd/argocd-cm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var patch struct{ Data map[string]string }
	if err := yaml.UnmarshalStrict(raw, &patch); err != nil {
		t.Fatal(err)
	}
	found, is := patch.Data["resource.customizations.health.vm.novasphere.dev_"+kind]
	if !is {
		t.Fatalf("there is no script for %s", kind)
	}
	return found
}

// inLua is a value of JSON in Lua.
func inLua(state *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case bool:
		return lua.LBool(v)
	case float64:
		return lua.LNumber(v)
	case string:
		return lua.LString(v)
	case []any:
		table := state.NewTable()
		for _, element := range v {
			table.Append(inLua(state, element))
		}
		return table
	case object:
		table := state.NewTable()
		for key, element := range v {
			table.RawSetString(key, inLua(state, element))
		}
		return table
	}
	return lua.LNil
}

// kstatus is the health of an object as Flux and kubectl plugins tell it.
func kstatus(t *testing.T, o object) string {
	t.Helper()
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(raw); err != nil { // its numbers are int64, which kstatus insists on
		t.Fatal(err)
	}
	result, err := status.Compute(&u)
	if err != nil {
		t.Fatal(err)
	}
	return result.Status.String()
}

// sight is how one golden state looks.
type sight struct{ kind, phase, ready, stalled, argo, kstatus string }

// seen is how an object looks to each of them.
func seen(t *testing.T, o object) sight {
	t.Helper()
	s := sight{kind: o["kind"].(string), phase: "–", ready: "–", stalled: "no"}
	if phase, is := at(o, []string{"status", "phase"}).(string); is {
		s.phase = phase
	}
	conditions, _ := at(o, []string{"status", "conditions"}).([]any)
	for _, c := range conditions {
		switch condition := c.(object); condition["type"] {
		case "Ready":
			s.ready = condition["status"].(string)
		case "Stalled":
			s.stalled = "yes"
		}
	}
	if at(o, []string{"metadata", "deletionTimestamp"}) != nil {
		s.phase = "Terminating"
	}
	s.argo, _ = argo(t, o)
	s.kstatus = kstatus(t, o)
	return s
}

// TestHealth makes the table of docs/operations.md from all golden states, and compares.
func TestHealth(t *testing.T) {
	count := map[sight]int{}
	for _, kind := range []string{"Wukong", "WukongNetwork"} {
		for name, o := range states(t, kind) {
			s := seen(t, o)
			count[s]++
			if s.ready == "True" && s.phase != "Terminating" && s.argo != "Healthy" || s.stalled == "yes" && s.argo == "Healthy" {
				t.Errorf("%s: Argo CD says %s of %+v", name, s.argo, s)
			}
		}
	}
	order := []string{"Wukong", "WukongNetwork", "Pending", "Creating", "Running", "Paused", "Stopped", "Error", "–", "Terminating"}
	rows := slices.SortedFunc(maps.Keys(count), func(a, b sight) int {
		for _, pair := range [][2]string{{a.kind, b.kind}, {a.phase, b.phase}} {
			if d := slices.Index(order, pair[0]) - slices.Index(order, pair[1]); d != 0 {
				return d
			}
		}
		return strings.Compare(b.ready+a.stalled, a.ready+b.stalled)
	})
	table := "| kind | phase | Ready | Stalled | Argo CD | kstatus |\n|---|---|---|---|---|---|\n"
	for _, s := range rows {
		table += fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", s.kind, s.phase, s.ready, s.stalled, s.argo, s.kstatus)
		t.Logf("%+v: %d golden states", s, count[s])
	}
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), table) {
		t.Errorf("docs/operations.md has another table than this:\n%s", table)
	}
}

// TestHealthBeforeTheFirstStatus is that nobody takes an object for done that the hook has not seen, or not since it was changed.
func TestHealthBeforeTheFirstStatus(t *testing.T) {
	ready := []any{object{"type": "Ready", "status": "True", "message": "running", "reason": "Running"}}
	for name, o := range map[string]object{
		"as the API server makes it": {"status": object{"observedGeneration": float64(-1)}},
		"of a generation before":     {"status": object{"observedGeneration": float64(1), "conditions": ready}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []string{"Wukong", "WukongNetwork"} {
				o["apiVersion"], o["kind"] = "vm.novasphere.dev/v1alpha1", kind
				o["metadata"] = object{"name": "vm", "generation": float64(2)}
				if health, _ := argo(t, o); health != "Progressing" {
					t.Errorf("Argo CD says %s", health)
				}
				if s := kstatus(t, o); s != "InProgress" {
					t.Errorf("kstatus says %s", s)
				}
			}
		})
	}
	bare := object{"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": "Wukong", "metadata": object{"name": "vm", "generation": float64(1)}}
	if health, message := argo(t, bare); health != "Progressing" || message == "" {
		t.Errorf("without a status, Argo CD says %s: %s", health, message)
	}
}
