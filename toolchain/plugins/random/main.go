// Command pulumi-resource-random stands in for the official plugin of the same name
// (https://github.com/pulumi/pulumi-random, v4.21.2) on machines that cannot download it.
//
// It offers random:index/randomPassword:RandomPassword with the same inputs and results, but without bcryptHash.
package main

import "jtel-chat/toolchain/plugins/engine"

func main() { engine.Main(newProvider) }
