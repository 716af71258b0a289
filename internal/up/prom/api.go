package prom

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/grafana/regexp"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/util/notifications"
	v1 "github.com/prometheus/prometheus/web/api/v1"
)

// newAPI wires Prometheus' HTTP API to the server's parts: reading only, no
// administration and no way in for samples.
func (s *Server) newAPI() http.Handler {
	build := buildInfo()
	api := v1.NewAPI(
		s.engine,
		s.store,
		nil, // appendable: nothing is written through the API
		s.store,
		func(context.Context) v1.ScrapePoolsRetriever { return s.scrape },
		func(context.Context) v1.TargetRetriever { return s.scrape },
		func(context.Context) v1.AlertmanagerRetriever { return noAlertmanagers{} },
		s.config,
		map[string]string{
			"storage.tsdb.path":           s.o.DataDir,
			"storage.tsdb.retention.time": duration(s.o.Retention),
		},
		v1.GlobalURLOptions{
			ListenAddress: listenAddress(s.o.ExternalURL),
			Host:          s.o.ExternalURL.Host,
			Scheme:        s.o.ExternalURL.Scheme,
		},
		s.queries.guard,
		s.store,
		s.o.DataDir,
		false,    // administration
		false, 0, // search
		s.log.With("component", "api"),
		func(context.Context) v1.RulesRetriever { return s.rules },
		maxQuerySamples,
		maxRemoteReads,
		maxRemoteReadFrame,
		false, // agent
		// No other origin: a page somewhere must not read what a browser reaches
		// on this host. The expression matches nothing.
		regexp.MustCompile(`^\b$`),
		s.runtimeInfo,
		build,
		func() []notifications.Notification { return []notifications.Notification{} },
		func() (<-chan notifications.Notification, func(), bool) { return nil, nil, false },
		s.registry,
		s.registry,
		nil,        // statistics: the default rendering
		false, nil, // remote write
		false, false, false, // OTLP
		lookback,
		false, // type and unit labels
		false, // metadata records
		nil,   // error codes: the defaults
		s.features,
		v1.OpenAPIOptions{ExternalURL: s.o.ExternalURL.String(), Version: build.Version},
		s.parser,
		false, // query cost
		maxQueryTime,
	)
	r := route.New()
	api.Register(r.WithPrefix("/api/v1"))
	return r
}

// config is the configuration in force, as the API shows it.
func (s *Server) config() config.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.current
}

// listenAddress is host and port of a URL, with the scheme's port where it has
// none; the API splits it to tell its own port from those of targets.
func listenAddress(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return u.Hostname() + ":443"
	}
	return u.Hostname() + ":80"
}

// noAlertmanagers is the list of a server that notifies nobody.
type noAlertmanagers struct{}

// Alertmanagers returns none.
func (noAlertmanagers) Alertmanagers() []*url.URL { return nil }

// DroppedAlertmanagers returns none.
func (noAlertmanagers) DroppedAlertmanagers() []*url.URL { return nil }

// buildInfo tells the version of Prometheus, by which Grafana chooses what it
// asks for. Release 3.x.y is version 0.3xx.y of the module.
func buildInfo() *v1.PrometheusVersion {
	v := &v1.PrometheusVersion{Version: "3.0.0", GoVersion: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, d := range info.Deps {
		var minor, patch int
		if d.Path != "github.com/prometheus/prometheus" {
			continue
		}
		if _, err := fmt.Sscanf(d.Version, "v0.3%d.%d", &minor, &patch); err == nil {
			v.Version = fmt.Sprintf("3.%d.%d", minor, patch)
		}
	}
	return v
}

// runtimeInfo answers /api/v1/status/runtimeinfo.
func (s *Server) runtimeInfo() (v1.RuntimeInfo, error) {
	info := v1.RuntimeInfo{
		StartTime:        s.born,
		ServerTime:       time.Now().UTC(),
		GoroutineCount:   runtime.NumGoroutine(),
		GOMAXPROCS:       runtime.GOMAXPROCS(0),
		GOMEMLIMIT:       debug.SetMemoryLimit(-1),
		GOGC:             os.Getenv("GOGC"),
		GODEBUG:          os.Getenv("GODEBUG"),
		StorageRetention: duration(s.o.Retention),
	}
	var err error
	if info.CWD, err = os.Getwd(); err != nil {
		return info, err
	}
	if info.Hostname, err = os.Hostname(); err != nil {
		return info, err
	}
	s.mu.Lock()
	info.ReloadConfigSuccess, info.LastConfigTime = s.loaded, s.loadedAt
	s.mu.Unlock()
	families, err := s.registry.Gather()
	for _, f := range families {
		if strings.HasSuffix(f.GetName(), "tsdb_wal_corruptions_total") {
			info.CorruptionCount = int64(f.GetMetric()[0].GetCounter().GetValue())
		}
	}
	return info, err
}
