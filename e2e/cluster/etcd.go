package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// Etcd is a store of one member, on loopback.
type Etcd struct {
	*Part
}

func startEtcd(t testing.TB, dir string) *Etcd {
	t.Helper()
	ports := daemon.FreePorts(t, "127.0.0.1", 2)
	url := fmt.Sprint("http://127.0.0.1:", ports[0])
	peer := fmt.Sprint("http://127.0.0.1:", ports[1])
	return &Etcd{start(t, "etcd", url, daemon.Config{
		Program: etcdProgram().Path(t),
		Args: []string{
			"--data-dir=" + filepath.Join(dir, "etcd"), "--name=etcd",
			"--listen-client-urls=" + url, "--advertise-client-urls=" + url,
			"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=etcd=" + peer,
			"--unsafe-no-fsync", // what it holds goes with the test
		},
	}, func(ctx context.Context) error { return ok(ctx, http.DefaultClient, url+"/readyz") })}
}

// Compact forgets the history: nobody can go on watching from a version that was
// before, once the API server does not remember it either; stop that before and
// start it afterwards.
func (e *Etcd) Compact(ctx context.Context) {
	e.t.Helper()
	// A change that is not Kubernetes' own, so that every version of its objects
	// is older than what stays.
	var changed struct{ Header struct{ Revision string } }
	if err := e.call(ctx, "/v3/kv/put", map[string][]byte{"key": []byte("loadline"), "value": {}}, &changed); err != nil {
		e.t.Fatal(err)
	}
	revision, err := strconv.ParseInt(changed.Header.Revision, 10, 64)
	if err != nil {
		e.t.Fatalf("read etcd's revision: %v", err)
	}
	if err := e.call(ctx, "/v3/kv/compaction", map[string]any{"revision": revision, "physical": true}, &struct{}{}); err != nil {
		e.t.Fatal(err)
	}
}

// call calls etcd's API in its JSON form, which gives 64-bit numbers as text.
func (e *Etcd) call(ctx context.Context, path string, request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, wait.Limit(readyLimit))
	defer cancel()
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(post)
	if err != nil {
		return fmt.Errorf("ask etcd: %w", err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read etcd's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd answers %s to %s: %s", response.Status, path, content)
	}
	return json.Unmarshal(content, answer)
}
