package up

import (
	"context"
	"io"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"github.com/loadline-exporters/loadline/internal/serve"
)

// Verb is a further command of the program.
type Verb interface {
	Name() string
	AddTo(app *kingpin.Application)
	Run(ctx context.Context, logs *promslog.Config, stdout, stderr io.Writer) int
}

// Main is the whole life of the program loadline, from its arguments to its exit
// code. It ends when the context does.
func Main(ctx context.Context, c *Command, args []string, stdout, stderr io.Writer, others ...Verb) int {
	app := serve.NewApplication("loadline", "Loadline shows how far containers are from their limits.", stdout)
	logs := serve.AddLogFlags(app, stderr)
	// A person reads what `up` prints; the log is for what goes wrong.
	app.GetFlag("log.level").Default("warn")
	c.AddTo(app)
	for _, v := range others {
		v.AddTo(app)
	}
	command, code, done := serve.Parse(app, args, stderr)
	if done {
		return code
	}
	for _, v := range others {
		if v.Name() == command {
			return v.Run(ctx, logs, stdout, stderr)
		}
	}
	return c.Run(ctx, logs, stdout, stderr)
}
