package node

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
)

// hook is the hook as it is installed: a process of its own, which is asked over HTTP.
type hook struct {
	url     string
	process *exec.Cmd
}

// buildHook builds the hook from the source tree around the module.
func buildHook(dir string) (string, error) {
	program := filepath.Join(dir, "wukong")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the hook: %w: %s", err, out)
	}
	return program, nil
}

// startHook starts the hook on a free port.
func startHook(program string, args ...string) (*hook, error) {
	h := &hook{process: exec.Command(program, append([]string{"-listen", "127.0.0.1:0", "-metrics-listen="}, args...)...)}
	log, err := h.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := h.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the hook: %w", err)
	}
	lines := bufio.NewScanner(log)
	for h.url == "" && lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			h.url = "http://" + line.Address
		}
	}
	if h.url == "" {
		return nil, fmt.Errorf("the hook does not listen: %w", h.process.Wait())
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	return h, nil
}

func (h *hook) stop() {
	_ = h.process.Process.Kill()
	_ = h.process.Wait()
}
