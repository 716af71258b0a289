// Command resource-exporter serves the node's and its containers' resources.
package main

import (
	"os"

	"github.com/loadline-exporters/loadline/exporters/resource"
	"github.com/loadline-exporters/loadline/internal/serve"
)

func main() {
	ctx, stop := serve.SignalContext()
	defer stop()
	os.Exit(serve.Main(ctx, resource.Command(), os.Args[1:], os.Stdout, os.Stderr))
}
