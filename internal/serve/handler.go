package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/loadline-exporters/loadline/internal/family"
)

// defaultScrapeTimeout holds for a request that names none, such as curl's.
const defaultScrapeTimeout = 10 * time.Second

// Handler serves an exporter: metrics, health, readiness, sources, a landing
// page. Its paths are relative, so it can be mounted anywhere.
type Handler struct {
	gatherer *Gatherer
	process  *prometheus.Registry
	logger   *slog.Logger
	mux      *http.ServeMux
}

// NewHandler returns the handler of g's exporter. While draining says true,
// it is not ready.
func NewHandler(g *Gatherer, draining func() bool, logger *slog.Logger) *Handler {
	h := &Handler{gatherer: g, process: newProcessRegistry(), logger: logger, mux: http.NewServeMux()}
	h.mux.HandleFunc("GET /metrics", h.metrics)
	AddHealth(h.mux, func() bool { return !draining() && g.exporter.Ready() })
	h.mux.HandleFunc("GET /loadline/v1/sources", h.sources)
	h.mux.HandleFunc("GET /{$}", h.landing)
	return h
}

func newProcessRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// processFamilies are the names of client_golang's families of this process.
func processFamilies() []string {
	families, _ := newProcessRegistry().Gather() // what cannot be read is not served either
	names := make([]string, 0, len(families))
	for _, f := range families {
		names = append(names, f.GetName())
	}
	return names
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

func (h *Handler) metrics(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTimeout(r.Header))
	defer cancel()
	result, err := h.gatherer.Gather(ctx)
	if err != nil {
		http.Error(w, "collecting took longer than the scrape's timeout", http.StatusServiceUnavailable)
		return
	}
	contentType, format := negotiate(r.Header)
	var b bytes.Buffer
	h.encodeProcess(&b, contentType)
	result.Encode(&b, format)
	if format == family.OpenMetrics {
		b.WriteString("# EOF\n")
	}
	w.Header().Set("Content-Type", string(contentType))
	h.write(w, r, b.Bytes())
}

// encodeProcess adds client_golang's own view of the process. What it cannot read
// (another /proc) is left out.
func (h *Handler) encodeProcess(b *bytes.Buffer, f expfmt.Format) {
	families, err := h.process.Gather()
	if err != nil {
		h.logger.Debug("process metrics are not complete", "err", err)
	}
	enc := expfmt.NewEncoder(b, f)
	for _, mf := range families {
		if err := enc.Encode(mf); err != nil {
			h.logger.Warn("a process metric cannot be encoded", "family", mf.GetName(), "err", err)
		}
	}
}

// negotiate chooses between the two text formats by what the client prefers.
// Protobuf is not offered: nothing that exporters emit needs it.
func negotiate(header http.Header) (expfmt.Format, family.Format) {
	f := expfmt.NegotiateAccept(header,
		expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1,
		expfmt.NewFormat(expfmt.TypeTextPlain))
	if f.FormatType() == expfmt.TypeOpenMetrics {
		return f, family.OpenMetrics
	}
	return f, family.Text
}

// scrapeTimeout is how long Prometheus says it will wait.
func scrapeTimeout(header http.Header) time.Duration {
	s, err := strconv.ParseFloat(header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err != nil || math.IsNaN(s) || s <= 0 || s > 600 {
		return defaultScrapeTimeout
	}
	return time.Duration(s * float64(time.Second))
}

func (h *Handler) write(w http.ResponseWriter, r *http.Request, body []byte) {
	var out io.Writer = w
	w.Header().Add("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header) {
		w.Header().Set("Content-Encoding", "gzip")
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err == nil {
			defer func() {
				if err := z.Close(); err != nil {
					h.logger.Debug("client went away during a scrape", "err", err)
				}
			}()
			out = z
		}
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	if _, err := out.Write(body); err != nil {
		h.logger.Debug("client went away during a scrape", "err", err)
	}
}

func acceptsGzip(header http.Header) bool {
	for _, part := range strings.Split(header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.ReplaceAll(params, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// AddHealth adds /-/healthy, which says that the process answers, and /-/ready,
// which says what ready does.
func AddHealth(mux *http.ServeMux, ready func() bool) {
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Healthy.") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "Not ready: shutting down, or not every source has been asked yet.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "Ready.")
	})
}

func (h *Handler) sources(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(h.gatherer.exporter.Statuses()); err != nil {
		h.logger.Debug("client went away", "err", err)
	}
}
