// Package resource proves the resource exporter on real containers: of Docker,
// Compose and Swarm, of containerd and under the labels of Kubernetes' CRI.
//
// What the exporter serves is compared with the kernel's own files, which the
// tests read by code of their own.
package resource

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/output"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/resource"
	"github.com/loadline-exporters/loadline/internal/serve"
)

const (
	mebibyte = 1 << 20
	// limit bounds what is waited for; nothing here takes that long on an idle
	// machine.
	limit = 30 * time.Second
	// soon is "within a few seconds": far below the exporter's periodic rescan
	// and its periodic polls.
	soon = 8 * time.Second
)

// exporter is a resource exporter that runs in this process.
type exporter struct {
	t    testing.TB
	url  string
	logs *output.Buffer
}

// startExporter starts the exporter on containerd's and Docker's sockets, with more
// arguments, and waits
// until it has asked every source. The test fails unless it ends well.
func startExporter(t testing.TB, containerd, docker string, more ...string) *exporter {
	t.Helper()
	need.Root(t)
	e := &exporter{t: t, logs: &output.Buffer{}}
	listening := make(chan []string, 1)
	command := resource.Command()
	command.Listening = func(addresses []string) { listening <- addresses }
	args := append([]string{
		"--web.listen-address=127.0.0.1:0", "--log.level=debug",
		"--containerd-address=" + containerd, "--docker-host=" + docker,
		"--kubelet-url=https://" + closedAddress(t),
	}, more...)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- serve.Main(ctx, command, args, io.Discard, e.logs) }()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != serve.ExitOK {
			t.Errorf("the exporter ended with status %d; its log:\n%s", code, e.logs)
		}
	})
	select {
	case addresses := <-listening:
		e.url = "http://" + addresses[0]
	case code := <-ended:
		ended <- code
		t.Fatalf("the exporter did not start: %s", e.logs)
	}
	e.waitReady(t)
	return e
}

// waitReady waits until the exporter has asked every source.
func (e *exporter) waitReady(t testing.TB) {
	t.Helper()
	wait.For(t, limit, "the exporter to be ready", func() error {
		_, err := e.get("/-/ready", "")
		return err
	})
}

// closedAddress is a loopback address that refuses connections: its port is taken,
// and nobody listens.
func closedAddress(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open a socket: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatalf("take a loopback port: %v", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatalf("find the port that was taken: %v", err)
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

// get returns an answer of status 200.
func (e *exporter) get(path, accept string) (answer, error) {
	request, err := http.NewRequest(http.MethodGet, e.url+path, nil)
	if err != nil {
		return answer{}, err
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %.200s", path, response.Status, body)
	}
	return answer{body, response.Header.Get("Content-Type")}, err
}

type answer struct {
	body        []byte
	contentType string
}

// The formats that Prometheus asks for.
const (
	plainText   = "text/plain;version=0.0.4"
	openMetrics = "application/openmetrics-text;version=1.0.0"
)

// scrape scrapes once and parses the answer as Prometheus does.
func (e *exporter) scrape() (exposition, error) {
	a, err := e.get("/metrics", openMetrics)
	if err != nil {
		return nil, err
	}
	return parse(a)
}

// mustScrape fails the test when that fails.
func (e *exporter) mustScrape(t testing.TB) exposition {
	t.Helper()
	x, err := e.scrape()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// shows waits until the exporter serves a container, and returns that scrape.
func (e *exporter) shows(t testing.TB, within time.Duration, cgroupPath string) exposition {
	t.Helper()
	var x exposition
	wait.For(t, within, "the exporter to show "+cgroupPath, func() (err error) {
		if x, err = e.scrape(); err == nil && len(x.of(cgroupPath)) == 0 {
			err = fmt.Errorf("no series among %d", len(x))
		}
		return err
	})
	return x
}

// complaints are the warnings and errors that the exporter has logged.
func (e *exporter) complaints() (lines []string) {
	for line := range strings.Lines(e.logs.String()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines = append(lines, line)
		}
	}
	return lines
}
