// Command loadline runs the whole suite on one machine, and reports what alerts did.
package main

import (
	"log/slog"
	"os"

	"k8s.io/klog/v2"

	"github.com/loadline-exporters/loadline/internal/report"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/up"
)

func main() {
	// What Kubernetes' libraries would write to standard error is said by sources.
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	ctx, stop := serve.SignalContext()
	defer stop()
	os.Exit(up.Main(ctx, &up.Command{}, os.Args[1:], os.Stdout, os.Stderr, &report.Command{}))
}
