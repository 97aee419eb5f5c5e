package main

import (
	"context"
	"fmt"

	"jtel-chat/toolchain/plugins/engine"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

const randomPassword = "random:index/randomPassword:RandomPassword"

type provider struct{ engine.Provider }

func newProvider(pulumirpc.EngineClient) pulumirpc.ResourceProviderServer {
	return &provider{engine.Provider{Version: "4.21.2"}}
}

func (p *provider) Check(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	inputs := engine.Clone(request.GetNews())
	if kind := engine.KindOf(request.GetUrn()); kind != randomPassword {
		return engine.Checked(inputs, fmt.Errorf("the stand-in for the random plugin has no %s", kind)), nil
	}
	if engine.HasUnknown(structpb.NewStructValue(inputs)) {
		return engine.Checked(inputs, nil), nil
	}
	_, err := parse(inputs)
	return engine.Checked(inputs, err), nil
}

// Diff: a password keeps its value as long as all of its inputs keep theirs.
func (p *provider) Diff(_ context.Context, request *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return engine.Diff(request, func(string) bool { return true }), nil
}

func (p *provider) Create(_ context.Context, request *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	state := engine.Clone(request.GetProperties())
	if request.GetPreview() {
		state.Fields["result"] = engine.Secret(structpb.NewStringValue(engine.Unknown))
		return &pulumirpc.CreateResponse{Properties: state}, nil
	}
	wanted, err := parse(state)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	wanted.describe(state)
	state.Fields["result"] = engine.Secret(structpb.NewStringValue(wanted.generate()))
	return &pulumirpc.CreateResponse{Id: "none", Properties: state}, nil // the official plugin's id, too
}

func (p *provider) Delete(context.Context, *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
