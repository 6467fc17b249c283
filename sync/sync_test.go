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
	TeardownTimeout:   15 * time.Minute,
}

// hooks are the three functions, from bytes to an answer.
var hooks = map[string]func(t *testing.T, request []byte, now time.Time) (any, error){
	"sync": func(t *testing.T, request []byte, now time.Time) (any, error) {
		return sync.Sync(decode[sync.Request](t, request), goldenSettings, now)
	},
	"finalize": func(t *testing.T, request []byte, now time.Time) (any, error) {
		return sync.Finalize(decode[sync.Request](t, request), goldenSettings, now)
	},
	"customize": func(t *testing.T, request []byte, _ time.Time) (any, error) {
		return sync.Customize(decode[sync.CustomizeRequest](t, request), goldenSettings)
	},
}

// TestGolden compares, byte by byte, what is answered to the request in each directory testdata/{hook}/{case} with the
// answer beside it: response.json, or error.txt for a request that is refused.
func TestGolden(t *testing.T) {
	for hook, answer := range hooks {
		for _, dir := range cases(t, hook) {
			t.Run(hook+"/"+filepath.Base(dir), func(t *testing.T) {
				got, err := answer(t, read(t, dir, "request.json"), goldenNow)
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

func read(t *testing.T, dir, file string) []byte {
	t.Helper()
	return mustRead(t, filepath.Join(dir, file))
}

func decode[T any](t *testing.T, raw []byte) *T {
	t.Helper()
	v := new(T)
	if err := jsonv2.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// indented is JSON as the golden files have it.
func indented(t *testing.T, v any) []byte {
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
