// Package up is `loadline up`: the exporters that fit this machine, an embedded
// Prometheus that scrapes them, and the start page, in one process.
package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
	"github.com/prometheus/prometheus/model/labels"
	"golang.org/x/sync/errgroup"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web"

	embeddeddashboards "github.com/loadline-exporters/loadline/dashboards"
	dashboardspage "github.com/loadline-exporters/loadline/dashboards/page"
	"github.com/loadline-exporters/loadline/docs/runbooks"
	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/exporters/resource"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/up/dashboards"
	"github.com/loadline-exporters/loadline/internal/up/page"
	"github.com/loadline-exporters/loadline/internal/up/prom"
	"github.com/loadline-exporters/loadline/rules"
)

// Address is the default of --web.listen-address: what it shows is nobody else's
// business unless told otherwise.
const Address = "127.0.0.1:9850"

// gcPercent is how much the heap may grow between two collections, unless GOGC says
// otherwise. Most of what is held, samples and their index, lives for hours: a small
// machine's memory is worth more than the little processor time that waiting saves.
const gcPercent = 50

// Command is `loadline up`.
type Command struct {
	// Listening, if set, is told the addresses: tests listen on port 0.
	Listening func(addresses []string)

	name     string
	web      *web.FlagConfig
	series   *serve.SeriesFlags
	resource resource.Options
	// orchestrator is where the resource exporter's options say that things are.
	orchestrator orchestrator.Options
	budget       int // of the orchestrator exporter
	dataDir      string
	interval     time.Duration
	retention    time.Duration
	scrapeFile   string
	rules        bool // the suite's own
	ruleFiles    []string
	cluster      string
	pprof        bool
}

// AddTo adds the command and its flags to a command line.
func (c *Command) AddTo(app *kingpin.Application) {
	cmd := app.Command("up", "Show this machine's containers against their limits: exporters, Prometheus and a page in one process.")
	c.name = app.Name
	c.web = kingpinflag.AddFlags(cmd, Address)
	c.series = serve.AddSeriesFlags(cmd, resource.DefaultBudget)
	cmd.Flag("data-dir", "Directory of what is measured; it is made if it is missing.").Default(defaultDataDir()).StringVar(&c.dataDir)
	cmd.Flag("scrape-interval", "Time between two scrapes.").Default(prom.DefaultScrapeInterval.String()).DurationVar(&c.interval)
	cmd.Flag("retention", "How long to keep what is measured.").Default(prom.DefaultRetention.String()).DurationVar(&c.retention)
	cmd.Flag("scrape-config", "Prometheus configuration file whose scrape_configs are scraped too (static, file and HTTP discovery); SIGHUP reads it again.").
		StringVar(&c.scrapeFile)
	cmd.Flag("rules", "Evaluate the recording rules and alerts of the suite, which the dashboards and the list of alerts read.").
		Default("true").BoolVar(&c.rules)
	cmd.Flag("rule-file", "Prometheus rule file, or a pattern of them, to evaluate beside; can be given again; SIGHUP reads them again.").StringsVar(&c.ruleFiles)
	cmd.Flag("cluster", "Value of the label cluster of everything that is scraped here; by default the host's name.").StringVar(&c.cluster)
	cmd.Flag("web.enable-pprof", "Serve Go's profiles below /debug/pprof/.").BoolVar(&c.pprof)
	c.resource.AddFlags(cmd)
	cmd.Flag("orchestrator.series-budget", "Series of the orchestrator exporter to serve at the most, as --series-budget is of the resource exporter.").
		Default(orchestrator.DefaultBudget).IntVar(&c.budget)
	further := besides{cmd, kingpin.New("", "")}
	c.orchestrator.AddFlags(further)
	_, err := further.hidden.Parse(nil) // for their defaults
	app.FatalIfError(err, "the flags of the orchestrator exporter")
}

// besides is where the flags of a further exporter are added to those of a command.
// One that the command has already is that of both, if it says where something is, and
// else keeps its default.
type besides struct {
	*kingpin.CmdClause
	hidden *kingpin.Application
}

// Flag adds a flag.
func (b besides) Flag(name, help string) *kingpin.FlagClause {
	if b.GetFlag(name) != nil {
		return b.hidden.Flag(name, help)
	}
	return b.CmdClause.Flag(name, help)
}

// Run is the life of the command. Its return value is the exit code.
func (c *Command) Run(ctx context.Context, logs *promslog.Config, stdout, stderr io.Writer) int {
	logger := promslog.New(logs)
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	if err := c.run(ctx, logger, stdout); err != nil {
		return serve.Fail(stderr, c.name, err)
	}
	return serve.ExitOK
}

// embedded is an exporter within this process.
type embedded struct {
	serve.Exporter
	handler *serve.Handler
}

