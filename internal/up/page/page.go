package page

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/loadline-exporters/loadline/internal/source"
)

//go:embed assets
var assets embed.FS

// Options say what the page shows.
type Options struct {
	Querier  Querier
	Instance string        // the instance label of the process's own targets
	Every    time.Duration // the scrape interval
	// Exporters lists the process's exporters and the state of their sources.
	Exporters func() []Sources
	// Alerts, if set, returns the alerts that fire.
	Alerts func() []Alert
	Logger *slog.Logger
}

// Sources are an exporter's sources.
type Sources struct {
	Exporter string
	Statuses []source.Status
}

// Page serves the start page.
type Page struct {
	o        Options
	template *template.Template
	mux      *http.ServeMux

	mu     sync.Mutex // one view is made at a time, and shared for a moment
	view   View
	sparks sparks
}

// maxAge is how long a view is shared: however many look, Prometheus is asked once
// a second.
const maxAge = time.Second

// viewTimeout bounds the queries of one view.
const viewTimeout = 20 * time.Second

// New returns the page. Its paths start at the root.
func New(o Options) (*Page, error) {
	t, err := template.New("").Funcs(functions).ParseFS(assets, "assets/*.html")
	if err != nil {
		return nil, err
	}
	static, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	p := &Page{o: o, template: t, mux: http.NewServeMux()}
	p.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { p.render(w, r, "page.html") })
	p.mux.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) { p.render(w, r, "live") })
	files := http.StripPrefix("/assets/", http.FileServerFS(static))
	p.mux.Handle("GET /assets/page.css", files)
	p.mux.Handle("GET /assets/page.js", files)
	return p, nil
}

// ServeHTTP answers a request. Names of containers and images are hostile: the
// policy keeps a browser from running or loading anything that is not the page's.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	p.mux.ServeHTTP(w, r)
}

func (p *Page) render(w http.ResponseWriter, r *http.Request, name string) {
	var b bytes.Buffer
	if err := p.template.ExecuteTemplate(&b, name, p.View(r.Context())); err != nil {
		p.o.Logger.Error("the page can't be rendered", "err", err)
		http.Error(w, "the page can't be rendered", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := w.Write(b.Bytes()); err != nil {
		p.o.Logger.Debug("client went away", "err", err)
	}
}

// View returns what there is to show now. It is shared: nobody may change it.
func (p *Page) View(ctx context.Context) View {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.view.At) < maxAge {
		return p.view
	}
	// A browser that goes away must not spoil the view for the next one.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), viewTimeout)
	defer cancel()
	a := newAsker(p.o.Querier, p.o.Instance, p.o.Every, now)
	if p.sparks.at != now.Truncate(sparkStep) {
		p.sparks = a.allSparks(ctx)
	}
	exporters := p.exporters(ctx, a)
	p.view = View{
		At: now, Every: p.o.Every,
		Node: a.node(ctx, p.sparks), Rows: a.rows(ctx, p.sparks), Exporters: exporters,
	}
	if slices.ContainsFunc(exporters, func(e Exporter) bool { return e.Name == "orchestrator" }) {
		p.view.Orchestrated = a.orchestrated(ctx)
	}
	p.view.Alerts, p.view.MoreAlerts = p.alerts()
	if err := a.err(); err != nil {
		p.view.Err = err.Error()
		p.o.Logger.Warn("the page's numbers are not complete", "err", err)
	}
	return p.view
}

func (p *Page) exporters(ctx context.Context, a *asker) []Exporter {
	up, series, took := a.exporters(ctx, queryUp), a.exporters(ctx, querySeries), a.exporters(ctx, queryTook)
	var out []Exporter
	for _, s := range p.o.Exporters() {
		out = append(out, Exporter{
			Name: s.Exporter, Up: up[s.Exporter] == 1, Series: series[s.Exporter],
			Took: time.Duration(took[s.Exporter] * float64(time.Second)), Sources: s.Statuses,
		})
	}
	return out
}
