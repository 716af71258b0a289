// Package dashboards serves what is made for people to read: the dashboards' page, as
// it is built in dashboards/page, the dashboards that it draws, and the runbooks.
//
//	/dashboards/             the list of dashboards
//	/dashboards/NAME         a dashboard
//	/dashboards/alerts       what fires, and the rules
//	/dashboards/data/        what the page reads: list.json, NAME.json
//	/dashboards/assets/      what the page is made of, named by its contents
//	/runbooks/NAME           a runbook
//
// All of it is embedded in the program and is written to clients from where it is.
package dashboards

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Paths that are served.
const (
	Path         = "/dashboards/"
	RunbooksPath = "/runbooks/"
)

// alerts is the screen that is no dashboard.
const alerts = "alerts"

// Options say what is served.
type Options struct {
	Page       fs.FS // of dashboards/page: index.html and assets/
	Dashboards fs.FS // of Perses, NAME.json
	Runbooks   fs.FS // NAME.md
	// Interval is the shortest time between two points of a line.
	Interval time.Duration
	Logger   *slog.Logger
}

// entry is a dashboard in the list.
type entry struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

// Handler serves the dashboards and runbooks.
type Handler struct {
	o     Options
	mux   *http.ServeMux
	index *template.Template
	list  []byte
	names map[string]bool
}

// New returns the handler of all below Path and RunbooksPath. Its errors name the
// embedded file that is not as it should be.
func New(o Options) (*Handler, error) {
	h := &Handler{o: o, mux: http.NewServeMux(), names: map[string]bool{alerts: true}}
	text, err := fs.ReadFile(o.Page, "index.html")
	if err != nil {
		return nil, fmt.Errorf("the dashboards' page: %w", err)
	}
	// It has one word for the server to fill in.
	before, after, ok := strings.Cut(string(text), "{{nonce}}")
	if !ok {
		return nil, errors.New("the dashboards' page has no place for a nonce")
	}
	if h.index, err = template.New("").Parse(before + "{{.}}" + after); err != nil {
		return nil, fmt.Errorf("the dashboards' page: %w", err)
	}
	if err := h.readList(); err != nil {
		return nil, err
	}
	h.mux.HandleFunc("GET "+Path+"{$}", h.serveIndex)
	h.mux.HandleFunc("GET "+Path+"{name}", h.serveIndex)
	h.mux.HandleFunc("GET "+Path+"data/list.json", h.serveList)
	h.mux.HandleFunc("GET "+Path+"data/{file}", h.serveDashboard)
	h.mux.HandleFunc("GET "+Path+"assets/{file}", h.serveAsset)
	if err := h.addRunbooks(); err != nil {
		return nil, err
	}
	return h, nil
}

// readList reads what the list of dashboards says of each.
func (h *Handler) readList() error {
	files, err := fs.ReadDir(h.o.Dashboards, ".")
	if err != nil {
		return fmt.Errorf("the dashboards: %w", err)
	}
	all := []entry{}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".json")
		if !ok {
			continue
		}
		text, err := fs.ReadFile(h.o.Dashboards, f.Name())
		if err != nil {
			return fmt.Errorf("the dashboards: %w", err)
		}
		var d struct {
			Spec struct {
				Display struct{ Name, Description string }
			}
		}
		if err := json.Unmarshal(text, &d); err != nil {
			return fmt.Errorf("dashboard %s: %w", f.Name(), err)
		}
		h.names[name] = true
		all = append(all, entry{name, cmp.Or(d.Spec.Display.Name, name), d.Spec.Display.Description})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(rank(a.Name), rank(b.Name)) })
	h.list, err = json.Marshal(map[string]any{"interval": model.Duration(h.o.Interval).String(), "dashboards": all})
	return err
}

// order is from the whole to its parts, as people look; what is not in it follows.
var order = []string{"overview", "service", "workload", "pod", "node", "capacity"}

func rank(name string) string {
	if i := slices.Index(order, strings.TrimPrefix(name, "loadline-")); i >= 0 {
		return fmt.Sprintf("%02d", i)
	}
	return name
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy("'none'"))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	h.mux.ServeHTTP(w, r)
}

// policy allows what the page is made of, and styles of the source that is given:
// the libraries that draw it write theirs while they run.
func policy(styles string) string {
	return "default-src 'none'; script-src 'self'; style-src-elem 'self' " + styles + "; style-src-attr 'none'; connect-src 'self'; " +
		"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// serveIndex answers every screen with the page, which looks at its own address.
func (h *Handler) serveIndex(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	if name := r.PathValue("name"); name != "" && !h.names[name] {
		status = http.StatusNotFound
	}
	nonce := rand.Text()
	w.Header().Set("Content-Security-Policy", policy("'nonce-"+nonce+"'"))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	h.gone(h.index.Execute(w, nonce))
}

func (h *Handler) serveList(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(h.list)
	h.gone(err)
}

func (h *Handler) serveDashboard(w http.ResponseWriter, r *http.Request) {
	file := r.PathValue("file")
	if !h.names[strings.TrimSuffix(file, ".json")] || path.Ext(file) != ".json" {
		http.NotFound(w, r)
		return
	}
	http.ServeFileFS(w, r, h.o.Dashboards, file)
}

func (h *Handler) gone(err error) {
	if err != nil {
		h.o.Logger.Debug("client went away", "err", err)
	}
}
