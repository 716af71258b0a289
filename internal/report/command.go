// Package report is `loadline report`: what a Prometheus' ALERTS say of a period, and
// what counters say happened meanwhile, beside the period before; as a page or as JSON.
//
// A client asks in pieces that no server's limit is hit by. What comes back is reduced
// at once to intervals by label set (alert) and to sums by workload (counterReader).
// Statistics of those make a Report, which is written as it is, or shown by the page's
// template.
package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // an image made of nothing has no time zones

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/loadline-exporters/loadline/internal/serve"
)

// Command is `loadline report`.
type Command struct {
	// Now is the time; nil is that of the clock. Tests set it.
	Now func() time.Time

	app        string
	prometheus string
	configFile string
	since      string
	until      string
	step       string
	gap        string
	short      string
	timeout    time.Duration
	selector   string
	format     string
	output     string
	zone       string
	hours      string
	replicas   string
	pages      string
	tickets    string
	heartbeats string
	owner      string
	top        int
}

// Name is the command's.
func (*Command) Name() string { return "report" }

// AddTo adds the command and its flags to a command line.
func (c *Command) AddTo(app *kingpin.Application) {
	c.app = app.Name
	cmd := app.Command(c.Name(), "Write what fired in a period, what is noisy and what was worst, beside the period before, from any Prometheus.")
	flag := func(name, help, value string, into *string) { cmd.Flag(name, help).Default(value).StringVar(into) }
	cmd.Flag("prometheus", "Address of the Prometheus, or of what has its HTTP API (Thanos, Mimir).").Required().StringVar(&c.prometheus)
	flag("prometheus.config-file", "File with an HTTP client configuration of Prometheus (basic_auth, authorization, tls_config, http_headers …).", "", &c.configFile)
	flag("since", "Length of the period. The period before, of the same length, is what it is compared with.", "7d", &c.since)
	flag("until", "End of the period: a time as 2006-01-02T15:04:05Z or 2006-01-02, or how long ago; by default now.", "", &c.until)
	flag("selector", `Further matchers of alerts, such as cluster="prod",namespace!="test".`, "", &c.selector)
	flag("format", "html or json; by default what the ending of --output says, else html.", "", &c.format)
	flag("output", "File to write; by default standard output.", "", &c.output)
	flag("step", "Resolution: times are exact to this. At least the interval at which rules are evaluated.", "1m", &c.step)
	flag("gap", "What stops firing for no longer is one episode.", "5m", &c.gap)
	flag("short", "What is over so soon is said to have healed itself.", "10m", &c.short)
	flag("timezone", "Time zone of the report and of working hours, such as Europe/Berlin.", "Local", &c.zone)
	flag("working-hours", "Days and hours at which people work.", "Mon-Fri 09:00-18:00", &c.hours)
	flag("page-severities", "Values of the label severity that call somebody, comma-separated.", "page,critical", &c.pages)
	flag("ticket-severities", "Values of the label severity that are for the next working day, comma-separated.", "ticket,warning", &c.tickets)
	flag("owner-label", "Label that says whose an alert is.", "owner", &c.owner)
	flag("heartbeats", "Alerts that are meant to fire always, comma-separated.", "Watchdog,DeadMansSwitch,InfoInhibitor", &c.heartbeats)
	flag("replica-labels", "Labels that tell copies of a Prometheus or exporter apart, comma-separated.", "prometheus_replica,replica,rule_replica,receive_replica,__replica__", &c.replicas)
	cmd.Flag("top", "Rows of a table; the rest is added up.").Default("20").IntVar(&c.top)
	cmd.Flag("timeout", "Time that a query may take.").Default("2m").DurationVar(&c.timeout)
}

// Run is the life of the command. Its return value is the exit code.
func (c *Command) Run(ctx context.Context, _ *promslog.Config, stdout, stderr io.Writer) int {
	if err := c.run(ctx, stdout); err != nil {
		return serve.Fail(stderr, c.app, err)
	}
	return serve.ExitOK
}

func (c *Command) run(ctx context.Context, stdout io.Writer) error {
	render, err := c.renderer()
	if err != nil {
		return err
	}
	r, err := c.request()
	if err != nil {
		return err
	}
	from, err := c.client()
	if err != nil {
		return err
	}
	made, err := r.make(ctx, from)
	if err != nil {
		return err
	}
	var text bytes.Buffer // a report in part is none
	if err := render(&text, made); err != nil {
		return err
	}
	if c.output == "" {
		_, err = stdout.Write(text.Bytes())
		return err
	}
	return os.WriteFile(c.output, text.Bytes(), 0o644)
}

