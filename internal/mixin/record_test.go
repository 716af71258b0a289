package mixin

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
)

// scrapeInterval is that of the made-up series, and interval that of rules.
const scrapeInterval = 30 * time.Second

// lab is a TSDB with made-up series, and the suite's rules.
type lab struct {
	tb     testing.TB
	store  *teststorage.TestStorage
	engine *promql.Engine
	groups map[string]*rules.Group
}

func newLab(tb testing.TB) *lab {
	tb.Helper()
	return newLabOf(tb, func(l *lab) rules.QueryFunc { return rules.EngineQueryFunc(l.engine, l.store) })
}

// newLabOf makes one whose rules query as they are told.
func newLabOf(tb testing.TB, queryFunc func(*lab) rules.QueryFunc) *lab {
	tb.Helper()
	l := &lab{tb: tb, store: teststorage.New(tb), engine: promqltest.NewTestEngine(tb, true, 5*time.Minute, 50e6)}
	files, err := filepath.Glob(filepath.Join(root, "rules/loadline-*.yaml"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no rules: %v", err)
	}
	manager := rules.NewManager(&rules.ManagerOptions{
		NameValidationScheme: model.UTF8Validation,
		AppendableV2:         l.store, Queryable: l.store,
		QueryFunc:   queryFunc(l),
		NotifyFunc:  func(context.Context, string, ...*rules.Alert) {},
		Context:     tb.Context(),
		ExternalURL: &url.URL{}, Logger: promslog.NewNopLogger(),
		Parser: parser.NewParser(parser.Options{}),
	})
	groups, errs := manager.LoadGroups(scrapeInterval, labels.EmptyLabels(), "", nil, false, files...)
	if len(errs) > 0 {
		tb.Fatal(errs)
	}
	l.groups = groups
	for _, g := range groups {
		for _, r := range g.AlertingRules() {
			r.SetRestored(true) // else ALERTS are not written
		}
	}
	return l
}

// scrape appends what the series have at each scrape of a time, and evaluates nothing.
func (l *lab) scrape(all []series, from, to time.Time) {
	l.tb.Helper()
	sets := make([]labels.Labels, len(all))
	for i, s := range all {
		sets[i] = labels.FromMap(s.labels.with(labelSet{model.MetricNameLabel: s.family}))
	}
	refs := make([]storage.SeriesRef, len(all))
	for at := from; !at.After(to); at = at.Add(scrapeInterval) {
		appender := l.store.AppenderV2(l.tb.Context())
		for i, s := range all {
			value := s.value
			if s.counter {
				value = 1e6 + s.value*float64(at.Unix())
			}
			var err error
			if refs[i], err = appender.Append(refs[i], sets[i], 0, at.UnixMilli(), value, nil, nil, storage.AOptions{}); err != nil {
				l.tb.Fatal(err)
			}
		}
		if err := appender.Commit(); err != nil {
			l.tb.Fatal(err)
		}
	}
}

// evaluate evaluates every group.
func (l *lab) evaluate(at time.Time) {
	l.tb.Helper()
	for _, g := range l.groups {
		g.Eval(l.tb.Context(), at)
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				l.tb.Errorf("%s: %v", r.Name(), err)
			}
		}
	}
}

// query answers an expression.
func (l *lab) query(expr string, at time.Time) promql.Vector {
	l.tb.Helper()
	q, err := l.engine.NewInstantQuery(l.tb.Context(), l.store, nil, expr, at)
	if err != nil {
		l.tb.Fatal(err)
	}
	defer q.Close()
	result := q.Exec(l.tb.Context())
	vector, err := result.Vector()
	if err != nil {
		l.tb.Fatalf("%s: %v", expr, err)
	}
	return append(promql.Vector(nil), vector...)
}
