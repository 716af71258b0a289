package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

// Bounds of the HTTP server. An exporter's requests are small and few.
const (
	maxRequests    = 40       // in flight
	maxHeaderBytes = 64 << 10 // bytes
	maxBodyBytes   = 1 << 20  // bytes
	drainTimeout   = 10 * time.Second
)

// Server listens, serves one handler within bounds, and drains when it is told to
// stop. TLS and authentication come from exporter-toolkit's configuration file.
type Server struct {
	Handler http.Handler
	Flags   *web.FlagConfig
	Logger  *slog.Logger

	listeners []net.Listener
}

// Listen opens the addresses of the flags, so that a port in use is known before
// anything else starts. A bad configuration file is an error too.
func (s *Server) Listen() error {
	if err := web.Validate(*s.Flags.WebConfigFile); err != nil {
		return fmt.Errorf("web configuration file %s: %w", *s.Flags.WebConfigFile, err)
	}
	if s.toolkitListens() {
		return nil
	}
	for _, address := range *s.Flags.WebListenAddresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			s.Close()
			return fmt.Errorf("cannot listen: %w", err)
		}
		s.listeners = append(s.listeners, l)
	}
	return nil
}

// toolkitListens says whether the addresses are of a kind that exporter-toolkit
// opens itself.
func (s *Server) toolkitListens() bool {
	if s.Flags.WebSystemdSocket != nil && *s.Flags.WebSystemdSocket {
		return true
	}
	for _, a := range *s.Flags.WebListenAddresses {
		if strings.HasPrefix(a, "vsock://") {
			return true
		}
	}
	return false
}

// Addresses are those that Listen opened.
func (s *Server) Addresses() []string {
	var out []string
	for _, l := range s.listeners {
		out = append(out, l.Addr().String())
	}
	return out
}

// Close closes the listeners of a server that does not get to serve.
func (s *Server) Close() {
	for _, l := range s.listeners {
		l.Close()
	}
}

// Serve serves until the context ends, then lets requests in flight finish.
// Further listeners are served without TLS or authentication: they are the
// process's own.
func (s *Server) Serve(ctx context.Context, own ...net.Listener) error {
	server := s.httpServer(bounded(s.Handler, maxRequests))
	ended := make(chan error, 1+len(own))
	go func() {
		if s.toolkitListens() {
			ended <- web.ListenAndServe(server, s.Flags, s.Logger)
			return
		}
		ended <- web.ServeMultiple(s.listeners, server, s.Flags, s.Logger)
	}()
	// Own listeners have a server of their own: the toolkit wraps the handler.
	inside := s.httpServer(s.Handler)
	for _, l := range own {
		go func() { ended <- inside.Serve(l) }()
	}
	select {
	case err := <-ended:
		return errors.Join(err, server.Close(), inside.Close())
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := errors.Join(server.Shutdown(drain), inside.Shutdown(drain)); err != nil {
		return fmt.Errorf("requests were still running %s after the order to stop: %w", drainTimeout, err)
	}
	return nil
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           http.MaxBytesHandler(h, maxBodyBytes),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       5 * time.Minute, // longer than any usual scrape interval
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
	}
}

// bounded answers 503 to requests beyond n in flight.
func bounded(next http.Handler, n int) http.Handler {
	slots := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		default:
			http.Error(w, "too many requests in flight", http.StatusServiceUnavailable)
		}
	})
}
