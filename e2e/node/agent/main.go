// Command agent runs inside of a machine of package uml and does there what the test says: it reads requests from the machine's serial
// line, one JSON object a line, runs each as a process, and writes what came of it. Requests run side by side.
//
// It is built without anything but the standard library, because it is started before the machine has anything else.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Request is one process to run.
type Request struct {
	ID      int
	File    string // which has the request, where it is long; empty otherwise
	Args    []string
	Input   string
	Seconds float64 // after which the process is killed
}

// Answer is what came of a Request.
type Answer struct {
	ID     int
	Output string // of standard output
	Errors string // of standard error
	Code   int    // -1 where the process could not be started, or was killed
}

func main() {
	signal.Ignore(os.Interrupt) // a serial line may send it
	line, err := os.OpenFile(os.Args[1], os.O_RDWR, 0)
	if err == nil {
		err = serve(line)
	}
	_, _ = fmt.Fprintln(os.Stderr, "agent:", err)
	// Whoever had the other end of the line has gone, and nobody else would ever stop the machine.
	_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

// serve answers requests until the line ends.
func serve(line io.ReadWriter) error {
	var writing sync.Mutex
	say := func(a Answer) {
		text, err := json.Marshal(a)
		if err != nil {
			panic(err) // strings and numbers are JSON
		}
		writing.Lock()
		defer writing.Unlock()
		if _, err := line.Write(append(text, '\n')); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "agent:", err)
		}
	}
	say(Answer{}) // the machine is up
	requests := bufio.NewReader(line)
	for {
		text, err := requests.ReadBytes('\n')
		if err != nil {
			return err
		}
		var r Request
		if err := json.Unmarshal(text, &r); err != nil {
			return fmt.Errorf("%w: %s", err, text)
		}
		if r.File != "" {
			if err := read(&r); err != nil {
				return err
			}
		}
		go func() { say(run(r)) }()
	}
}

// read reads a long request, and removes its file.
func read(r *Request) error {
	file := r.File
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, r); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return os.Remove(file)
}

// run runs one process.
func run(r Request) Answer {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.Seconds*float64(time.Second)))
	defer cancel()
	var output, errors bytes.Buffer
	process := exec.CommandContext(ctx, r.Args[0], r.Args[1:]...)
	process.Stdin, process.Stdout, process.Stderr = bytes.NewReader([]byte(r.Input)), &output, &errors
	process.WaitDelay = time.Second // a daemon may keep the output open
	err := process.Run()
	if process.ProcessState == nil && err != nil {
		return Answer{r.ID, "", err.Error(), -1}
	}
	return Answer{r.ID, output.String(), errors.String(), process.ProcessState.ExitCode()}
}
