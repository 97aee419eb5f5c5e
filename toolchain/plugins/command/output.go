package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// output is what a command said, without the last newline of each stream.
type output struct{ stdout, stderr string }

// logging says which streams the engine shows while the command runs.
type logging string

func (l logging) validate() error {
	switch l {
	case "", "stdout", "stderr", "stdoutAndStderr", "none":
		return nil
	}
	return fmt.Errorf("logging: expected stdout, stderr, stdoutAndStderr or none, got %q", string(l))
}

func (l logging) shows(stream string) bool {
	return l == "" || l == "stdoutAndStderr" || string(l) == stream
}

// logger shows lines beside a resource.
type logger struct {
	engine pulumirpc.EngineClient
	urn    string
}

func (l logger) status(message string) {
	// A line that the engine does not want is no reason to fail the command.
	_, _ = l.engine.Log(context.Background(), &pulumirpc.LogRequest{
		Severity: pulumirpc.LogSeverity_INFO, Message: message, Urn: l.urn, Ephemeral: true,
	})
}

func (l logger) warning(message string) {
	_, _ = l.engine.Log(context.Background(), &pulumirpc.LogRequest{
		Severity: pulumirpc.LogSeverity_WARNING, Message: message, Urn: l.urn,
	})
}

// capture collects both streams of a command, apart for the state and mixed for an error.
type capture struct {
	stdout, stderr, mixed bytes.Buffer
	mutex                 sync.Mutex
	shown                 *io.PipeWriter
	done                  chan struct{}
	logging               logging
}

func newCapture(logging logging, log logger) *capture {
	reader, writer := io.Pipe()
	c := &capture{shown: writer, done: make(chan struct{}), logging: logging}
	go func() {
		defer close(c.done)
		defer io.Copy(io.Discard, reader) // a line too long to show must not stop the command
		lines := bufio.NewScanner(reader)
		for lines.Scan() {
			log.status(lines.Text())
		}
	}()
	return c
}

// stream is where the command writes "stdout" or "stderr" to.
func (c *capture) stream(name string) io.Writer {
	own := &c.stdout
	if name == "stderr" {
		own = &c.stderr
	}
	return writerFunc(func(data []byte) (int, error) {
		c.mutex.Lock()
		own.Write(data)
		c.mixed.Write(data)
		c.mutex.Unlock()
		if c.logging.shows(name) {
			return c.shown.Write(data)
		}
		return len(data), nil
	})
}

// finish waits until all lines are shown. An error names the command and its output, never its stdin.
func (c *capture) finish(text string, err error) (output, error) {
	c.shown.Close()
	<-c.done
	if err != nil {
		return output{}, fmt.Errorf("%w: running %q:\n%s", err, text, c.mixed.String())
	}
	return output{
		stdout: strings.TrimSuffix(c.stdout.String(), "\n"),
		stderr: strings.TrimSuffix(c.stderr.String(), "\n"),
	}, nil
}

type writerFunc func([]byte) (int, error)

func (write writerFunc) Write(data []byte) (int, error) { return write(data) }
