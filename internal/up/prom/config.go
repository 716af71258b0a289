package prom

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/file"
	"github.com/prometheus/prometheus/discovery/http"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/util/logging"
	"go.yaml.in/yaml/v3"
)

// userConfig is what was read from files that the user may change.
type userConfig struct {
	jobs      []*config.ScrapeConfig
	ruleFiles []string
	ignored   []string // top-level sections of the scrape configuration file
}

// readUserConfig reads and checks the scrape configuration and the rules.
func readUserConfig(o *Options, p parser.Parser) (userConfig, error) {
	var c userConfig
	if o.ScrapeConfigFile != "" {
		var err error
		if c.jobs, c.ignored, err = readScrapeConfigs(o.ScrapeConfigFile, o.ScrapeInterval); err != nil {
			return c, fmt.Errorf("scrape configuration %s: %w", o.ScrapeConfigFile, err)
		}
		for _, j := range c.jobs {
			if slices.ContainsFunc(o.Self, func(t SelfTarget) bool { return t.Job == j.JobName }) {
				return c, fmt.Errorf("scrape configuration %s: job %q is the name of an exporter in this process; choose another", o.ScrapeConfigFile, j.JobName)
			}
		}
	}
	for _, pattern := range o.RuleFiles {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return c, fmt.Errorf("rule files %q: %w", pattern, err)
		}
		if len(files) == 0 && !strings.ContainsAny(pattern, `*?[\`) {
			return c, fmt.Errorf("rule file %s does not exist", pattern)
		}
		c.ruleFiles = append(c.ruleFiles, files...)
	}
	if err := rules.ParseFiles(c.ruleFiles, model.UTF8Validation, p, promslog.NewNopLogger()); err != nil {
		return c, err
	}
	return c, nil
}

// readScrapeConfigs returns the validated jobs of a Prometheus file and the names
// of the sections that are not used. Where neither the job nor the file's global
// section has an interval, it is interval.
func readScrapeConfigs(name string, interval time.Duration) (jobs []*config.ScrapeConfig, ignored []string, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, errors.Unwrap(err) // the caller names the file
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil, nil
	}
	root := doc.Content[0]
	if ignored, err = checkSections(root); err != nil {
		return nil, nil, err
	}
	// The text as it is, for errors whose line numbers are the file's.
	if _, err := config.Load(string(text), promslog.NewNopLogger()); err != nil {
		return nil, nil, err
	}
	setDefaultInterval(root, interval)
	if text, err = yaml.Marshal(root); err != nil {
		return nil, nil, err
	}
	c, err := config.Load(string(text), promslog.NewNopLogger())
	if err != nil {
		return nil, nil, err
	}
	c.SetDirectory(filepath.Dir(name))
	for _, j := range c.ScrapeConfigs {
		if err := checkJob(j); err != nil {
			return nil, nil, fmt.Errorf("job %q: %w", j.JobName, err)
		}
	}
	return c.ScrapeConfigs, ignored, nil
}

// checkSections returns the top-level sections that are not used. It knows the
// service discoveries that are left out by their names, because Prometheus says
// of one that is not linked only that a generated type has no such field.
func checkSections(root *yaml.Node) (ignored []string, err error) {
	for key, value := range fields(root) {
		switch key.Value {
		case "global":
		case "scrape_configs":
			for _, job := range resolve(value).Content {
				if err := checkDiscoveries(job); err != nil {
					return nil, err
				}
			}
		case "scrape_config_files":
			return nil, fmt.Errorf("line %d: scrape_config_files is not supported; put the jobs under scrape_configs", key.Line)
		default:
			ignored = append(ignored, key.Value)
		}
	}
	return ignored, nil
}

func checkDiscoveries(job *yaml.Node) error {
	var name string
	for key, value := range fields(job) {
		if key.Value == "job_name" {
			name = value.Value
		}
	}
	for key := range fields(job) {
		kind, ok := strings.CutSuffix(key.Value, "_sd_configs")
		if ok && kind != "file" && kind != "http" {
			return fmt.Errorf("line %d: job %q: %s is not supported; use static_configs, file_sd_configs or http_sd_configs", key.Line, name, key.Value)
		}
	}
	return nil
}

// checkJob checks what would fail only when the job is started: that the files
// which it names can be read or, a log, written. It also refuses a service
// discovery that something else in the binary brought along.
func checkJob(j *config.ScrapeConfig) error {
	for _, d := range j.ServiceDiscoveryConfigs {
		switch d.(type) {
		case discovery.StaticConfig, *file.SDConfig, *http.SDConfig:
		default:
			return fmt.Errorf("%s_sd_configs is not supported", d.Name())
		}
	}
	if j.ScrapeFailureLogFile != "" {
		l, err := logging.NewJSONFileLogger(j.ScrapeFailureLogFile)
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	_, err := commonconfig.NewClientFromConfig(j.HTTPClientConfig, j.JobName)
	return err
}

// setDefaultInterval sets global.scrape_interval unless it is there.
func setDefaultInterval(root *yaml.Node, interval time.Duration) {
	var global *yaml.Node
	for key, value := range fields(root) {
		if key.Value == "global" {
			global = resolve(value)
		}
	}
	if global == nil {
		global = &yaml.Node{Kind: yaml.MappingNode}
		root.Content = append(root.Content, scalar("global"), global)
	}
	if global.Kind != yaml.MappingNode { // "global:" with nothing below it
		*global = yaml.Node{Kind: yaml.MappingNode}
	}
	set := map[string]bool{}
	for key := range fields(global) {
		set[key.Value] = true
	}
	if set["scrape_interval"] {
		return
	}
	global.Content = append(global.Content, scalar("scrape_interval"), scalar(duration(interval)))
	if !set["scrape_timeout"] {
		global.Content = append(global.Content, scalar("scrape_timeout"), scalar(duration(min(interval, maxScrapeTimeout))))
	}
}

// combine returns the configuration of Prometheus: the self targets and the
// user's jobs.
func combine(o *Options, user userConfig) (*config.Config, error) {
	own, err := ownRules(o)
	if err != nil {
		return nil, err
	}
	type object = map[string]any
	jobs := []object{}
	for _, t := range o.Self {
		jobs = append(jobs, object{
			"job_name":       t.Job,
			"metrics_path":   t.Path,
			"honor_labels":   true,
			"static_configs": []object{{"targets": []string{selfAddress}, "labels": o.SelfLabels}},
		})
	}
	// Prometheus takes its configuration as YAML only; JSON is YAML.
	text, err := json.Marshal(object{
		"global": object{
			"scrape_interval":     duration(o.ScrapeInterval),
			"scrape_timeout":      duration(min(o.ScrapeInterval, maxScrapeTimeout)),
			"evaluation_interval": duration(o.ScrapeInterval),
		},
		"scrape_configs": jobs,
	})
	if err != nil {
		return nil, err
	}
	c, err := config.Load(string(text), promslog.NewNopLogger())
	if err != nil {
		return nil, fmt.Errorf("self targets: %w", err)
	}
	// The user's jobs are complete: their file's global section is in them.
	c.ScrapeConfigs = append(c.ScrapeConfigs, user.jobs...)
	c.RuleFiles = append(own, user.ruleFiles...)
	return c, nil
}

func duration(d time.Duration) string { return model.Duration(d).String() }

func scalar(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

// resolve follows an alias.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// fields iterates over the keys and values of a mapping; of anything else it
// finds none, and Prometheus' own parser says what is wrong with it.
func fields(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		n := resolve(n)
		if n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}
