package up

import (
	"context"
	"io"

	"github.com/loadline-exporters/loadline/internal/serve"
)

// Main is the whole life of the program loadline, from its arguments to its exit
// code. It ends when the context does.
func Main(ctx context.Context, c *Command, args []string, stdout, stderr io.Writer) int {
	app := serve.NewApplication("loadline", "Loadline shows how far containers are from their limits.", stdout)
	logs := serve.AddLogFlags(app, stderr)
	// A person reads what `up` prints; the log is for what goes wrong.
	app.GetFlag("log.level").Default("warn")
	c.AddTo(app)
	if _, code, done := serve.Parse(app, args, stderr); done {
		return code
	}
	return c.Run(ctx, logs, stdout, stderr)
}
