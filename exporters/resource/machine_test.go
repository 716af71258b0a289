package resource_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	eventsapi "github.com/containerd/containerd/api/services/events/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	namespacesapi "github.com/containerd/containerd/api/services/namespaces/v1"
	"github.com/containerd/containerd/api/types"
	"golang.org/x/tools/txtar"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/resource"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// machine is unpacked from an archive of testdata.
type machine struct {
	dir   string
	files map[string][]byte
	args  []string
}

func unpack(t *testing.T, name string) *machine {
	t.Helper()
	a, err := txtar.ParseFile("testdata/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{dir: t.TempDir(), files: map[string][]byte{}}
	for _, f := range a.Files {
		m.files[f.Name] = f.Data
	}
	groups, err := txtar.ParseFile("cgroup/testdata/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, "proc/stat", "btime 1700000000\n")
	for line := range strings.Lines(string(m.files["groups"])) {
		path, kind, pid := "", "", 0
		if _, err := fmt.Sscan(line, &path, &kind, &pid); err != nil {
			t.Fatal(err)
		}
		for _, f := range groups.Files {
			hierarchy, file, ok := strings.Cut("/"+f.Name, "/"+kind+"/")
			if !ok {
				if !strings.Contains(f.Name, "limited/") && !strings.Contains(f.Name, "free/") {
					m.write(t, "sys/fs/cgroup/"+f.Name, string(f.Data))
				}
				continue
			}
			m.write(t, "sys/fs/cgroup"+hierarchy+path+"/"+file, string(f.Data))
			m.write(t, "sys/fs/cgroup"+hierarchy+path+"/cgroup.procs", fmt.Sprintln(cmp.Or(pid, 9999)))
		}
		if pid != 0 {
			// proc_pid_stat(5): field 22 is the start after boot, in hundredths of a second.
			m.write(t, fmt.Sprintf("proc/%d/stat", pid), fmt.Sprintf("%d (x) S%s %d%s\n", pid, strings.Repeat(" 0", 18), pid*100, strings.Repeat(" 0", 30)))
			m.write(t, fmt.Sprintf("proc/%d/net/dev", pid), fmt.Sprintf("  eth0: %d 2 3 4 5 6 7 8 %d 10 11 12 13 14 15 16\n", pid*1000, pid*100))
			m.write(t, fmt.Sprintf("proc/%d/net/snmp", pid), fmt.Sprintf("Tcp: MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs OutRsts\nTcp: -1 %d 2 3 4 5 6 7 8 9\n", pid))
			m.write(t, fmt.Sprintf("proc/%d/net/netstat", pid), "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 2 3\n")
		}
		// A group whose process is not seen started when its directory was made.
		made := time.Unix(1_700_000_500, 0)
		_ = filepath.WalkDir(m.dir+"/sys/fs/cgroup", func(p string, d os.DirEntry, _ error) error {
			if d.IsDir() {
				_ = os.Chtimes(p, made, made)
			}
			return nil
		})
	}
	m.serve(t)
	return m
}

func (m *machine) write(t *testing.T, name, data string) {
	t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// serve starts what the machine has of kubelet, containerd and Docker.
func (m *machine) serve(t *testing.T) {
	t.Helper()
	m.args = []string{
		"--path.procfs=" + m.dir + "/proc", "--path.sysfs=" + m.dir + "/sys", "--node-name=node-1",
		"--containerd-address=" + m.dir + "/c.sock", "--docker-host=unix://" + m.dir + "/d.sock",
		"--kubelet-token-file=" + m.dir + "/token", "--kubelet-ca-file=" + m.dir + "/ca.crt",
	}
	if pods, ok := m.files["kubelet"]; ok {
		m.write(t, "token", "t0ken\n")
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/pods" || r.Header.Get("Authorization") != "Bearer t0ken" {
				w.WriteHeader(http.StatusForbidden)
			}
			_, _ = w.Write(pods)
		}))
		t.Cleanup(s.Close)
		m.write(t, "ca.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
		m.args = append(m.args, "--kubelet-url="+s.URL)
	} else {
		m.args = append(m.args, "--kubelet-url=http://127.0.0.1:1")
	}
	if list, ok := m.files["docker"]; ok {
		m.serveDocker(t, list)
	}
	if _, ok := m.files["containerd"]; ok {
		m.serveContainerd(t)
	}
}

func (m *machine) serveDocker(t *testing.T, list []byte) {
	var images map[string]string
	if err := json.Unmarshal(m.files["images"], &images); err != nil {
		t.Fatal(err)
	}
	listen(t, m.dir+"/d.sock", &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		switch path := strings.TrimPrefix(r.URL.Path, "/v1.41"); {
		case path == "/containers/json":
			_, _ = w.Write(list)
		case strings.HasPrefix(path, "/images/"):
			ref := images[strings.TrimSuffix(strings.TrimPrefix(path, "/images/"), "/json")]
			_ = json.NewEncoder(w).Encode(map[string]any{"RepoDigests": []string{ref}})
		case path == "/events":
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	})})
}

