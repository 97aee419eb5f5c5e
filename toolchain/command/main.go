// Command pulumi-resource-command stands in for the official plugin of the same name
// (https://github.com/pulumi/pulumi-command, v1.2.1) on machines that cannot download it.
//
// It offers command:remote:Command and command:local:Command with the same inputs, outputs, errors and
// state, so that a stack can move between the two without a difference. What it leaves out, it refuses.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
)

// The engine sends whole documents in one message.
const maxMessageBytes = 400 << 20

func main() {
	if len(os.Args) < 2 {
		log.Fatal("pulumi-resource-command is a Pulumi plugin: expected the address of the engine as last argument")
	}
	if err := serve(os.Args[len(os.Args)-1]); err != nil {
		log.Fatal(err)
	}
}

// serve announces a free port on stdout, as the engine expects, and answers until the engine is gone.
func serve(engineAddress string) error {
	engine, err := grpc.NewClient(engineAddress,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithIdleTimeout(0))
	if err != nil {
		return fmt.Errorf("engine at %s: %w", engineAddress, err)
	}
	defer engine.Close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes))
	pulumirpc.RegisterResourceProviderServer(server, newProvider(pulumirpc.NewEngineClient(engine)))
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