// renderer is how the report is written.
func (c *Command) renderer() (func(io.Writer, *Report) error, error) {
	format := c.format
	if format == "" {
		format = strings.TrimPrefix(filepath.Ext(c.output), ".")
	}
	switch strings.ToLower(format) {
	case "", "html", "htm":
		return WriteHTML, nil
	case "json":
		return WriteJSON, nil
	}
	if c.format == "" {
		return nil, fmt.Errorf("--output %s ends neither with .html nor with .json: give --format", c.output)
	}
	return nil, fmt.Errorf("--format %q is neither html nor json", c.format)
}

// WriteJSON writes a report as JSON.
func WriteJSON(w io.Writer, r *Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (c *Command) client() (*client, error) {
	http := config.DefaultHTTPClientConfig
	if c.configFile != "" {
		read, _, err := config.LoadHTTPConfigFile(c.configFile)
		if err != nil {
			return nil, fmt.Errorf("--prometheus.config-file %s: %w", c.configFile, err)
		}
		http = *read
	}
	return newClient(c.prometheus, http, c.timeout)
}

// request is what the flags ask for.
func (c *Command) request() (request, error) {
	var r request
	if c.top < 1 || c.timeout <= 0 {
		return r, fmt.Errorf("--top and --timeout must be more than nothing")
	}
	zone, err := time.LoadLocation(c.zone)
	if err != nil {
		return r, fmt.Errorf("--timezone: %w", err)
	}
	if r.hours, err = parseHours(c.hours, zone); err != nil {
		return r, err
	}
	r.settings = Settings{
		Timezone: c.zone, WorkingHours: c.hours, ReplicaLabels: list(c.replicas), OwnerLabel: c.owner, Heartbeats: list(c.heartbeats), Top: c.top,
		PageSeverities: list(c.pages), TicketSeverities: list(c.tickets),
	}
	for _, d := range []struct {
		flag, text string
		into       *int
		least      int
	}{{"step", c.step, &r.settings.StepSeconds, 1}, {"gap", c.gap, &r.settings.GapSeconds, 0}, {"short", c.short, &r.settings.ShortSeconds, 0}} {
		if *d.into, err = seconds(d.flag, d.text, d.least); err != nil {
			return r, err
		}
	}
	if err := c.times(&r, zone); err != nil {
		return r, err
	}
	return r, c.choose(&r)
}

// times sets the period.
func (c *Command) times(r *request, zone *time.Location) error {
	r.now = time.Now()
	if c.Now != nil {
		r.now = c.Now()
	}
	step := r.settings.StepSeconds
	since, err := seconds("since", c.since, step)
	if err != nil {
		return err
	}
	if since%step != 0 {
		return fmt.Errorf("--since=%s is not a multiple of --step=%s", c.since, c.step)
	}
	end := r.now
	if c.until != "" {
		if end, err = moment(c.until, r.now, zone); err != nil {
			return err
		}
	}
	r.end = end.Unix() / int64(step) * int64(step)
	if r.start = r.end - int64(since); r.before().start <= 0 {
		return fmt.Errorf("--since=%s is too long", c.since)
	}
	return nil
}

// moment reads a time, or how long ago it was.
func moment(text string, now time.Time, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	ago, err := model.ParseDuration(text)
	if err != nil {
		return now, fmt.Errorf("--until %q is neither a time such as 2006-01-02T15:04:05Z nor how long ago, such as 1d", text)
	}
	return now.Add(-time.Duration(ago)), nil
}

// choose takes the selector apart: counters have no severity, say.
func (c *Command) choose(r *request) error {
	text := strings.TrimSpace(c.selector)
	text = strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")
	if text == "" {
		return nil
	}
	matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(`ALERTS{` + text + `}`)
	if err != nil {
		return fmt.Errorf("--selector %q: %w", c.selector, err)
	}
	ofAlerts := []string{"alertname", "severity", "level", "service", "pod", r.settings.OwnerLabel}
	var all, counted []string
	for _, m := range matchers {
		switch {
		case m.Name == model.MetricNameLabel && m.Value == "ALERTS":
			continue
		case m.Name == "alertstate" || m.Name == model.MetricNameLabel:
			return fmt.Errorf("--selector %q: %s is the report's to set", c.selector, m.Name)
		case slices.Contains(ofAlerts, m.Name):
			r.leftOut = append(r.leftOut, m.String())
		default:
			counted = append(counted, m.String())
		}
		all = append(all, m.String())
	}
	r.selector, r.counterSelector = strings.Join(all, ","), strings.Join(counted, ",")
	return nil
}

// seconds reads a duration of whole seconds in Prometheus' form.
func seconds(flag, text string, least int) (int, error) {
	d, err := model.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("--%s: %w", flag, err)
	}
	n := int(time.Duration(d) / time.Second)
	if time.Duration(n)*time.Second != time.Duration(d) || n < least {
		return 0, fmt.Errorf("--%s=%s: whole seconds are needed, at least %d", flag, text, least)
	}
	return n, nil
}

func list(text string) []string {
	out := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
