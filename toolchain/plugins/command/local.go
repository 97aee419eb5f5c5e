package main

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"strings"
)

// localProperties are those of command:local:Command, without assets and archives.
type localProperties struct {
	command
	Interpreter []string `json:"interpreter"`
	Dir         string   `json:"dir"`
}

// run starts the command on this machine, in the directory of the program unless told otherwise.
func (l *localProperties) run(ctx context.Context, text string, log logger) (output, error) {
	interpreter := l.Interpreter
	if len(interpreter) == 0 {
		interpreter = []string{"/bin/sh", "-c"}
	}
	arguments := append(interpreter[1:len(interpreter):len(interpreter)], text)

	captured := newCapture(l.Logging, log)
	process := exec.CommandContext(ctx, interpreter[0], arguments...)
	process.Dir = l.Dir
	process.Env = append(os.Environ(), l.environment()...)
	process.Stdin = strings.NewReader(l.Stdin)
	process.Stdout = captured.stream("stdout")
	process.Stderr = captured.stream("stderr")
	return captured.finish(text, process.Run())
}

func (l *localProperties) environment() []string {
	variables := map[string]string{}
	maps.Copy(variables, l.Environment)
	maps.Copy(variables, l.previousOutput())
	var environment []string
	for name, value := range variables {
		environment = append(environment, name+"="+value)
	}
	return environment
}
