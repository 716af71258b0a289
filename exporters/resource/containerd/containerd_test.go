package containerd

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	eventsapi "github.com/containerd/containerd/api/services/events/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	namespacesapi "github.com/containerd/containerd/api/services/namespaces/v1"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
)

// fake is a containerd: its services as published, with what a test puts in.
type fake struct {
	address    string
	server     *grpc.Server
	containers map[string][]*containersapi.Container // by namespace
	images     map[string]string                     // digest by name, in every namespace
	// before, if set, is called with each method's full name and may fail it.
	before func(ctx context.Context, method string) error

	events  []*types.Envelope // what a subscriber is sent
	stay    bool              // its stream stays open
	broken  error             // how it ends
	filters []string          // what the last one asked for
}

// The services each have a method List, so each is a type of its own.
type (
	containerService struct {
		containersapi.UnimplementedContainersServer
		*fake
	}
	imageService struct {
		imagesapi.UnimplementedImagesServer
		*fake
	}
	namespaceService struct {
		namespacesapi.UnimplementedNamespacesServer
		*fake
	}
)

func start(t *testing.T) *fake {
	t.Helper()
	f := &fake{address: filepath.Join(t.TempDir(), "c.sock"), containers: map[string][]*containersapi.Container{}, images: map[string]string{}}
	f.listen(t)
	t.Cleanup(func() { f.server.Stop() })
	return f
}

func (f *fake) listen(t *testing.T) {
	t.Helper()
	l, err := net.Listen("unix", f.address)
	if err != nil {
		t.Fatal(err)
	}
	f.server = grpc.NewServer(grpc.UnaryInterceptor(
		func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if f.before != nil {
				if err := f.before(ctx, info.FullMethod); err != nil {
					return nil, err
				}
			}
			return handle(ctx, req)
		}), grpc.StreamInterceptor(
		func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			if f.before != nil {
				if err := f.before(stream.Context(), info.FullMethod); err != nil {
					return err
				}
			}
			return handle(srv, stream)
		}))
	containersapi.RegisterContainersServer(f.server, containerService{fake: f})
	imagesapi.RegisterImagesServer(f.server, imageService{fake: f})
	namespacesapi.RegisterNamespacesServer(f.server, namespaceService{fake: f})
	eventsapi.RegisterEventsServer(f.server, eventService{fake: f})
	go func(s *grpc.Server) { _ = s.Serve(l) }(f.server)
}

func namespaceOf(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	return strings.Join(md.Get("containerd-namespace"), ",")
}

func (f containerService) ListStream(_ *containersapi.ListContainersRequest, to containersapi.Containers_ListStreamServer) error {
	for _, c := range f.containers[namespaceOf(to.Context())] {
		if err := to.Send(&containersapi.ListContainerMessage{Container: c}); err != nil {
			return err
		}
	}
	return nil
}

func (f imageService) List(context.Context, *imagesapi.ListImagesRequest) (*imagesapi.ListImagesResponse, error) {
	out := &imagesapi.ListImagesResponse{}
	for name, digest := range f.images {
		out.Images = append(out.Images, &imagesapi.Image{Name: name, Target: &types.Descriptor{Digest: digest}})
	}
	return out, nil
}

func (f namespaceService) List(context.Context, *namespacesapi.ListNamespacesRequest) (*namespacesapi.ListNamespacesResponse, error) {
	out := &namespacesapi.ListNamespacesResponse{}
	for name := range f.containers {
		out.Namespaces = append(out.Namespaces, &namespacesapi.Namespace{Name: name})
	}
	return out, nil
}

