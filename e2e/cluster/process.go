package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// stopTimeout is how long a process may take to end in good order.
const stopTimeout = 30 * time.Second

// Process is a program that runs.
type Process struct {
	// URL is where it serves: the hook's hooks, Metacontroller's health probes.
	URL string
	// Log is the path of the file that has what it printed.
	Log string

	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read after done
}

// Done is closed when the process has ended, of itself or not.
func (p *Process) Done() <-chan struct{} {
	return p.done
}

// Stop asks the process to end (SIGTERM), and waits until it has. It is an error if it does not end in good order.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		p.Kill()
		return fmt.Errorf("stopping %s: it was still running after %s\n%s", p.name, stopTimeout, p.tail())
	}
	if p.err != nil {
		return fmt.Errorf("stopping %s: %w\n%s", p.name, p.err, p.tail())
	}
	return nil
}

// Kill ends the process at once, as a node that fails does.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // an error says that it has ended
	<-p.done
}

// run starts a program that ends with the cluster at the latest. What it prints goes to a file that is named like it.
func (c *Cluster) run(name, program string, args ...string) (*Process, error) {
	p := &Process{name: name, Log: filepath.Join(c.Dir, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p.cmd = exec.Command(program, args...)
	p.cmd.Dir = c.Dir
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = apart()

	started := make(chan error)
	go func() {
		// What "dies with its parent" means on linux is: with the thread that started it. This one lives until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer func() { _ = log.Close() }()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.processes = append(c.processes, p)
	return p, nil
}

// await asks ready until it says yes. It fails where ready does, where the process ends, and where it takes too long.
func (p *Process) await(ctx context.Context, timeout time.Duration, ready func(context.Context) (bool, error)) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, timeout, true, func(ctx context.Context) (bool, error) {
		select {
		case <-p.done:
			return false, errEnded
		default:
		}
		ok, err := ready(ctx)
		last = err
		return ok, nil
	})
	switch {
	case err == nil:
		return nil
	case last != nil && !errors.Is(err, errEnded):
		err = fmt.Errorf("%w: %w", err, last)
	}
	return fmt.Errorf("waiting until %s is ready: %w\n%s", p.name, err, p.tail())
}

// tail is the end of what the process printed.
func (p *Process) tail() []byte {
	log, err := os.ReadFile(p.Log)
	if err != nil {
		return []byte(err.Error())
	}
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-20):], []byte("\n"))
}
