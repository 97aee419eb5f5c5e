package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"jtel-chat/toolchain/plugins/engine"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// runnable is a command with everything that it needs to run somewhere.
type runnable interface {
	common() *command
	run(ctx context.Context, text string, log logger) (output, error)
}

// provider runs commands; what it does not say is what every stand-in says.
type provider struct {
	engine.Provider
	client pulumirpc.EngineClient
	// cancelled ends waiting for a host, and local commands, when the user interrupts the engine.
	cancelled context.Context
	cancel    context.CancelFunc
}

func newProvider(client pulumirpc.EngineClient) pulumirpc.ResourceProviderServer {
	ctx, cancel := context.WithCancel(context.Background())
	return &provider{Provider: engine.Provider{Version: "1.2.1"}, client: client, cancelled: ctx, cancel: cancel}
}

func (p *provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	p.cancel()
	return &emptypb.Empty{}, nil
}

func (p *provider) Check(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return engine.Checked(check(engine.KindOf(request.GetUrn()), request.GetNews())), nil
}

// Diff: triggers replace, everything else updates in place.
func (p *provider) Diff(_ context.Context, request *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return engine.Diff(request, func(name string) bool { return name == "triggers" }), nil
}

func (p *provider) Create(_ context.Context, request *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	state := engine.Clone(request.GetProperties())
	response := &pulumirpc.CreateResponse{Id: newID(request.GetUrn()), Properties: state}
	if request.GetPreview() {
		setOutput(state, output{stdout: engine.Unknown, stderr: engine.Unknown})
		return response, nil
	}
	err := p.execute(request.GetUrn(), state, output{}, func(c *command) *string { return c.Create })
	return response, err
}

func (p *provider) Update(_ context.Context, request *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	state := engine.Clone(request.GetNews())
	response := &pulumirpc.UpdateResponse{Properties: state}
	if request.GetPreview() {
		setOutput(state, output{stdout: engine.Unknown, stderr: engine.Unknown})
		return response, nil
	}
	err := p.execute(request.GetUrn(), state, outputOf(request.GetOlds()), (*command).forUpdate)
	return response, err
}

// Delete runs with the connection of the state: the one that the program has now may lead elsewhere.
func (p *provider) Delete(_ context.Context, request *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	state := engine.Clone(request.GetProperties())
	err := p.execute(request.GetUrn(), state, outputOf(state), func(c *command) *string { return c.Delete })
	return &emptypb.Empty{}, err
}

// execute runs the chosen command, if there is one, and writes its output into the state.
func (p *provider) execute(urn string, state *structpb.Struct, previous output, choose func(*command) *string) error {
	setOutput(state, previous)
	resource, err := parse(engine.KindOf(urn), state)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	text := choose(resource.common())
	if text == nil {
		return nil
	}
	result, err := resource.run(p.cancelled, *text, logger{engine: p.client, urn: urn})
	if err != nil {
		return status.Error(codes.Unknown, err.Error())
	}
	setOutput(state, result)
	return nil
}

func setOutput(state *structpb.Struct, result output) {
	state.Fields["stdout"] = structpb.NewStringValue(result.stdout)
	state.Fields["stderr"] = structpb.NewStringValue(result.stderr)
}

func outputOf(state *structpb.Struct) output {
	fields := state.GetFields()
	return output{
		stdout: engine.Reveal(fields["stdout"]).GetStringValue(),
		stderr: engine.Reveal(fields["stderr"]).GetStringValue(),
	}
}

// newID is the name of the resource and eight random hexadecimal digits.
func newID(urn string) string {
	suffix := make([]byte, 4)
	rand.Read(suffix) // never fails (crypto/rand)
	return fmt.Sprintf("%s%x", urn[strings.LastIndex(urn, "::")+2:], suffix)
}
