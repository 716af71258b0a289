// Package prom is the Prometheus that `loadline up` embeds, made of Prometheus'
// own packages: discovery and scraping, TSDB, PromQL, rules and the HTTP API,
// without its command, its web interface and its notifier.
//
// Exporters of the same process are scraped through a listener in memory. So
// they need no port, and TLS or passwords on the real listener do not concern
// them:
//
//	s, err := prom.Open(options)
//	go http.Serve(s.SelfListener(), exporters)
//	mux.Handle("/api/v1/", s.Handler())
//	err = s.Run(ctx)
//
// All state is a Server's own, metrics of Prometheus included: any number of
// servers can run in a process, each on a directory of its own.
package prom

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/logging"
)

// Server is an embedded Prometheus. Its methods can be called concurrently.
type Server struct {
	o        Options
	log      *slog.Logger
	born     time.Time
	registry *prometheus.Registry
	features features.Collector
	store    *storage
	parser   parser.Parser
	engine   *promql.Engine
	self     *selfListener
	api      http.Handler
	queries  *door
	closing  sync.Once
	closed   error

	scrape        *scrape.Manager
	rules         *rules.Manager
	discovery     *discovery.Manager
	stopDiscovery context.CancelFunc

	mu       sync.Mutex // guards what follows
	user     userConfig
	current  *config.Config
	running  bool // current is to be applied when it changes
	loaded   bool // the last Reload was good
	loadedAt time.Time
}

// Open opens the TSDB, replays what was written to it last, and reads the
// configuration; it scrapes nothing yet. Errors name the directory or the file
// and what is wrong with it. Whoever opens a Server calls Run or Close.
func Open(o Options) (*Server, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Server{
		o:        o,
		log:      slog.New(quiet{o.Logger.Handler()}),
		born:     time.Now().UTC(),
		registry: prometheus.NewRegistry(),
		features: features.NewRegistry(),
		parser:   parser.NewParser(parser.Options{}),
		self:     newSelfListener(),
		queries:  newDoor(),
	}
	if err := s.readConfig(); err != nil {
		return nil, err
	}
	var err error
	if s.store, err = openStorage(o.DataDir, o.Retention, s.registry, s.log); err != nil {
		return nil, err
	}
	if err := s.assemble(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// assemble makes the parts that read from and write to the TSDB.
func (s *Server) assemble() error {
	s.engine = promql.NewEngine(promql.EngineOpts{
		Logger:                   s.log.With("component", "query engine"),
		Reg:                      s.registry,
		MaxSamples:               maxQuerySamples,
		Timeout:                  maxQueryTime,
		ActiveQueryTracker:       make(queryLimit, maxQueries),
		LookbackDelta:            lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return s.o.ScrapeInterval.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		FeatureRegistry:          s.features,
		Parser:                   s.parser,
	})
	s.rules = rules.NewManager(&rules.ManagerOptions{
		NameValidationScheme: model.UTF8Validation,
		AppendableV2:         s.store,
		Queryable:            s.store,
		QueryFunc:            rules.EngineQueryFunc(s.engine, s.store),
		NotifyFunc:           func(context.Context, string, ...*rules.Alert) {},
		Context:              context.Background(),
		ExternalURL:          s.o.ExternalURL,
		Registerer:           s.registry,
		Logger:               s.log.With("component", "rules"),
		OutageTolerance:      time.Hour,
		ForGracePeriod:       10 * time.Minute,
		ResendDelay:          time.Minute,
		FeatureRegistry:      s.features,
		Parser:               s.parser,
		GroupLoader:          groupLoader{options: &s.o, parser: s.parser},
	})
	if err := s.assembleScrape(); err != nil {
		return err
	}
	s.api = s.newAPI()
	return nil
}

func (s *Server) assembleScrape() error {
	sdMetrics, err := discovery.CreateAndRegisterSDMetrics(s.registry)
	if err != nil {
		return err
	}
	var ctx context.Context
	ctx, s.stopDiscovery = context.WithCancel(context.Background())
	s.discovery = discovery.NewManager(ctx, s.log.With("component", "discovery"), s.registry, sdMetrics,
		discovery.Name("scrape"), discovery.FeatureRegistry(s.features))
	if s.discovery == nil { // the reason was logged
		return errors.New("service discovery could not be set up")
	}
	s.scrape, err = scrape.NewManager(&scrape.Options{
		DiscoveryReloadOnStartup: true,
		DiscoveryReloadInterval:  model.Duration(time.Second),
		HTTPClientOptions:        []commonconfig.HTTPClientOption{commonconfig.WithDialContextFunc(s.self.dial)},
		FeatureRegistry:          s.features,
	}, s.log.With("component", "scrape"), logging.NewJSONFileLogger, nil, s.store, s.registry)
	return err
}

// SelfListener is where the caller serves the handler of the self targets; no
// network is involved. The scrapes that Run makes are its only clients, but a
// target that the user configures can redirect them anywhere, so that nothing
// but metrics should be served there. Until it is served nothing is scraped.
func (s *Server) SelfListener() net.Listener { return s.self }

// Handler is Prometheus' HTTP API, for paths below /api/v1/. It can read
// everything and change nothing.
func (s *Server) Handler() http.Handler { return s.api }

// Gatherer gathers the metrics that Prometheus has about itself: prometheus_*.
func (s *Server) Gatherer() prometheus.Gatherer { return s.registry }

// Run scrapes and evaluates rules until ctx ends, then stops both, ends queries
// and closes the TSDB. It can be called once. Its error is that of starting with
// the configuration or of closing the TSDB; an end of ctx is none.
func (s *Server) Run(ctx context.Context) error {
	err := s.run(ctx)
	return errors.Join(err, s.Close())
}

func (s *Server) run(ctx context.Context) error {
	if len(s.o.Self) > 0 {
		select {
		case <-s.self.serving:
		case <-ctx.Done():
			return nil
		}
	}
	var parts sync.WaitGroup
	parts.Go(func() { s.discovery.Run() })
	// The scrape manager must know the jobs before their targets are sent to it.
	if err := s.start(); err != nil {
		s.stopDiscovery()
		parts.Wait()
		return err
	}
	parts.Go(func() { s.scrape.Run(s.discovery.SyncCh()) })
	parts.Go(s.rules.Run)

	<-ctx.Done()

	// Rules before scraping, so that none fires because series are gone.
	s.mu.Lock()
	s.running = false
	s.mu.Unlock()
	s.rules.Stop()
	s.scrape.Stop()
	s.stopDiscovery()
	parts.Wait()
	return nil
}

// start applies the configuration, and from then on every change of it.
func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = true
	return s.apply(s.current)
}

// Close lets go of the data of a Server that is not run. After Run it does
// nothing but return the same error again.
func (s *Server) Close() error {
	s.closing.Do(func() {
		if s.stopDiscovery != nil {
			s.stopDiscovery()
		}
		s.queries.close()
		if err := s.store.Close(); err != nil {
			s.closed = fmt.Errorf("close the TSDB in %s: %w", s.o.DataDir, err)
		}
	})
	return s.closed
}

// Reload reads the scrape configuration and the rule files again. On an error,
// which names the file, all stays as it was.
func (s *Server) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.readConfig()
	s.loaded = err == nil
	return err
}

