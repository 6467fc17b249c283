package uml

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Missing says by name what this computer lacks for machines.
type Missing struct{ What string }

func (m Missing) Error() string { return m.What }

// IsMissing reports whether an error says that something cannot be had here.
func IsMissing(err error) bool {
	var m Missing
	return errors.As(err, &m)
}

// cacheDir is where everything is kept that takes long to build.
func cacheDir() (string, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where the cache is: %w", err)
	}
	dir := filepath.Join(user, "wukong-node")
	return dir, os.MkdirAll(dir, 0o755)
}

// once makes what is not in the cache yet. It is made beside its place, so that half of it is never taken for the whole, whoever else
// makes it at the same time.
func once(path string, build func(at string) error) (string, error) {
	if _, err := os.Stat(path); err == nil {
		note(path)
		return path, nil
	}
	at, err := os.MkdirTemp(filepath.Dir(path), "building-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(at) }()
	made := filepath.Join(at, filepath.Base(path))
	if err := build(made); err != nil {
		return "", err
	}
	if err := os.Rename(made, path); err != nil {
		if _, there := os.Stat(path); there == nil {
			return path, nil // somebody else was faster
		}
		return "", err
	}
	return path, nil
}

// used is how the file beside something in the cache ends whose time tells when that was last used. The time of a disk itself is no place
// for it: a machine that is started again refuses a disk whose time is another than when it began with it.
const used = ".used"

// note notes that something in the cache is used now. Where it may not, the cache is somebody else's, who prunes it.
func note(path string) { _ = os.WriteFile(path+used, nil, 0o644) }

// forgotten is how long nobody has used what is pruned. It is longer than any run, whose machines read the disk that they began with.
const forgotten = 24 * time.Hour

// prune removes from the cache what a pattern names and nobody uses any more: a change of a recipe leaves a file of a gigabyte behind.
func prune(cache, pattern string) error {
	old, err := filepath.Glob(filepath.Join(cache, pattern))
	if err != nil {
		return err
	}
	for _, path := range old {
		at, err := os.Stat(path + used)
		if err != nil {
			at, err = os.Stat(path)
		}
		if err != nil || time.Since(at.ModTime()) < forgotten {
			continue
		}
		if err := errors.Join(os.RemoveAll(path), os.RemoveAll(path+used)); err != nil {
			return fmt.Errorf("removing from the cache what nobody uses: %w", err)
		}
	}
	return nil
}

// run runs a program of this computer, and says what it said where it fails.
func run(dir, program string, args ...string) error {
	c := exec.Command(program, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.Join(lines[max(0, len(lines)-5):], "; "))
	}
	return nil
}

// need is the error that programs are not installed; nil where all are.
func need(purpose string, programs ...string) error {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return Missing{fmt.Sprintf("%s is not installed, which %s", program, purpose)}
		}
	}
	return nil
}
