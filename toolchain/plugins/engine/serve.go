// Package engine is what the stand-ins for Pulumi's plugins have in common: how they are started, and how they read and write
// the engine's values.
package engine

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
)

// The engine sends whole documents in one message.
const maxMessageBytes = 400 << 20

// Main is a plugin's whole program: it serves the provider that is made with a connection to the engine.
func Main(make func(pulumirpc.EngineClient) pulumirpc.ResourceProviderServer) {
	if len(os.Args) < 2 {
		log.Fatalf("%s is a Pulumi plugin: expected the address of the engine as last argument", filepath.Base(os.Args[0]))
	}
	if err := serve(os.Args[len(os.Args)-1], make); err != nil {
		log.Fatal(err)
	}
}

// serve announces a free port on stdout, as the engine expects, and answers until the engine is gone.
func serve(address string, make func(pulumirpc.EngineClient) pulumirpc.ResourceProviderServer) error {
	engine, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithIdleTimeout(0))
	if err != nil {
		return fmt.Errorf("engine at %s: %w", address, err)
	}
	defer engine.Close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes))
	pulumirpc.RegisterResourceProviderServer(server, make(pulumirpc.NewEngineClient(engine)))
	go stopWithEngine(engine, server)

	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	return server.Serve(listener)
}

// stopWithEngine ends the plugin when a killed engine could not do so itself.
func stopWithEngine(engine *grpc.ClientConn, server *grpc.Server) {
	engine.Connect()
	for connected := false; ; {
		state := engine.GetState()
		if connected && state != connectivity.Ready {
			server.Stop()
			return
		}
		connected = state == connectivity.Ready
		engine.WaitForStateChange(context.Background(), state)
	}
}
