package cri

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

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/internal/source"
)

// fake is a runtime, with what a test puts in.
type fake struct {
	runtimeapi.UnimplementedRuntimeServiceServer
	runtimeapi.UnimplementedImageServiceServer
	address    string
	name       string
	sandboxes  []*runtimeapi.PodSandbox
	containers []*runtimeapi.Container
	images     []*runtimeapi.Image
	stats      []*runtimeapi.ContainerStats
	listed     int // times that the images were listed
	// before, if set, is called with each method's full name and may fail it.
	before func(ctx context.Context, method string) error
}

func start(t *testing.T, name string) *fake {
	t.Helper()
	f := &fake{address: filepath.Join(t.TempDir(), "r.sock"), name: name}
	serve(t, f.address, func(s *grpc.Server) {
		runtimeapi.RegisterRuntimeServiceServer(s, f)
		runtimeapi.RegisterImageServiceServer(s, f)
	}, func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		if f.before != nil {
			if err := f.before(ctx, info.FullMethod); err != nil {
				return nil, err
			}
		}
		return handle(ctx, req)
	})
	return f
}

func serve(t *testing.T, address string, register func(*grpc.Server), intercept grpc.UnaryServerInterceptor) {
	t.Helper()
	l, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.UnaryInterceptor(intercept))
	register(s)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
}

func (f *fake) Version(context.Context, *runtimeapi.VersionRequest) (*runtimeapi.VersionResponse, error) {
	return &runtimeapi.VersionResponse{RuntimeName: f.name}, nil
}

func (f *fake) ListPodSandbox(context.Context, *runtimeapi.ListPodSandboxRequest) (*runtimeapi.ListPodSandboxResponse, error) {
	return &runtimeapi.ListPodSandboxResponse{Items: f.sandboxes}, nil
}

func (f *fake) ListContainers(context.Context, *runtimeapi.ListContainersRequest) (*runtimeapi.ListContainersResponse, error) {
	return &runtimeapi.ListContainersResponse{Containers: f.containers}, nil
}

func (f *fake) ListContainerStats(context.Context, *runtimeapi.ListContainerStatsRequest) (*runtimeapi.ListContainerStatsResponse, error) {
	return &runtimeapi.ListContainerStatsResponse{Stats: f.stats}, nil
}

func (f *fake) ListImages(context.Context, *runtimeapi.ListImagesRequest) (*runtimeapi.ListImagesResponse, error) {
	f.listed++
	return &runtimeapi.ListImagesResponse{Images: f.images}, nil
}

func newRuntime(t *testing.T, addresses ...string) *Runtime {
	t.Helper()
	r, err := New(addresses...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// show fetches and writes each container in one line, by its id.
func show(t *testing.T, r *Runtime) (map[string]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	engines, _, err := r.Fetch(ctx)
	lines := map[string]string{}
	for key, e := range engines {
		lines[key] = fmt.Sprint(e.Runtime, " ", e.ID, " ", e.Name, " ", e.Image, " ", e.ImageDigest, " ", e.Sandbox)
		for _, k := range slices.Sorted(maps.Keys(e.Labels)) {
			lines[key] += " " + strings.TrimPrefix(k, "io.kubernetes.") + "=" + e.Labels[k]
		}
	}
	return lines, err
}

func want(t *testing.T, got, want map[string]string) {
	t.Helper()
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s: got\n%q, want\n%q", key, got[key], want[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d containers, want %d: %v", len(got), len(want), got)
	}
}

func sandbox(id, pod string) *runtimeapi.PodSandbox {
	return &runtimeapi.PodSandbox{Id: id, Metadata: &runtimeapi.PodSandboxMetadata{Name: pod, Namespace: "shop", Uid: "u-" + pod, Attempt: 1}}
}

func of(id, sandbox, name, image, imageRef string) *runtimeapi.Container {
	return &runtimeapi.Container{
		Id: id, PodSandboxId: sandbox, Metadata: &runtimeapi.ContainerMetadata{Name: name, Attempt: 2},
		Image: &runtimeapi.ImageSpec{Image: image}, ImageRef: imageRef,
		// A label that says something else is not believed.
		Labels: map[string]string{"io.kubernetes.pod.name": "other"},
	}
}

const podLabels = " pod.name=web pod.namespace=shop pod.uid=u-web"

func TestContainersAreNamedByTheirPods(t *testing.T) {
	f := start(t, "containerd")
	f.sandboxes = []*runtimeapi.PodSandbox{sandbox("s", "web"), {Id: "nameless"}}
	specified := of("specified", "s", "b", "sha256:1", "sha256:1")
	specified.Image.UserSpecifiedImage = "app:typed"
	f.containers = []*runtimeapi.Container{
		of("plain", "s", "a", "app:1", "sha256:1"), of("by-id", "s", "c", "sha256:1", "sha256:1"), specified,
		of("unknown", "s", "d", "sha256:none", "sha256:none"), of("no-pod", "gone", "e", "app:1", ""), {PodSandboxId: "s"},
	}
	f.images = []*runtimeapi.Image{
		{Id: "sha256:1", RepoTags: []string{"docker.io/library/app:1"}, RepoDigests: []string{"docker.io/library/app@sha256:m"}},
		{Id: "sha256:other"},
	}
	got, err := show(t, newRuntime(t, f.address))
	if err != nil {
		t.Fatal(err)
	}
	want(t, got, map[string]string{
		"s":         "containerd s s   true" + podLabels,
		"plain":     "containerd plain plain app:1 sha256:m false container.name=a" + podLabels,
		"by-id":     "containerd by-id by-id docker.io/library/app:1 sha256:m false container.name=c" + podLabels,
		"specified": "containerd specified specified app:typed sha256:m false container.name=b" + podLabels,
		"unknown":   "containerd unknown unknown   false container.name=d" + podLabels,
	})
}

