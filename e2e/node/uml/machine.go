package uml

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience is how long a machine may take to start, or to stop. It is 20 s where nobody else works on the computer.
const patience = 10 * time.Minute

// Config is what a machine is made of.
type Config struct {
	Name   string
	Memory int      // in MiB
	Kernel []string // further words of the kernel's command line
	NICs   []NIC
	Seed   string // an image of one more disk; none where empty
}

// NIC is a NIC of a machine, and the port that it is plugged into.
type NIC struct {
	MAC  string
	Port *Port
}

// Machine is a machine that runs.
type Machine struct {
	Config
	host    *Host
	dir     string
	process *exec.Cmd
	ended   chan struct{} // closed when the process has ended
	console string        // the file with what the kernel and the services say

	mu      sync.Mutex
	line    io.WriteCloser
	last    int
	waiting map[int]chan answer
	up      chan struct{} // closed when the agent has reported
}

type request struct {
	ID      int
	File    string // with the rest, as the machine has it
	Args    []string
	Input   string
	Seconds float64
}

type answer struct {
	ID     int
	Output string
	Errors string
	Code   int
}

// Start starts a machine with a disk of its own, and returns when the agent on it answers.
func (h *Host) Start(ctx context.Context, c Config) (*Machine, error) {
	dir := filepath.Join(h.scratch, c.Name)
	m := &Machine{Config: c, host: h, dir: dir, console: filepath.Join(dir, "console")}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return m, m.boot(ctx)
}

// boot starts the process of the machine.
func (m *Machine) boot(ctx context.Context) error {
	toAgent, line, err := os.Pipe()
	if err != nil {
		return err
	}
	fromAgent, answers, err := os.Pipe()
	if err != nil {
		return err
	}
	console, err := os.OpenFile(m.console, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = console.Close() }()
	args := []string{
		fmt.Sprintf("mem=%dM", m.Memory), "umid=" + filepath.Base(m.host.scratch) + "-" + m.Name, "uml_dir=" + m.dir + "/",
		"ubd0=" + filepath.Join(m.dir, "disk") + "," + m.host.image, "root=/dev/ubda", "rw", "quiet", "selinux=0", "con=null", "con0=null,fd:1",
		"ssl=null", "ssl0=fd:3,fd:4", "wukong=" + m.host.programs,
	}
	if m.Seed != "" {
		args = append(args, "ubd1r="+m.Seed)
	}
	for i, nic := range m.NICs {
		args = append(args, fmt.Sprintf("vec%d:transport=bess,dst=%s,mac=%s", i, nic.Port.path, nic.MAC))
	}
	m.process = exec.Command(m.host.kernel, append(args, m.Kernel...)...)
	m.process.ExtraFiles, m.process.Stdout, m.process.Stderr = []*os.File{toAgent, answers}, console, console
	m.process.Env = append(os.Environ(), "TMPDIR=/dev/shm")
	// The kernel has a process for each of the machine's: they end together.
	m.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := m.process.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", m.Name, err)
	}
	_, _ = toAgent.Close(), answers.Close()
	m.line, m.waiting, m.up, m.ended = line, map[int]chan answer{}, make(chan struct{}), make(chan struct{})
	go m.listen(fromAgent)
	go func(process *exec.Cmd, ended chan struct{}) {
		_ = process.Wait()
		_ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL)
		close(ended)
	}(m.process, m.ended)
	return m.await(ctx)
}

// await waits for the agent.
func (m *Machine) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-m.up:
		return nil
	case <-m.ended:
		return fmt.Errorf("%s ended while it started; its last words: %s", m.Name, m.Console())
	case <-ctx.Done():
		m.kill()
		return fmt.Errorf("%s has not started after %s; its last words: %s", m.Name, patience, m.Console())
	}
}

// listen takes the agent's answers.
func (m *Machine) listen(from io.ReadCloser) {
	defer func() { _ = from.Close() }()
	answers := bufio.NewReader(from)
	for {
		text, err := answers.ReadBytes('\n')
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(text, &a) != nil {
			continue // the line is not quiet before the agent is
		}
		m.mu.Lock()
		if a.ID == 0 {
			close(m.up)
		} else if to := m.waiting[a.ID]; to != nil {
			delete(m.waiting, a.ID)
			to <- a
		}
		m.mu.Unlock()
	}
}

// Command is a program to run on a machine.
type Command struct {
	Args    []string
	Input   string
	Timeout time.Duration // patience where it is 0
}

// Result is what a program has said.
type Result struct {
	Output, Errors string
	Code           int // 0 where it went well
}

// Run runs a program on the machine. The error is that of the machine; that the program fails is in its result.
func (m *Machine) Run(ctx context.Context, c Command) (Result, error) {
	if c.Timeout == 0 {
		c.Timeout = patience
	}
	came := make(chan answer, 1)
	m.mu.Lock()
	m.last++
	r := request{ID: m.last, Args: c.Args, Input: c.Input, Seconds: c.Timeout.Seconds()}
	m.waiting[r.ID] = came
	err := m.ask(r)
	ended := m.ended
	m.mu.Unlock()
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", m.Name, err)
	}
	select {
	case a := <-came:
		return Result{a.Output, a.Errors, a.Code}, nil
	case <-ended:
		return Result{}, fmt.Errorf("%s ended while it ran %q; its last words: %s", m.Name, c.Args, m.Console())
	case <-time.After(c.Timeout + patience):
		return Result{}, fmt.Errorf("%s does not answer to %q", m.Name, c.Args)
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// ask sends a request. A serial line loses what it cannot hold, so a long one goes by way of a file.
func (m *Machine) ask(r request) error {
	text, err := json.Marshal(r)
	if err == nil && len(text) > 1000 {
		name := fmt.Sprintf("request-%s-%d", m.Name, r.ID)
		if err := os.WriteFile(m.host.Shared(name), text, 0o644); err != nil {
			return err
		}
		text, err = json.Marshal(request{ID: r.ID, File: "/run/wukong/" + name})
	}
	if err != nil {
		return err
	}
	_, err = m.line.Write(append(text, '\n'))
	return err
}

// Sh runs a script by the shell, and fails where one of its lines does.
func (m *Machine) Sh(ctx context.Context, script string) (string, error) {
	r, err := m.Run(ctx, Command{Args: []string{"sh", "-eu", "-c", script}})
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("%s: %s: exit status %d: %s", m.Name, script, r.Code, strings.TrimSpace(r.Output+r.Errors))
	}
	return strings.TrimSpace(r.Output), err
}

// Console is the end of what the kernel and the services have said.
func (m *Machine) Console() string {
	said, err := os.ReadFile(m.console)
	if err != nil {
		return err.Error()
	}
	return string(said[max(0, len(said)-4000):])
}

// Stop switches the machine off as its power button does, so that everything that was written stays.
func (m *Machine) Stop(ctx context.Context) error {
	_, err := m.Run(ctx, Command{Args: []string{"sh", "-c", "sync; (sleep 0.2; systemctl poweroff || poweroff -f) >/dev/null 2>&1 &"}})
	if err != nil {
		return err
	}
	select {
	case <-m.ended:
		return nil
	case <-time.After(patience):
		m.kill()
		return errors.New(m.Name + " does not stop")
	}
}

// Boot starts a machine again that was stopped, from its own disk.
func (m *Machine) Boot(ctx context.Context) error { return m.boot(ctx) }

// Kill ends the machine at once, whatever it does.
func (m *Machine) Kill() {
	m.kill()
	<-m.ended
	_ = m.line.Close()
}

func (m *Machine) kill() { _ = syscall.Kill(-m.process.Process.Pid, syscall.SIGKILL) }