// readConfig reads the user's files and changes to them.
func (s *Server) readConfig() error {
	user, err := readUserConfig(&s.o, s.parser)
	if err != nil {
		return err
	}
	if len(user.ignored) > 0 {
		s.log.Warn("Sections of the scrape configuration are not used", "file", s.o.ScrapeConfigFile, "sections", user.ignored)
	}
	if err := s.change(user); err != nil {
		return err
	}
	s.loaded, s.loadedAt = true, time.Now().UTC()
	return nil
}

// change makes user the configuration in force or, if it cannot be applied,
// goes back to the one before.
func (s *Server) change(user userConfig) error {
	next, err := combine(&s.o, user)
	if err != nil {
		return err
	}
	if s.running {
		if err := s.apply(next); err != nil {
			return errors.Join(err, s.apply(s.current))
		}
	}
	s.user, s.current = user, next
	return nil
}

// apply tells the running parts of a configuration. Prometheus logs the details
// of an error.
func (s *Server) apply(c *config.Config) error {
	if err := s.scrape.ApplyConfig(c); err != nil {
		return fmt.Errorf("apply the scrape configuration: %w", err)
	}
	sources := make(map[string]discovery.Configs)
	for _, j := range c.ScrapeConfigs {
		sources[j.JobName] = j.ServiceDiscoveryConfigs
	}
	if err := s.discovery.ApplyConfig(sources); err != nil {
		return fmt.Errorf("apply the service discovery: %w", err)
	}
	interval := time.Duration(c.GlobalConfig.EvaluationInterval)
	if err := s.rules.Update(interval, c.RuleFiles, labels.EmptyLabels(), s.o.ExternalURL.String(), nil); err != nil {
		return fmt.Errorf("apply the rules: %w", err)
	}
	return nil
}
