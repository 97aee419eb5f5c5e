package engine

import (
	"context"
	"maps"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Provider answers what no stand-in answers in a way of its own. Property structs pass through as they came, so that secrets
// and assets survive.
type Provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	// Version of the official plugin whose place it takes.
	Version string
}

// GetPluginInfo: `pulumi plugin ls` shows what is in use.
func (p *Provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: p.Version + "+standin"}, nil
}

// CheckConfig accepts everything: there is nothing to configure.
func (p *Provider) CheckConfig(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: request.GetNews()}, nil
}

// Configure asks for secrets as such, and for previews.
func (p *Provider) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true}, nil
}

// Cancel: the engine was interrupted.
func (p *Provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Read answers what the state holds: nobody else knows it.
func (p *Provider) Read(_ context.Context, request *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	return &pulumirpc.ReadResponse{Id: request.GetId(), Properties: request.GetProperties(), Inputs: request.GetInputs()}, nil
}

// Diff compares inputs – also a value that only became secret differs. replaces says which of them need a new resource.
func Diff(request *pulumirpc.DiffRequest, replaces func(name string) bool) *pulumirpc.DiffResponse {
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
		kind := diffKind(olds[name], news[name])
		if replaces(name) {
			kind++ // each kind is followed by the same one with replacement
			response.Replaces = append(response.Replaces, name)
		}
		response.DetailedDiff[name] = &pulumirpc.PropertyDiff{Kind: kind, InputDiff: true}
	}
	return response
}

func diffKind(old, new *structpb.Value) pulumirpc.PropertyDiff_Kind {
	if old == nil {
		return pulumirpc.PropertyDiff_ADD
	}
	if new == nil {
		return pulumirpc.PropertyDiff_DELETE
	}
	return pulumirpc.PropertyDiff_UPDATE
}

// Checked is the answer to Check: the inputs, and what is wrong with them.
func Checked(inputs *structpb.Struct, err error) *pulumirpc.CheckResponse {
	response := &pulumirpc.CheckResponse{Inputs: inputs}
	if err != nil {
		response.Failures = []*pulumirpc.CheckFailure{{Reason: err.Error()}}
	}
	return response
}

// KindOf reads the type out of urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME.
func KindOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}
