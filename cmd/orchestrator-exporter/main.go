// Command orchestrator-exporter serves what orchestrators run, want and do.
package main

import (
	"log/slog"
	"os"

	"k8s.io/klog/v2"

	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/internal/serve"
)

func main() {
	// What Kubernetes' libraries would write to standard error is said by sources.
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	ctx, stop := serve.SignalContext()
	defer stop()
	os.Exit(serve.Main(ctx, orchestrator.Command(), os.Args[1:], os.Stdout, os.Stderr))
}
