package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// runnable is a command with everything that it needs to run somewhere.
type runnable interface {
	common() *command
	run(ctx context.Context, text string, log logger) (output, error)
}

// provider answers the engine. Property structs pass through as they came, so that secrets and assets survive.
type provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	engine pulumirpc.EngineClient
	// cancelled ends waiting for a host, and local commands, when the user interrupts the engine.
	cancelled context.Context
	cancel    context.CancelFunc
}

func newProvider(engine pulumirpc.EngineClient) *provider {
	ctx, cancel := context.WithCancel(context.Background())
	return &provider{engine: engine, cancelled: ctx, cancel: cancel}
}

func (p *provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "1.2.1+standin"}, nil
}

func (p *provider) CheckConfig(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: request.GetNews()}, nil
}

func (p *provider) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true}, nil
}

func (p *provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	p.cancel()
	return &emptypb.Empty{}, nil
}

func (p *provider) Check(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	inputs, err := check(kindOf(request.GetUrn()), request.GetNews())
	response := &pulumirpc.CheckResponse{Inputs: inputs}
	if err != nil {
		response.Failures = []*pulumirpc.CheckFailure{{Reason: err.Error()}}
	}
	return response, nil
}

// Diff: triggers replace, everything else updates in place – also a value that only became secret.
func (p *provider) Diff(_ context.Context, request *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, news := request.GetOldInputs().GetFields(), request.GetNews().GetFields()
	names := maps.Clone(news)
	if names == nil {
		names = map[string]*structpb.Value{}
	}
	maps.Copy(names, olds)

	response := &pulumirpc.DiffResponse{
		Changes:         pulumirpc.DiffResponse_DIFF_NONE,
		HasDetailedDiff: true,
		DetailedDiff:    map[string]*pulumirpc.PropertyDiff{},
	}
	for name := range names {
		if proto.Equal(olds[name], news[name]) {
			continue
		}
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
		response.Diffs = append(response.Diffs, name)
		response.DetailedDiff[name] = &pulumirpc.PropertyDiff{
			Kind:      diffKind(name, olds[name], news[name]),
			InputDiff: true,
		}
		if name == "triggers" {
			response.Replaces = append(response.Replaces, name)
		}
	}
	return response, nil
}

func diffKind(name string, old, new *structpb.Value) pulumirpc.PropertyDiff_Kind {
	kind := pulumirpc.PropertyDiff_UPDATE
	if old == nil {
		kind = pulumirpc.PropertyDiff_ADD
	} else if new == nil {
		kind = pulumirpc.PropertyDiff_DELETE
	}
	if name == "triggers" {
		kind++ // each kind is followed by the same one with replacement
	}
	return kind
}

func (p *provider) Create(_ context.Context, request *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	state := clone(request.GetProperties())
	response := &pulumirpc.CreateResponse{Id: newID(request.GetUrn()), Properties: state}
	if request.GetPreview() {
		setOutput(state, output{stdout: unknown, stderr: unknown})
		return response, nil
	}
	err := p.execute(request.GetUrn(), state, output{}, func(c *command) *string { return c.Create })
	return response, err
}

func (p *provider) Update(_ context.Context, request *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	state := clone(request.GetNews())
	response := &pulumirpc.UpdateResponse{Properties: state}
	if request.GetPreview() {
		setOutput(state, output{stdout: unknown, stderr: unknown})
		return response, nil
	}
	err := p.execute(request.GetUrn(), state, outputOf(request.GetOlds()), (*command).forUpdate)
	return response, err
}

// Delete runs with the connection of the state: the one that the program has now may lead elsewhere.
func (p *provider) Delete(_ context.Context, request *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	state := clone(request.GetProperties())
	err := p.execute(request.GetUrn(), state, outputOf(state), func(c *command) *string { return c.Delete })
	return &emptypb.Empty{}, err
}

// Read answers what the state holds: nobody knows what a command has left behind.
func (p *provider) Read(_ context.Context, request *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	return &pulumirpc.ReadResponse{Id: request.GetId(), Properties: request.GetProperties(), Inputs: request.GetInputs()}, nil
}

// execute runs the chosen command, if there is one, and writes its output into the state.
func (p *provider) execute(urn string, state *structpb.Struct, previous output, choose func(*command) *string) error {
	setOutput(state, previous)
	resource, err := parse(kindOf(urn), state)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	text := choose(resource.common())
	if text == nil {
		return nil
	}
	result, err := resource.run(p.cancelled, *text, logger{engine: p.engine, urn: urn})
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
		stdout: reveal(fields["stdout"]).GetStringValue(),
		stderr: reveal(fields["stderr"]).GetStringValue(),
	}
}

// kindOf reads the type out of urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME.
func kindOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}

// newID is the name of the resource and eight random hexadecimal digits.
func newID(urn string) string {
	suffix := make([]byte, 4)
	rand.Read(suffix) // never fails (crypto/rand)
	return fmt.Sprintf("%s%x", urn[strings.LastIndex(urn, "::")+2:], suffix)
}
