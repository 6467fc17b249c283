package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// programs are the paths of the two programs that make a control plane of etcd.
type programs struct {
	apiServer         string
	controllerManager string
}

// kubernetes builds the programs at the version that go.mod in dir requires, unless the user's cache has them.
func kubernetes(ctx context.Context, dir string, log io.Writer) (*programs, error) {
	version, err := goTool(ctx, dir, "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("looking for the cache: %w", err)
	}
	cache = filepath.Join(cache, "wukong-e2e", "kubernetes-"+version)
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, fmt.Errorf("making the cache: %w", err)
	}
	// Packages are tested at the same time: one builds, the others wait.
	lock, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the cache: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("locking the cache: %w", err)
	}

	s := source{dir: dir, version: version, log: log}
	p := &programs{
		apiServer:         filepath.Join(cache, "kube-apiserver"),
		controllerManager: filepath.Join(cache, "kube-controller-manager"),
	}
	for _, program := range []string{p.apiServer, p.controllerManager} {
		if _, err := os.Stat(program); err == nil {
			continue
		}
		if err := s.build(ctx, program); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// source is Kubernetes as a Go module to build from.
type source struct {
	dir     string // of the go.mod that requires it
	version string
	log     io.Writer // is told what takes time
}

// build builds one program of Kubernetes, and tells the log every now and then that it still does.
func (s source) build(ctx context.Context, program string) error {
	name := filepath.Base(program)
	began := time.Now()
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(s.log, "%s %s: %s\n", name, s.version, fmt.Sprintf(format, args...))
	}
	say("building it for %s; this takes some minutes, once", program)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		tick := time.NewTicker(30 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				say("still building after %s", time.Since(began).Round(time.Second))
			case <-ended:
				return
			}
		}
	}()

	// Without symbols it is a third smaller. The version is what `kubectl version` shows; from a module, nobody stamps it.
	flags := "-s -w -X k8s.io/component-base/version.gitVersion=" + s.version
	if _, err := goTool(ctx, s.dir, "build", "-o", program+".new", "-ldflags", flags, "k8s.io/kubernetes/cmd/"+name); err != nil {
		return err
	}
	if err := os.Rename(program+".new", program); err != nil {
		return fmt.Errorf("building %s: %w", name, err)
	}
	say("built in %s", time.Since(began).Round(time.Second))
	return nil
}

// moduleDir is the directory of module e2e, in which tests and the demo run.
func moduleDir(ctx context.Context) (string, error) {
	file, err := goTool(ctx, "", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	if filepath.Base(filepath.Dir(file)) != "e2e" {
		return "", fmt.Errorf("looking for the source: the working directory is not in module e2e, but in %q", file)
	}
	return filepath.Dir(file), nil
}

// buildHook builds the hook from the source tree, once.
func (c *Cluster) buildHook() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if program := c.hooks[c.Root]; program != "" {
		return program, nil
	}
	program := filepath.Join(c.Dir, fmt.Sprintf("wukong-%d", len(c.hooks)+1))
	if _, err := goTool(context.Background(), c.Root, "build", "-o", program, "."); err != nil {
		return "", err
	}
	c.hooks[c.Root] = program
	return program, nil
}

// goTool runs the go command in a directory, and answers with what it printed.
func goTool(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.SysProcAttr = apart()
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, bytes.TrimSpace(exit.Stderr))
		}
		return "", fmt.Errorf("running go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