func (c *Command) run(ctx context.Context, logger *slog.Logger, stdout io.Writer) error {
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("the host's name: %w", err)
	}
	c.usualPlaces()
	exporters, err := c.exporters(ctx, logger)
	if err != nil {
		return err
	}
	server := &serve.Server{Flags: c.web, Logger: logger}
	if err := server.Listen(); err != nil {
		return err
	}
	defer server.Close()
	prometheus, err := c.openPrometheus(host, exporters, server, logger)
	if err != nil {
		return err
	}
	if server.Handler, err = c.handler(host, exporters, prometheus, logger); err != nil {
		return errors.Join(err, prometheus.Close())
	}
	if c.Listening != nil {
		c.Listening(server.Addresses())
	}
	fmt.Fprintf(stdout, "loadline %s on %s, data in %s\n", or(version.Version, "development build"), host, c.dataDir)

	g, ctx := errgroup.WithContext(ctx)
	for _, e := range exporters {
		g.Go(func() error { return e.Run(ctx) })
	}
	g.Go(func() error { return prometheus.Run(ctx) })
	g.Go(func() error { return server.Serve(ctx, prometheus.SelfListener()) })
	g.Go(func() error { c.reloadOnHangup(ctx, prometheus, logger); return nil })
	g.Go(func() error { announce(ctx, stdout, exporters, c.address(server)); return nil })
	return g.Wait()
}

// exporters are those that fit this machine.
func (c *Command) exporters(ctx context.Context, logger *slog.Logger) ([]embedded, error) {
	var out []embedded
	factories := []serve.Factory{c.resource.New}
	if c.orchestrated() {
		c.orchestrator.At(c.resource.Kubeconfig, c.resource.Docker)
		factories = append(factories, c.orchestrator.New)
	}
	for _, make := range factories {
		opts := c.series.Options()
		opts.Logger = logger
		e, err := make(logger, opts.Filter)
		if err != nil {
			return nil, err
		}
		if e.Name == orchestrator.Name {
			opts.Budget = c.budget
		}
		g, err := serve.NewGatherer(e, opts)
		if err != nil {
			return nil, err
		}
		out = append(out, embedded{e, serve.NewHandler(g, func() bool { return ctx.Err() != nil }, logger)})
	}
	return out, nil
}

func (c *Command) openPrometheus(host string, exporters []embedded, server *serve.Server, logger *slog.Logger) (*prom.Server, error) {
	var targets []prom.SelfTarget
	for _, e := range exporters {
		targets = append(targets, prom.SelfTarget{Job: e.Name, Path: "/exporters/" + e.Name + "/metrics"})
	}
	external, err := url.Parse(c.address(server))
	if err != nil {
		return nil, err
	}
	o := prom.Options{
		DataDir: c.dataDir, Retention: c.retention, ScrapeInterval: c.interval, ScrapeConfigFile: c.scrapeFile,
		RuleFiles: c.ruleFiles, Runbooks: dashboards.RunbooksPath,
		Self:       targets,
		SelfLabels: map[string]string{"instance": host, "node": or(c.resource.NodeName, host), "cluster": or(c.cluster, host)},
		Logger:     logger, ExternalURL: external,
	}
	if c.rules {
		o.Rules = rules.Files
	}
	return prom.Open(o)
}

func (c *Command) handler(host string, exporters []embedded, prometheus *prom.Server, logger *slog.Logger) (http.Handler, error) {
	start, err := page.New(page.Options{
		Querier: prometheus, Instance: host, Every: c.interval, Logger: logger, Alerts: firing(prometheus),
		Exporters: func() []page.Sources {
			var all []page.Sources
			for _, e := range exporters {
				all = append(all, page.Sources{Exporter: e.Name, Statuses: e.Statuses()})
			}
			return all
		},
	})
	if err != nil {
		return nil, err
	}
	read, err := c.dashboards(logger)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", start)
	mux.Handle(dashboards.Path, read)
	mux.Handle(dashboards.RunbooksPath, read)
	mux.Handle("/api/v1/", prometheus.Handler())
	for _, e := range exporters {
		path := "/exporters/" + e.Name
		mux.Handle(path+"/", http.StripPrefix(path, e.handler))
	}
	serve.AddHealth(mux, func() bool {
		for _, e := range exporters {
			if !e.Ready() {
				return false
			}
		}
		return true
	})
	if c.pprof {
		serve.AddPprof(mux)
	}
	return mux, nil
}

// dashboards serves what is embedded for people to read.
func (c *Command) dashboards(logger *slog.Logger) (http.Handler, error) {
	built, err := fs.Sub(dashboardspage.Files, "dist")
	if err != nil {
		return nil, err
	}
	drawn, err := fs.Sub(embeddeddashboards.Files, "perses")
	if err != nil {
		return nil, err
	}
	return dashboards.New(dashboards.Options{
		Page: built, Dashboards: drawn, Runbooks: runbooks.Files, Interval: c.interval, Logger: logger,
	})
}

// firing is the alerts that fire, as the start page shows them.
func firing(prometheus *prom.Server) func() []page.Alert {
	return func() []page.Alert {
		var out []page.Alert
		for _, a := range prometheus.Alerts() {
			out = append(out, page.Alert{
				Name: a.Labels.Get(labels.AlertName), Severity: a.Labels.Get("severity"), Since: a.Since,
				Summary: a.Annotations.Get("summary"), Runbook: a.Annotations.Get("runbook_url"), Dashboard: a.Annotations.Get("dashboard_url"),
			})
		}
		return out
	}
}

func (c *Command) reloadOnHangup(ctx context.Context, prometheus *prom.Server, logger *slog.Logger) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			if err := prometheus.Reload(); err != nil {
				logger.Error("the scrape configuration stays as it was", "err", err)
			}
		}
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
