// Command loadline runs the whole suite on one machine.
package main

import (
	"os"

	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/up"
)

func main() {
	ctx, stop := serve.SignalContext()
	defer stop()
	os.Exit(up.Main(ctx, &up.Command{}, os.Args[1:], os.Stdout, os.Stderr))
}
