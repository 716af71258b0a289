package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/loadline-exporters/loadline/internal/family"
)

// Exit codes of all commands.
const (
	ExitOK    = 0
	ExitError = 1 // it could not start, or could not go on
	ExitUsage = 2 // the command line is wrong
)

// Command is an exporter as a program.
type Command struct {
	Name          string // "resource-exporter"
	Help          string
	Address       string // default of --web.listen-address
	DefaultBudget string // default of --series-budget

	// Flags adds the exporter's own flags and returns what makes the exporter of
	// them, once they are parsed.
	Flags func(g FlagGroup) Factory
	// Listening, if set, is told the addresses: tests listen on port 0.
	Listening func(addresses []string)
}

// Factory makes an exporter. The filter says which families will be served, so that
// nothing has to be kept for others. Its error is shown to the operator in one line.
type Factory func(logger *slog.Logger, wanted family.Filter) (Exporter, error)

// Main is the whole life of a command, from its arguments to its exit code. It
// ends when the context does, which main binds to signals.
func Main(ctx context.Context, c Command, args []string, stdout, stderr io.Writer) int {
	app := NewApplication(c.Name, c.Help, stdout)
	web := kingpinflag.AddFlags(app, c.Address)
	series := AddSeriesFlags(app, c.DefaultBudget)
	pprofOn := app.Flag("web.enable-pprof", "Serve Go's profiles below /debug/pprof/.").Bool()
	logs := AddLogFlags(app, stderr)
	factory := c.Flags(app)
	if _, code, done := Parse(app, args, stderr); done {
		return code
	}
	logger := promslog.New(logs)
	opts := series.Options()
	opts.Logger = logger
	exporter, err := factory(logger, opts.Filter)
	if err != nil {
		return Fail(stderr, c.Name, err)
	}
	gatherer, err := NewGatherer(exporter, opts)
	if err != nil {
		return Fail(stderr, c.Name, err)
	}
	handler := http.NewServeMux()
	handler.Handle("/", NewHandler(gatherer, func() bool { return ctx.Err() != nil }, logger))
	if *pprofOn {
		AddPprof(handler)
	}
	server := &Server{Handler: handler, Flags: web, Logger: logger}
	if err := server.Listen(); err != nil {
		return Fail(stderr, c.Name, err)
	}
	logger.Info("starting", "command", c.Name, "version", version.Info())
	if c.Listening != nil {
		c.Listening(server.Addresses())
	}
	if err := run(ctx, exporter, server); err != nil {
		return Fail(stderr, c.Name, err)
	}
	logger.Info("stopped")
	return ExitOK
}

// run does the background work and serves until the context ends or one of the
// two fails, and waits for both.
func run(ctx context.Context, e Exporter, s *Server) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	background := make(chan error, 1)
	go func() {
		err := e.Run(ctx)
		cancel()
		background <- err
	}()
	err := s.Serve(ctx)
	cancel()
	return errors.Join(err, <-background)
}

// NewApplication returns a command line whose help goes to stdout.
func NewApplication(name, help string, stdout io.Writer) *kingpin.Application {
	app := kingpin.New(name, help)
	app.UsageWriter(stdout)
	app.HelpFlag.Short('h')
	app.Version(version.Print(name))
	return app
}

// AddLogFlags adds --log.level and --log.format.
func AddLogFlags(app *kingpin.Application, w io.Writer) *promslog.Config {
	logs := &promslog.Config{Writer: w}
	promslogflag.AddFlags(app, logs)
	return logs
}

// exit is what kingpin's terminate is made to panic with, so that --help ends
// Parse and not the process.
type exit int

// Parse parses args. When done is true the program ends with code: the arguments
// were wrong, or asked for help or the version.
func Parse(app *kingpin.Application, args []string, stderr io.Writer) (command string, code int, done bool) {
	app.Terminate(func(status int) { panic(exit(status)) })
	app.ErrorWriter(stderr)
	defer func() {
		if r := recover(); r != nil {
			status, ok := r.(exit)
			if !ok {
				panic(r)
			}
			code, done = int(status), true
		}
	}()
	command, err := app.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v (try --help)\n", app.Name, err)
		return "", ExitUsage, true
	}
	return command, ExitOK, false
}

// Fail shows an error in one line and returns ExitError.
func Fail(stderr io.Writer, name string, err error) int {
	fmt.Fprintf(stderr, "%s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", "; "))
	return ExitError
}

// AddPprof serves Go's profiles.
func AddPprof(mux *http.ServeMux) {
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}

// SignalContext ends at SIGTERM or SIGINT; a second signal kills.
func SignalContext() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