func TestCRIOsContainersHaveItsNamesAndDigests(t *testing.T) {
	f := start(t, "cri-o")
	f.sandboxes = []*runtimeapi.PodSandbox{sandbox("s", "web")}
	f.containers = []*runtimeapi.Container{of("c", "s", "a", "quay.io/app:1", "quay.io/app@sha256:m")}
	got, err := show(t, newRuntime(t, f.address))
	if err != nil {
		t.Fatal(err)
	}
	want(t, got, map[string]string{
		"s": "cri-o s k8s_POD_web_shop_u-web_1   true" + podLabels,
		"c": "cri-o c k8s_a_web_shop_u-web_2 quay.io/app:1 sha256:m false container.name=a" + podLabels,
	})
}

func TestImagesAreListedOnlyWhenOneIsNew(t *testing.T) {
	f := start(t, "containerd")
	f.sandboxes = []*runtimeapi.PodSandbox{sandbox("s", "web")}
	f.containers = []*runtimeapi.Container{of("a", "s", "a", "sha256:1", "sha256:1")}
	r := newRuntime(t, f.address)
	for i, listed := range []int{1, 1, 2, 2} {
		if i == 2 {
			f.containers = append(f.containers, of("b", "s", "b", "sha256:2", "sha256:2"))
		}
		if _, err := show(t, r); err != nil {
			t.Fatal(err)
		}
		if f.listed != listed {
			t.Errorf("after %d polls the images were listed %d times, want %d", i+1, f.listed, listed)
		}
	}
	f.containers = nil
	if _, err := show(t, r); err != nil || len(r.images) != 0 {
		t.Errorf("%d images are remembered that nobody runs (%v)", len(r.images), err)
	}
}

func TestTheFirstSocketBehindWhichCRIIsSpokenIsUsed(t *testing.T) {
	// Docker's containerd, whose CRI plugin is disabled.
	plain := filepath.Join(t.TempDir(), "c.sock")
	asked := 0
	serve(t, plain, func(*grpc.Server) {}, nil)
	f := start(t, "cri-o")
	f.before = func(context.Context, string) error { asked++; return nil }
	r := newRuntime(t, filepath.Join(t.TempDir(), "none"), plain, f.address)
	for range 2 {
		if _, at, err := r.Fetch(t.Context()); err != nil || at != f.address {
			t.Fatalf("got %q, %v", at, err)
		}
	}
	if _, at, err := r.FetchLayers(t.Context()); err != nil || at != f.address || asked != 7 {
		t.Errorf("got %q, %v after %d questions", at, err, asked)
	}
}

func TestWhyThereIsNoRuntimeIsSaid(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	plain := filepath.Join(t.TempDir(), "c.sock")
	serve(t, plain, func(*grpc.Server) {}, nil)
	answers := func(code codes.Code) string {
		f := start(t, "containerd")
		f.before = func(_ context.Context, method string) error {
			if strings.HasSuffix(method, "/ListContainers") {
				return status.Error(code, "no")
			}
			return nil
		}
		return f.address
	}
	hangs := start(t, "containerd")
	hangs.before = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	large := start(t, "containerd")
	large.sandboxes = []*runtimeapi.PodSandbox{sandbox("s", strings.Repeat("x", maxMessage+1))}
	for name, test := range map[string]struct {
		addresses []string
		want      source.Reason
	}{
		"nothing listens":                           {[]string{none}, source.Absent},
		"nothing is given":                          {nil, source.Absent},
		"a containerd without CRI":                  {[]string{none, plain}, source.Absent},
		"a runtime that refuses":                    {[]string{answers(codes.PermissionDenied)}, source.Forbidden},
		"one that fails, among those that are none": {[]string{none, answers(codes.Unknown), none}, source.Failed},
		"one that does not answer":                  {[]string{hangs.address, none}, source.Timeout},
		"an answer without bounds":                  {[]string{large.address}, source.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, _, err := newRuntime(t, test.addresses...).Fetch(ctx)
			if got := source.ReasonOf(err); got != test.want {
				t.Errorf("got reason %q, want %q: %v", got, test.want, err)
			}
		})
	}
}

func TestASocketThatMayNotBeUsedIsForbidden(t *testing.T) {
	f := start(t, "containerd")
	need.AsNobody(t, func() {
		if _, _, err := newRuntime(t, f.address).Fetch(t.Context()); source.ReasonOf(err) != source.Forbidden {
			t.Errorf("got %v", err)
		}
	})
}

func TestLayersThatWereNotCountedYetAreLeftOut(t *testing.T) {
	f := start(t, "containerd")
	stats := func(id string, at int64, layer *runtimeapi.UInt64Value) *runtimeapi.ContainerStats {
		return &runtimeapi.ContainerStats{Attributes: &runtimeapi.ContainerAttributes{Id: id}, WritableLayer: &runtimeapi.FilesystemUsage{
			Timestamp: at, UsedBytes: layer, InodesUsed: &runtimeapi.UInt64Value{Value: 3},
			FsId: &runtimeapi.FilesystemIdentifier{Mountpoint: "/var/lib/containerd/x"},
		}}
	}
	f.stats = []*runtimeapi.ContainerStats{
		stats("counted", 1, &runtimeapi.UInt64Value{Value: 4096}), stats("not yet", 0, &runtimeapi.UInt64Value{}), stats("never", 1, nil),
		stats("", 1, &runtimeapi.UInt64Value{}), {Attributes: &runtimeapi.ContainerAttributes{Id: "bare"}}, {},
	}
	got, _, err := newRuntime(t, f.address).FetchLayers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := (map[string]Layer{"counted": {Bytes: 4096, Inodes: 3, Path: "/var/lib/containerd/x"}}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
