package prom

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
)

// ownPrefix begins the names of the rule files that come with the program: no path
// that a user gives is taken for one.
const ownPrefix = "loadline:"

// ownRules names the rule files that come with the program.
func ownRules(o *Options) ([]string, error) {
	if o.Rules == nil {
		return nil, nil
	}
	files, err := fs.ReadDir(o.Rules, ".")
	if err != nil {
		return nil, fmt.Errorf("the program's own rules: %w", err)
	}
	var out []string
	for _, f := range files {
		out = append(out, ownPrefix+f.Name())
	}
	return out, nil
}

// groupLoader reads rules from where they are: the program or the disk.
type groupLoader struct {
	options *Options
	parser  parser.Parser
}

// Load reads a rule file.
func (l groupLoader) Load(name string, ignoreUnknown bool, scheme model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	own, ok := strings.CutPrefix(name, ownPrefix)
	if !ok {
		return rulefmt.ParseFile(name, ignoreUnknown, scheme, l.parser, promslog.NewNopLogger())
	}
	text, err := fs.ReadFile(l.options.Rules, own)
	if err != nil {
		return nil, []error{err}
	}
	groups, errs := rulefmt.Parse(text, ignoreUnknown, scheme, l.parser, promslog.NewNopLogger())
	if len(errs) > 0 {
		return nil, errs
	}
	if l.options.Runbooks != "" {
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				if at := r.Annotations[runbookURL]; at != "" {
					r.Annotations[runbookURL] = l.options.Runbooks + strings.TrimSuffix(path.Base(at), ".md")
				}
			}
		}
	}
	return groups, nil
}

// Parse parses an expression.
func (l groupLoader) Parse(query string) (parser.Expr, error) { return l.parser.ParseExpr(query) }

// runbookURL is the annotation that everybody has agreed on.
const runbookURL = "runbook_url"

// Alert is an alert that fires.
type Alert struct {
	Labels, Annotations labels.Labels
	Since               time.Time
}

// Alerts returns the alerts that fire, in no order.
func (s *Server) Alerts() []Alert {
	var out []Alert
	for _, r := range s.rules.AlertingRules() {
		for _, a := range r.ActiveAlerts() {
			if a.State == rules.StateFiring {
				out = append(out, Alert{Labels: a.Labels, Annotations: a.Annotations, Since: a.ActiveAt})
			}
		}
	}
	return out
}
