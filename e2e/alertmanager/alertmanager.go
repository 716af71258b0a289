package alertmanager

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/ledger"
)

// limit bounds the start and the end of an Alertmanager.
const limit = time.Minute

// Server is a running Alertmanager.
type Server struct {
	// Address is where it listens, with a slash at its end.
	Address string

	t testing.TB
}

// Start starts an Alertmanager on loopback, and waits until it is ready. The test's
// cleanup ends it.
func Start(t testing.TB, rendered Rendered) *Server {
	t.Helper()
	dir := ledger.Open(t).Dir()
	address := fmt.Sprint("127.0.0.1:", daemon.FreePorts(t, "127.0.0.1", 1)[0])
	d, err := daemon.Start(daemon.Config{
		Program: server().Path(t),
		Args: []string{
			"--config.file=" + rendered.Write(t, filepath.Join(dir, "config")), "--storage.path=" + filepath.Join(dir, "data"),
			"--web.listen-address=" + address, "--cluster.listen-address=",
		},
		Log: filepath.Join(t.ArtifactDir(), "alertmanager.log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(limit); err != nil {
			t.Error(err)
		}
	})
	s := &Server{Address: "http://" + address + "/", t: t}
	if err := d.Ready(limit, daemon.Answers(s.Address+"-/ready")); err != nil {
		t.Fatal(err)
	}
	return s
}

// Labels are an alert's.
type Labels map[string]string

// Alert is one as Prometheus sends it. Without an end it fires.
type Alert struct {
	Labels       Labels            `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt,omitzero"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// Send sends alerts, all at once.
func (s *Server) Send(alerts ...Alert) {
	s.t.Helper()
	body, err := json.Marshal(alerts)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.Post(s.Address+"api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		s.t.Fatalf("sending alerts: %s", response.Status)
	}
}

// Held is an alert that Alertmanager holds.
type Held struct {
	Labels Labels
	Status struct {
		State       string
		InhibitedBy []string
	}
}

// Alerts are those that fire.
func (s *Server) Alerts() ([]Held, error) {
	response, err := http.Get(s.Address + "api/v2/alerts")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var held []Held
	if err := json.NewDecoder(response.Body).Decode(&held); err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return held, nil
}
