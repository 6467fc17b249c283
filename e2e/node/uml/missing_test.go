package uml

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestPrune holds that only what nobody has used for long goes, and that to use something again keeps it.
func TestPrune(t *testing.T) {
	cache := t.TempDir()
	long := time.Now().Add(-2 * forgotten)
	var touched time.Time
	for _, name := range []string{"root-old.img", "root-used.img", "root-new.img", "kernel"} {
		path := filepath.Join(cache, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if name == "root-new.img" {
			continue
		}
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
		at, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		touched = at.ModTime()
	}
	if _, err := once(filepath.Join(cache, "root-used.img"), func(string) error { t.Error("it is built again"); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := prune(cache, "root-*.img"); err != nil {
		t.Fatal(err)
	}
	if at, err := os.Stat(filepath.Join(cache, "root-used.img")); err != nil || !at.ModTime().Equal(touched) {
		t.Errorf("the time of a disk that is used again is another: %v %v", at, err)
	}
	for name, want := range map[string]bool{"root-old.img": false, "root-used.img": true, "root-new.img": true, "kernel": true} {
		if _, err := os.Stat(filepath.Join(cache, name)); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", name, err == nil, want)
		}
	}
}
