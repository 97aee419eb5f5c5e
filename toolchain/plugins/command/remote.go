package main

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// remoteProperties are those of command:remote:Command.
type remoteProperties struct {
	command
	Connection connection `json:"connection"`
}

// run opens one connection for one command. An interrupt ends the dialling only: a command that
// has begun is left to finish, so that its outcome is known.
func (r *remoteProperties) run(ctx context.Context, text string, log logger) (output, error) {
	client, err := r.Connection.dial(ctx, log)
	if err != nil {
		return output{}, err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return output{}, err
	}
	defer session.Close()
	if err := r.setEnvironment(session, log); err != nil {
		return output{}, err
	}

	captured := newCapture(r.Logging, log)
	session.Stdin = strings.NewReader(r.Stdin)
	session.Stdout = captured.stream("stdout")
	session.Stderr = captured.stream("stderr")
	return captured.finish(text, session.Run(text))
}

// setEnvironment: what the user asked for must arrive, the previous output may be refused by the host.
func (r *remoteProperties) setEnvironment(session *ssh.Session, log logger) error {
	for name, value := range r.Environment {
		if err := session.Setenv(name, value); err != nil {
			return fmt.Errorf("could not set environment variable %q (the host's sshd needs AcceptEnv %s): %w", name, name, err)
		}
	}
	for name, value := range r.previousOutput() {
		if err := session.Setenv(name, value); err != nil {
			log.warning(fmt.Sprintf("Unable to set '%s'. This only works if your SSH server accepts it by AcceptEnv.", name))
		}
	}
	return nil
}
