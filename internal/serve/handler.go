package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
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

	compressors sync.Pool // of *gzip.Writer, which is larger than most answers
}

// compression is gzip's level: where labels repeat as ours do, it sends much less
// than the fastest, and the next one hardly less than it (family.BenchmarkEncode).
const compression = 5

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
	query := r.URL.Query()
	result, err := h.gatherer.Gather(ctx, Selection{Only: query["collect[]"], Except: query["exclude[]"]})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	contentType, format := negotiate(r.Header)
	w.Header().Set("Content-Type", string(contentType))
	if err := h.send(w, r, func(out io.Writer) error {
		h.encodeProcess(out, contentType)
		err := result.Encode(out, format)
		if err == nil && format == family.OpenMetrics {
			_, err = io.WriteString(out, "# EOF\n")
		}
		return err
	}); err != nil {
		h.logger.Debug("client went away during a scrape", "err", err)
	}
}

// encodeProcess adds client_golang's own view of the process. What it cannot read
// (another /proc) is left out.
func (h *Handler) encodeProcess(w io.Writer, f expfmt.Format) {
	families, err := h.process.Gather()
	if err != nil {
		h.logger.Debug("process metrics are not complete", "err", err)
	}
	enc := expfmt.NewEncoder(w, f)
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

// send sends what encode writes, compressed if the client takes that.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, encode func(io.Writer) error) error {
	w.Header().Add("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header) {
		return encode(w)
	}
	w.Header().Set("Content-Encoding", "gzip")
	z, ok := h.compressors.Get().(*gzip.Writer)
	if !ok {
		var err error
		if z, err = gzip.NewWriterLevel(nil, compression); err != nil {
			return err
		}
	}
	defer h.compressors.Put(z)
	z.Reset(w)
	if err := encode(z); err != nil {
		return err
	}
	return z.Close()
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
