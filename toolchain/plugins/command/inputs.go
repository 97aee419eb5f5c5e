package main

import (
	"errors"
	"fmt"

	"jtel-chat/toolchain/plugins/engine"

	"google.golang.org/protobuf/types/known/structpb"
)

const (
	remoteCommand = "command:remote:Command"
	localCommand  = "command:local:Command"
)

// command holds the properties that both kinds share: inputs, and the outputs of an earlier run.
type command struct {
	Create                 *string           `json:"create"`
	Update                 *string           `json:"update"`
	Delete                 *string           `json:"delete"`
	Stdin                  string            `json:"stdin"`
	Environment            map[string]string `json:"environment"`
	AddPreviousOutputInEnv *bool             `json:"addPreviousOutputInEnv"`
	Logging                logging           `json:"logging"`
	Triggers               []any             `json:"triggers"`

	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
}

// common lets callers reach the shared properties of either kind.
func (c *command) common() *command { return c }

// previousOutput is the environment that tells a command what the run before it said.
func (c *command) previousOutput() map[string]string {
	environment := map[string]string{}
	if c.AddPreviousOutputInEnv != nil && !*c.AddPreviousOutputInEnv {
		return environment
	}
	if c.Stdout != "" {
		environment["PULUMI_COMMAND_STDOUT"] = c.Stdout
	}
	if c.Stderr != "" {
		environment["PULUMI_COMMAND_STDERR"] = c.Stderr
	}
	return environment
}

// forUpdate is the command that a changed input runs: update, or create where there is none.
func (c *command) forUpdate() *string {
	if c.Update != nil {
		return c.Update
	}
	return c.Create
}

// parse turns the properties of a resource into something that can run.
func parse(kind string, properties *structpb.Struct) (runnable, error) {
	switch kind {
	case remoteCommand:
		remote := &remoteProperties{}
		if err := engine.Decode(properties, remote); err != nil {
			return nil, err
		}
		return remote, remote.validate()
	case localCommand:
		local := &localProperties{}
		if err := engine.Decode(properties, local); err != nil {
			return nil, err
		}
		return local, local.Logging.validate()
	default:
		return nil, fmt.Errorf("the stand-in for the command plugin has no %s", kind)
	}
}

func (r *remoteProperties) validate() error {
	if r.Connection.Host == "" {
		return errors.New("connection.host: expected the address of the host, got nothing")
	}
	if r.Connection.Proxy != nil && r.Connection.Proxy.Host == "" {
		return errors.New("connection.proxy.host: expected the address of the jump host, got nothing")
	}
	return r.Logging.validate()
}

// check completes the inputs of a resource as the official plugin does, so that both write the same state.
func check(kind string, news *structpb.Struct) (*structpb.Struct, error) {
	inputs := engine.Clone(news)
	if kind == remoteCommand {
		inputs.Fields["connection"] = completeConnection(inputs.Fields["connection"])
	}
	if engine.HasUnknown(structpb.NewStructValue(inputs)) {
		return inputs, nil
	}
	_, err := parse(kind, inputs)
	return inputs, err
}

// completeConnection adds defaults and marks what must never be seen, inside a connection that is secret itself.
func completeConnection(connection *structpb.Value) *structpb.Value {
	fields := engine.Reveal(connection).GetStructValue().GetFields()
	if fields == nil {
		return connection
	}
	for name, value := range map[string]any{"user": "root", "port": 22, "dialErrorLimit": 10, "perDialTimeout": 15} {
		if fields[name] == nil {
			fields[name], _ = structpb.NewValue(value)
		}
	}
	for _, name := range []string{"password", "privateKey", "privateKeyPassword"} {
		if value := fields[name]; value != nil && !engine.IsSecret(value) {
			fields[name] = engine.Secret(value)
		}
	}
	if proxy := fields["proxy"]; proxy != nil {
		fields["proxy"] = completeConnection(proxy)
	}
	return connection
}