func record(id, image, path string, labels map[string]string) *containersapi.Container {
	return &containersapi.Container{
		ID: id, Image: image, Labels: labels, CreatedAt: timestamppb.New(time.Unix(1, 0)),
		Spec: &anypb.Any{TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Spec", Value: specOf(path)},
	}
}

func specOf(path string) []byte {
	return fmt.Appendf(nil, `{"ociVersion":"1.1.0","process":{"args":["x"]},"linux":{"cgroupsPath":%q,"resources":{}}}`, path)
}

func newSource(t *testing.T, address string) *Source {
	t.Helper()
	s, err := New(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func fetch(t *testing.T, s *Source) (container.Engines, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	engines, _, err := s.Fetch(ctx)
	return engines, err
}

func TestContainersOfAllNamespacesAreListed(t *testing.T) {
	f := start(t)
	f.images["docker.io/library/app:1"] = "sha256:app"
	f.containers = map[string][]*containersapi.Container{
		"k8s.io": {
			record("aaa", "docker.io/library/app:1", "/kubepods/pod1/aaa", map[string]string{"io.cri-containerd.kind": "container", "io.kubernetes.pod.name": "web"}),
			record("bbb", "registry.k8s.io/pause:3.9", "kubepods.slice:cri-containerd:bbb", map[string]string{"io.cri-containerd.kind": "sandbox"}),
		},
		"default": {record("job", "", "/default/job", nil), record("ccc", "", "", map[string]string{"nerdctl/name": "redis"})},
		"other":   {record("job", "", "/other/job", nil)},
		"empty":   {},
		"moby":    {record("ddd", "", "/docker/ddd", nil)},
	}
	got, err := fetch(t, newSource(t, f.address))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"k8s.io/aaa":  "aaa aaa docker.io/library/app:1 sha256:app /kubepods/pod1/aaa false",
		"k8s.io/bbb":  "bbb bbb registry.k8s.io/pause:3.9  kubepods.slice:cri-containerd:bbb true",
		"default/job": "job job   /default/job false",
		"default/ccc": "ccc redis    false",
		"other/job":   "job job   /other/job false",
	}
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Fatalf("got %v, want %v", g, w)
	}
	for key, e := range got {
		if line := fmt.Sprint(strings.Join([]string{e.ID, e.Name, e.Image, e.ImageDigest, e.CgroupsPath}, " "), " ", e.Sandbox); line != want[key] {
			t.Errorf("%s: got %q, want %q", key, line, want[key])
		}
	}
	if got["k8s.io/aaa"].Labels["io.kubernetes.pod.name"] != "web" {
		t.Error("labels are missing")
	}
}

func TestASpecificationIsParsedOnceForEachContainer(t *testing.T) {
	f := start(t)
	c := record("job", "", "/first", nil)
	f.containers["default"] = []*containersapi.Container{c}
	s := newSource(t, f.address)
	path := func() string {
		t.Helper()
		got, err := fetch(t, s)
		if err != nil {
			t.Fatal(err)
		}
		return got["default/job"].CgroupsPath
	}
	if got := path(); got != "/first" {
		t.Fatalf("got %q", got)
	}
	c.Spec.Value = []byte("garbage") // parsed again, it would have no path
	if got := path(); got != "/first" {
		t.Errorf("parsed again: got %q", got)
	}
	c.CreatedAt, c.Spec.Value = timestamppb.New(time.Unix(2, 0)), specOf("/second")
	if got := path(); got != "/second" {
		t.Errorf("another container of the same id: got %q", got)
	}
	f.containers["default"] = nil
	if path(); len(s.paths) != 0 {
		t.Errorf("%d are remembered of none", len(s.paths))
	}
}

func TestASpecificationThatIsNoneLosesNothingElse(t *testing.T) {
	f := start(t)
	f.containers["default"] = []*containersapi.Container{record("good", "", "/good", nil)}
	for i, spec := range [][]byte{nil, []byte("{"), []byte(`{"linux":7}`), []byte(`{"linux":{"cgroupsPath":["x"]}}`), []byte(strings.Repeat("[", 100_000))} {
		c := record(fmt.Sprint("bad-", i), "", "", nil)
		c.Spec.Value = spec
		f.containers["default"] = append(f.containers["default"], c)
	}
	f.containers["default"] = append(f.containers["default"], &containersapi.Container{ID: "bare"})
	got, err := fetch(t, newSource(t, f.address))
	if err != nil || len(got) != 7 {
		t.Fatalf("%d containers, %v", len(got), err)
	}
	for key, e := range got {
		if want := map[bool]string{true: "/good"}[e.ID == "good"]; e.CgroupsPath != want {
			t.Errorf("%s has path %q", key, e.CgroupsPath)
		}
	}
}

func TestFailuresHaveTheirReasons(t *testing.T) {
	fails := func(method string, code codes.Code) func(context.Context, string) error {
		return func(_ context.Context, m string) error {
			if strings.HasSuffix(m, method) {
				return status.Error(code, "told to fail")
			}
			return nil
		}
	}
	for name, test := range map[string]struct {
		before func(context.Context, string) error
		reason source.Reason
		says   string
	}{
		"not containerd":                {fails("Namespaces/List", codes.Unimplemented), source.Invalid, "listing the namespaces"},
		"the list of containers fails":  {fails("Containers/ListStream", codes.Unknown), source.Failed, "containers of namespace default"},
		"the list of images is refused": {fails("Images/List", codes.PermissionDenied), source.Forbidden, "images of namespace default"},
		"the server is stopping":        {fails("Containers/ListStream", codes.Unavailable), source.Absent, "told to fail"},
		"it breaks in the middle":       {fails("Images/List", codes.Internal), source.Invalid, "told to fail"},
		"it does not answer":            {hang, source.Timeout, "listing the namespaces"},
		"the containers do not answer":  {hangIn("Containers/ListStream"), source.Timeout, "namespace default"},
		"everything is as it should be": {nil, source.OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			f.containers["default"] = []*containersapi.Container{record("job", "", "/job", nil)}
			f.before = test.before
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, _, err := newSource(t, f.address).Fetch(ctx)
			if got := source.ReasonOf(err); got != test.reason {
				t.Fatalf("reason %q of %v, want %q", got, err, test.reason)
			}
			if err != nil && (!strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), f.address)) {
				t.Errorf("%q does not say %q and where", err, test.says)
			}
		})
	}
}

