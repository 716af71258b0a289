package prom

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
)

// What Options fall back to.
const (
	DefaultRetention      = 24 * time.Hour
	DefaultScrapeInterval = 5 * time.Second // somebody is looking

	// MinRetention is the shortest retention that Open accepts: below it, blocks
	// would be compacted every minute for data that the head holds anyway.
	MinRetention = 10 * time.Minute
)

// maxScrapeTimeout is Prometheus' own default timeout of a scrape.
const maxScrapeTimeout = 10 * time.Second

// Options say what a Server stores and scrapes. Only DataDir is required.
type Options struct {
	// DataDir holds the TSDB; it is created when absent. Nothing else should be
	// kept there, and one process at a time may use it.
	DataDir string

	// Retention is how long samples are kept at least; zero means
	// DefaultRetention, less than MinRetention is refused. Samples go a block at
	// a time: of a retention of one hour, a little over one and a half hours
	// can be on disk; see blockDurations.
	Retention time.Duration

	// ScrapeInterval is how often the self targets are scraped, rules are
	// evaluated, and the jobs of ScrapeConfigFile are scraped where the file
	// says nothing. Zero means DefaultScrapeInterval.
	ScrapeInterval time.Duration

	// ScrapeConfigFile names a Prometheus configuration file, or is empty. Its
	// scrape_configs are added, with its global section as their defaults; they
	// may use static_configs, file_sd_configs and http_sd_configs. Relative
	// paths in it start at its own directory. Other sections are not used and
	// a warning says so.
	ScrapeConfigFile string

	// RuleFiles are paths or glob patterns of Prometheus rule files. Alerts are
	// evaluated and shown by the API; nobody is notified.
	RuleFiles []string

	// Rules are rule files that come with the program, evaluated beside
	// RuleFiles: all that are at the root. Nil is none.
	Rules fs.FS

	// Runbooks is where the runbooks of Rules are instead of where the rules
	// say: the annotation runbook_url of their alerts becomes this and the name
	// of the file, without its ending. Empty leaves it.
	Runbooks string

	// Self are the exporters of this process, scraped through
	// Server.SelfListener.
	Self []SelfTarget

	// SelfLabels are target labels of every self target, such as node, cluster
	// and instance. A label that the exporter sets itself wins, even when it is
	// set to nothing. Without an instance the host's name is taken. Empty
	// values are left out.
	SelfLabels map[string]string

	// Logger receives what Prometheus warns of, and all that it says when the
	// logger is enabled for debugging. Nil discards.
	Logger *slog.Logger

	// ExternalURL is where users reach this server, for links in alerts and in
	// the API's target list. Nil means http://localhost:9850/.
	ExternalURL *url.URL
}

// SelfTarget is an exporter in this process.
type SelfTarget struct {
	Job  string // value of the job label
	Path string // absolute path of its metrics on the self listener
}

// complete fills in defaults and refuses what cannot work.
func (o *Options) complete() error {
	if o.DataDir == "" {
		return errors.New("no data directory given")
	}
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.Retention < MinRetention {
		return fmt.Errorf("retention %s is too short: at least %s is needed", o.Retention, MinRetention)
	}
	if o.ScrapeInterval == 0 {
		o.ScrapeInterval = DefaultScrapeInterval
	}
	if o.ScrapeInterval < time.Millisecond {
		return fmt.Errorf("scrape interval %s is too short", o.ScrapeInterval)
	}
	if o.Logger == nil {
		o.Logger = promslog.NewNopLogger()
	}
	if o.ExternalURL == nil {
		o.ExternalURL = &url.URL{Scheme: "http", Host: "localhost:9850", Path: "/"}
	}
	for _, t := range o.Self {
		if t.Job == "" || !strings.HasPrefix(t.Path, "/") {
			return fmt.Errorf("self target %q with path %q: a job name and an absolute path are needed", t.Job, t.Path)
		}
	}
	return o.completeLabels()
}

func (o *Options) completeLabels() error {
	labels := make(map[string]string, len(o.SelfLabels)+1)
	for name, value := range o.SelfLabels {
		if !model.UTF8Validation.IsValidLabelName(name) || strings.HasPrefix(name, model.ReservedLabelPrefix) {
			return fmt.Errorf("self label %q is not a name that a target label can have", name)
		}
		if value != "" {
			labels[name] = value
		}
	}
	if labels[model.InstanceLabel] == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("find the host's name for the instance label: %w", err)
		}
		labels[model.InstanceLabel] = host
	}
	o.SelfLabels = labels
	return nil
}
