package capacity

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/source"
)

func collect(t *testing.T, c *Collector) (lines []string) {
	t.Helper()
	own := metrics.Table().Of("capacity")
	w := family.NewWriter(own, nil)
	if err := c.Collect(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	family.Budget(own, []*family.Writer{w}, 0).Encode(&b, family.Text)
	for line := range strings.Lines(b.String()) {
		if line[0] != '#' {
			lines = append(lines, strings.TrimPrefix(strings.TrimSpace(line), "loadline_node_resource_"))
		}
	}
	return lines
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func pods(list ...container.Pod) func() ([]container.Pod, bool) {
	return func() ([]container.Pod, bool) { return list, list != nil }
}

func node(n Node, ok bool) func() (Node, bool) { return func() (Node, bool) { return n, ok } }

func TestPodsThatHaveNotEndedAreSummed(t *testing.T) {
	some := container.Resources{container.CPU: 0.25, container.Memory: 100}
	c := &Collector{Name: "host", Node: node(Node{}, false), Pods: pods(
		container.Pod{Node: "node-1", Requests: some, Limits: container.Resources{container.Memory: 200}},
		container.Pod{Node: "node-1", Requests: some},
		container.Pod{Node: "node-1", Requests: some, Ended: true},
	)}
	want(t, collect(t, c),
		`requested{resource="cpu",unit="core",node="node-1"} 0.5`, `requested{resource="memory",unit="byte",node="node-1"} 200`,
		`requested{resource="ephemeral_storage",unit="byte",node="node-1"} 0`, `requested{resource="pods",unit="integer",node="node-1"} 2`,
		`limits{resource="cpu",unit="core",node="node-1"} 0`, `limits{resource="memory",unit="byte",node="node-1"} 200`,
		`limits{resource="ephemeral_storage",unit="byte",node="node-1"} 0`)
}

func TestWhatIsNotKnownHasNoSeries(t *testing.T) {
	want(t, collect(t, &Collector{Node: node(Node{}, false), Pods: pods()}))
	c := &Collector{Pods: pods(), Node: node(Node{Name: "n", Capacity: container.Resources{Pods: 110}, Allocatable: container.Resources{container.CPU: 3.92}}, true)}
	want(t, collect(t, c), `allocatable{resource="cpu",unit="core",node="n"} 3.92`, `capacity{resource="pods",unit="integer",node="n"} 110`)
}

const object = `{"kind":"Node","status":{"capacity":{"cpu":"4","memory":"16Gi","pods":"110","ephemeral-storage":"100Gi","nvidia.com/gpu":"1"},` +
	`"allocatable":{"cpu":"3920m","memory":"15Gi","pods":"110"},"images":[{"names":["x"]}]}}`

// apiServer answers for one node, and returns a kubeconfig.
func apiServer(t *testing.T, status int, body string) string {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/nodes/node-1" || r.Header.Get("Authorization") != "Bearer t0ken" {
			status, body = http.StatusNotFound, `{"kind":"Status","apiVersion":"v1","code":404,"reason":"NotFound"}`
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],`+
		`"clusters":[{"name":"c","cluster":{"server":%q,"certificate-authority-data":%q}}],"users":[{"name":"u","user":{"token":"t0ken"}}]}`, s.URL, base64.StdEncoding.EncodeToString(ca))
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func fetch(t *testing.T, kubeconfig, name string) (Node, error) {
	t.Helper()
	s, err := NewSource(kubeconfig, func() string { return name })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	n, _, err := s.Fetch(ctx)
	return n, err
}

func TestTheNodeIsReadFromItsObject(t *testing.T) {
	n, err := fetch(t, apiServer(t, http.StatusOK, object), "node-1")
	if err != nil {
		t.Fatal(err)
	}
	if n.Name != "node-1" || len(n.Capacity) != 4 || n.Capacity[container.Memory] != 16<<30 || n.Allocatable[container.CPU] != 3.92 || n.Allocatable[Pods] != 110 {
		t.Errorf("got %+v", n)
	}
	if _, ok := n.Allocatable[container.EphemeralStorage]; ok {
		t.Error("what the object lacks is there")
	}
}

func TestWhyTheNodeIsNotKnownIsSaid(t *testing.T) {
	refused := `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"no"}`
	for name, test := range map[string]struct {
		status     int
		body, node string
		want       source.Reason
	}{
		"the right is missing":      {http.StatusForbidden, refused, "node-1", source.Forbidden},
		"the token is not accepted": {http.StatusUnauthorized, refused, "node-1", source.Forbidden},
		"the name is another":       {http.StatusOK, object, "node-2", source.Absent},
		"there is no name":          {http.StatusOK, object, "", source.Invalid},
		"it is no node":             {http.StatusOK, `{"kind":"Pod"}`, "node-1", source.Invalid},
		"it is no JSON":             {http.StatusOK, `<html>`, "node-1", source.Invalid},
		"an amount is none":         {http.StatusOK, `{"kind":"Node","status":{"capacity":{"cpu":"1e-999999999"}}}`, "node-1", source.Invalid},
		"it is without end":         {http.StatusOK, `{"kind":"` + strings.Repeat("x", maxNode), "node-1", source.Invalid},
		"the server fails":          {http.StatusInternalServerError, `x`, "node-1", source.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fetch(t, apiServer(t, test.status, test.body), test.node)
			if got := source.ReasonOf(err); got != test.want {
				t.Errorf("got %q, want %q: %v", got, test.want, err)
			}
		})
	}
}

func TestWithoutAnAPIServerTheSourceIsAbsent(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if _, err := fetch(t, "", "node-1"); source.ReasonOf(err) != source.Absent {
		t.Errorf("got %v", err)
	}
	if _, err := NewSource(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("a kubeconfig that is not there is no error")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(object))
	f.Add([]byte(`{"kind":"Node","status":{"capacity":null,"allocatable":{"cpu":3}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := decode(bytes.NewReader(b))
		if err == nil && n.Capacity == nil {
			t.Error("no error and no node")
		}
	})
}
