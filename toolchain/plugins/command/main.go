// Command pulumi-resource-command stands in for the official plugin of the same name
// (https://github.com/pulumi/pulumi-command, v1.2.1) on machines that cannot download it.
//
// It offers command:remote:Command and command:local:Command with the same inputs, outputs, errors and
// state, so that a stack can move between the two without a difference. What it leaves out, it refuses.
package main

import "jtel-chat/toolchain/plugins/engine"

func main() { engine.Main(newProvider) }
