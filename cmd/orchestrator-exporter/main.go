// Command orchestrator-exporter serves what orchestrators run, want and do.
package main

import (
	"os"

	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/internal/serve"
)

func main() {
	ctx, stop := serve.SignalContext()
	defer stop()
	os.Exit(serve.Main(ctx, orchestrator.Command(), os.Args[1:], os.Stdout, os.Stderr))
}
