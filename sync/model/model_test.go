package model_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"novasphere.dev/wukong/admission"
	"novasphere.dev/wukong/sync/model"
)

var (
	modelSteps = flag.Int("model.steps", 4800, "how many steps the model takes")
	modelSeed  = flag.Uint64("model.seed", 0, "play this one life only, and print it")
)

// TestModel plays random lives of a small cluster through the hook: users who create, change and delete Wukongs and
// WukongNetworks, NMState and KubeVirt that take their time or fail, hands that delete, edit, forge and take bridges off
// nodes, nodes that join, a hook that is upgraded, or started anew with other flags, and a Metacontroller that applies what is answered, in either of its ways,
// by caches that lag, and that ends now and then in the middle of it. Whatever happens, no machine is lost, no node is cut off,
// no policy is edited while it is in progress, nothing of anybody else's is touched, and no network goes while somebody uses it;
// and when everybody rests, the answers settle to no writes, and every bridge that is called ready is on the nodes.
func TestModel(t *testing.T) {
	schemas := model.Schemas{
		Wukong:  schema(t, "../../deploy/base/vm.novasphere.dev_wukongs.yaml"),
		Network: schema(t, "../../deploy/base/vm.novasphere.dev_wukongnetworks.yaml"),
	}
	var seeds []uint64
	for i := range max(1, *modelSteps/model.StepsPerLife) {
		seeds = append(seeds, uint64(i)+1)
	}
	if *modelSeed != 0 {
		seeds = []uint64{*modelSeed}
	}
	for _, seed := range seeds {
		life := model.Play(seed, schemas)
		if len(life.Broken) > 0 {
			t.Fatalf("the life of seed %d broke:\n  %s\nit was:\n  %s\nplay it again with: go test ./sync/model -model.seed %d",
				seed, strings.Join(life.Broken, "\n  "), strings.Join(life.Story, "\n  "), seed)
		}
		if *modelSeed != 0 {
			t.Log(strings.Join(life.Story, "\n"))
		}
	}
}

func schema(t *testing.T, file string) *admission.Schema {
	t.Helper()
	definition, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := admission.New(definition)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
