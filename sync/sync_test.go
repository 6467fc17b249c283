package sync_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"novasphere.dev/wukong/sync"
)

var update = flag.Bool("update", false, "rewrite testdata/*/*/response.json and error.txt with what is answered now")

// goldenNow is the time of every golden case.
var goldenNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// goldenSettings are the flags' defaults.
var goldenSettings = sync.Settings{
	PhysicalInterface: "ens160",
	DefaultOSImage:    "quay.io/containerdisks/ubuntu:24.04",
	Preflight:         true,
	NodesSettle:       30 * time.Second,
	NodesGather:       30 * time.Second,
	TeardownTimeout:   15 * time.Minute,
}

// hooks are the functions that answer, by the directory in testdata that has their cases.
var hooks = map[string]func(request []byte) (question, error){
	"sync":      asked(sync.Sync),
	"finalize":  asked(sync.Finalize),
	"customize": asked(timeless(sync.Customize)),

	"network-sync":      asked(sync.SyncNetwork),
	"network-finalize":  asked(sync.FinalizeNetwork),
	"network-customize": asked(timeless(sync.CustomizeNetwork)),

	"node-sync":      asked(later(sync.SyncNode)),
	"node-customize": asked(always(sync.CustomizeNode)),
}

// question is a request that was decoded, with the function that answers it.
type question struct {
	request any
	answer  func(now time.Time) (any, error)
}

// asked makes questions of requests.
func asked[Req, Resp any](call func(*Req, sync.Settings, time.Time) (*Resp, error)) func([]byte) (question, error) {
	return func(request []byte) (question, error) {
		req := new(Req)
		err := jsonv2.Unmarshal(request, req)
		return question{req, func(now time.Time) (any, error) { return call(req, goldenSettings, now) }}, err
	}
}

// ask is a request of a hook.
func ask(t testing.TB, hook string, request []byte) question {
	t.Helper()
	q, err := hooks[hook](request)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// timeless is a function that takes no time.
func timeless[Req, Resp any](call func(*Req, sync.Settings) (*Resp, error)) func(*Req, sync.Settings, time.Time) (*Resp, error) {
	return func(req *Req, settings sync.Settings, _ time.Time) (*Resp, error) { return call(req, settings) }
}

// later is a function that is asked some seconds later: goldenNow is a moment at which all that was gathered is told of.
func later[Req, Resp any](
	call func(*Req, sync.Settings, time.Time) (*Resp, error),
) func(*Req, sync.Settings, time.Time) (*Resp, error) {
	return func(req *Req, settings sync.Settings, now time.Time) (*Resp, error) {
		return call(req, settings, now.Add(10*time.Second))
	}
}

// always is a function that takes no settings either.
func always[Req, Resp any](call func(*Req) (*Resp, error)) func(*Req, sync.Settings, time.Time) (*Resp, error) {
	return func(req *Req, _ sync.Settings, _ time.Time) (*Resp, error) { return call(req) }
}

// TestGolden compares, byte by byte, what is answered to the request in each directory testdata/{hook}/{case} with the
// answer beside it: response.json, or error.txt for a request that is refused.
func TestGolden(t *testing.T) {
	for hook := range hooks {
		for _, dir := range cases(t, hook) {
			t.Run(hook+"/"+filepath.Base(dir), func(t *testing.T) {
				got, err := ask(t, hook, read(t, dir, "request.json")).answer(goldenNow)
				if err != nil {
					golden(t, filepath.Join(dir, "error.txt"), []byte(err.Error()+"\n"))
					return
				}
				golden(t, filepath.Join(dir, "response.json"), indented(t, got))
			})
		}
	}
}

// cases are the directories of one hook. A directory with anything else in it than a request and its answer is a
// mistake, and so is a hook without cases.
func cases(t *testing.T, hook string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("..", "testdata", hook, "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("testdata/%s has no cases (%v)", hook, err)
	}
	for _, dir := range dirs {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if name := f.Name(); name != "request.json" && name != "response.json" && name != "error.txt" {
				t.Errorf("%s: %s does not belong there", dir, name)
			}
		}
	}
	return dirs
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the answer is not that of %s (-want +got):\n%s\nIf it is right, run: go test ./sync -update", path, diff)
	}
}

func read(t testing.TB, dir, file string) []byte {
	t.Helper()
	return mustRead(t, filepath.Join(dir, file))
}

// indented is JSON as the golden files have it.
func indented(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