func hang(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

func hangIn(method string) func(context.Context, string) error {
	return func(ctx context.Context, m string) error {
		if strings.HasSuffix(m, method) {
			return hang(ctx, m)
		}
		return nil
	}
}

func TestAnAnswerLargerThanTheBoundIsInvalid(t *testing.T) {
	f := start(t)
	f.containers["default"] = []*containersapi.Container{record("large", strings.Repeat("x", maxMessage), "", nil)}
	if _, err := fetch(t, newSource(t, f.address)); source.ReasonOf(err) != source.Invalid {
		t.Errorf("got %.200v, want invalid", err)
	}
}

func TestASocketThatIsNotThereIsAbsent(t *testing.T) {
	if _, err := fetch(t, newSource(t, filepath.Join(t.TempDir(), "none.sock"))); source.ReasonOf(err) != source.Absent {
		t.Errorf("missing: %v", err)
	}
	left := filepath.Join(t.TempDir(), "left.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: left})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := fetch(t, newSource(t, left)); source.ReasonOf(err) != source.Absent {
		t.Errorf("left behind: %v", err)
	}
}

func TestASocketThatMayNotBeOpenedIsForbidden(t *testing.T) {
	f := start(t)
	need.AsNobody(t, func() {
		if _, err := fetch(t, newSource(t, f.address)); source.ReasonOf(err) != source.Forbidden {
			t.Errorf("got %v, want forbidden", err)
		}
	})
}

func TestAServerThatCameBackIsFoundAtTheNextPolls(t *testing.T) {
	f := start(t)
	f.containers["default"] = []*containersapi.Container{record("job", "", "/job", nil)}
	s := newSource(t, f.address)
	if _, err := fetch(t, s); err != nil {
		t.Fatal(err)
	}
	f.server.Stop()
	for range 5 {
		if _, err := fetch(t, s); source.ReasonOf(err) != source.Absent {
			t.Fatalf("while it is away: %v", err)
		}
	}
	f.listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		got, _, err := s.Fetch(ctx)
		if err == nil && len(got) == 1 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("it was not found: %v", err)
		}
	}
}

func FuzzParseCgroupsPath(f *testing.F) {
	f.Add(specOf("/a/b"))
	f.Add(specOf("system.slice:docker:x"))
	f.Add([]byte(`{"linux":null}`))
	f.Fuzz(func(t *testing.T, spec []byte) {
		if path := parseCgroupsPath(spec); len(path) > 6*len(spec) {
			t.Errorf("%d bytes made a path of %d", len(spec), len(path))
		}
	})
}