type server interface{ Serve(net.Listener) error }

func listen(t *testing.T, socket string, s server) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { l.Close() })
}

// The services of containerd, by what the archive says.
type (
	containers struct {
		containersapi.UnimplementedContainersServer
		byNamespace map[string][]containerdRecord
	}
	namespaces struct {
		namespacesapi.UnimplementedNamespacesServer
		containers
	}
	images struct {
		imagesapi.UnimplementedImagesServer
		digests map[string]string
	}
	quiet struct {
		eventsapi.UnimplementedEventsServer
	}
	containerdRecord struct {
		ID, Image, Path string
		Labels          map[string]string
	}
)

func (m *machine) serveContainerd(t *testing.T) {
	var c containers
	var i images
	if err := errors.Join(json.Unmarshal(m.files["containerd"], &c.byNamespace), json.Unmarshal(m.files["digests"], &i.digests)); err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	containersapi.RegisterContainersServer(s, c)
	namespacesapi.RegisterNamespacesServer(s, namespaces{containers: c})
	imagesapi.RegisterImagesServer(s, i)
	eventsapi.RegisterEventsServer(s, quiet{})
	listen(t, m.dir+"/c.sock", s)
}

func (quiet) Subscribe(_ *eventsapi.SubscribeRequest, stream eventsapi.Events_SubscribeServer) error {
	<-stream.Context().Done()
	return nil
}

func (c containers) ListStream(_ *containersapi.ListContainersRequest, to containersapi.Containers_ListStreamServer) error {
	md, _ := metadata.FromIncomingContext(to.Context())
	for _, r := range c.byNamespace[md.Get("containerd-namespace")[0]] {
		spec := fmt.Appendf(nil, `{"linux":{"cgroupsPath":%q}}`, r.Path)
		record := &containersapi.Container{ID: r.ID, Image: r.Image, Labels: r.Labels, Spec: &anypb.Any{Value: spec}}
		if err := to.Send(&containersapi.ListContainerMessage{Container: record}); err != nil {
			return err
		}
	}
	return nil
}

func (n namespaces) List(context.Context, *namespacesapi.ListNamespacesRequest) (*namespacesapi.ListNamespacesResponse, error) {
	out := &namespacesapi.ListNamespacesResponse{}
	for name := range n.byNamespace {
		out.Namespaces = append(out.Namespaces, &namespacesapi.Namespace{Name: name})
	}
	return out, nil
}

func (i images) List(context.Context, *imagesapi.ListImagesRequest) (*imagesapi.ListImagesResponse, error) {
	out := &imagesapi.ListImagesResponse{}
	for name, digest := range i.digests {
		out.Images = append(out.Images, &imagesapi.Image{Name: name, Target: &types.Descriptor{Digest: digest}})
	}
	return out, nil
}

// running is the exporter as a program.
type running struct{ url string }

func (m *machine) run(t *testing.T, allow string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	listening := make(chan []string, 1)
	command := resource.Command()
	command.Listening = func(addresses []string) { listening <- addresses }
	var log bytes.Buffer
	ended := make(chan int, 1)
	args := append([]string{"--web.listen-address=127.0.0.1:0", "--metric-allowlist=" + allow}, m.args...)
	go func() { ended <- serve.Main(ctx, command, args, io.Discard, &log) }()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != serve.ExitOK || t.Failed() {
			t.Errorf("exit code %d; its log:\n%s", code, log.String())
		}
	})
	select {
	case addresses := <-listening:
		e := &running{"http://" + addresses[0]}
		if strings.Contains(allow, "container") {
			e.settle(t, strings.TrimSpace(string(m.files["containers"])))
		}
		return e
	case code := <-ended:
		ended <- code
		t.FailNow()
		return nil
	}
}

// settle waits until as many containers as wanted are served, and all sources were asked.
func (e *running) settle(t *testing.T, want string) {
	t.Helper()
	wait.For(t, 30*time.Second, "the containers", func() error {
		text, _ := e.scrape(t, "text/plain")
		if n := strings.Count(text, "\nloadline_container_info{"); fmt.Sprint(n) != want {
			return fmt.Errorf("there are %d, want %s", n, want)
		}
		if strings.Contains(text, `reason="starting"`) {
			return errors.New("not all sources were asked")
		}
		return nil
	})
}

func (e *running) scrape(t *testing.T, accept string) (text, contentType string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.url+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), resp.Header.Get("Content-Type")
}
