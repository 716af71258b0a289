package containerd

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	eventsapi "github.com/containerd/containerd/api/services/events/v1"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
)

type eventService struct {
	eventsapi.UnimplementedEventsServer
	*fake
}

// Subscribe sends the fake's events, and then ends the stream unless it is to stay.
func (f eventService) Subscribe(r *eventsapi.SubscribeRequest, stream eventsapi.Events_SubscribeServer) error {
	f.filters = r.GetFilters()
	for _, e := range f.events {
		if err := stream.Send(e); err != nil {
			return err
		}
	}
	if f.stay {
		<-stream.Context().Done()
	}
	return f.broken
}

func (f containerService) Get(ctx context.Context, r *containersapi.GetContainerRequest) (*containersapi.GetContainerResponse, error) {
	for _, c := range f.containers[namespaceOf(ctx)] {
		if c.GetID() == r.GetID() {
			return &containersapi.GetContainerResponse{Container: c}, nil
		}
	}
	return nil, status.Error(codes.NotFound, "not found")
}

func envelope(namespace, topic string, content proto.Message) *types.Envelope {
	value, err := proto.Marshal(content)
	if err != nil {
		panic(err)
	}
	return &types.Envelope{Namespace: namespace, Topic: topic, Event: &anypb.Any{TypeUrl: string(content.ProtoReflect().Descriptor().FullName()), Value: value}}
}

func watch(t *testing.T, s *Source) (told []container.Event, connected int, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = s.Watch(ctx, func(string) { connected++ }, func(e container.Event) { told = append(told, e) })
	return told, connected, err
}

func show(told []container.Event) string {
	var lines []string
	for _, e := range told {
		line := map[container.EventKind]string{container.Created: "created", container.OOMKilled: "killed", container.Ended: "ended"}[e.Kind]
		line += " " + e.Key
		if e.Kind == container.Ended {
			line += fmt.Sprint(" ", e.ExitCode)
		}
		if !strings.HasSuffix(e.Key, "/"+e.ID) || (e.Engine != nil) != (e.Kind == container.Created) {
			line += " (odd)"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}

func TestWhatHappensToContainersIsTold(t *testing.T) {
	f := start(t)
	labels := map[string]string{"nerdctl/name": "web", "io.cri-containerd.kind": "sandbox"}
	f.containers = map[string][]*containersapi.Container{
		"default": {record("a", "app:1", "/default/a", labels)},
		"moby":    {record("b", "", "/docker/b", nil)},
	}
	f.events = []*types.Envelope{
		envelope("default", "/containers/create", &eventtypes.ContainerCreate{ID: "a", Image: "other:1"}),
		envelope("default", "/tasks/oom", &eventtypes.TaskOOM{ContainerID: "a"}),
		envelope("default", "/tasks/exit", &eventtypes.TaskExit{ContainerID: "a", ID: "exec-1", ExitStatus: 1}),
		envelope("default", "/tasks/exit", &eventtypes.TaskExit{ContainerID: "a", ID: "a", ExitStatus: 137}),
		envelope("default", "/tasks/start", &eventtypes.TaskStart{ContainerID: "a"}),
		envelope("default", "/containers/create", &eventtypes.ContainerCreate{ID: "gone"}),
		envelope("other", "/containers/create", &eventtypes.ContainerCreate{ID: "a"}),
		envelope("other", "/tasks/oom", &eventtypes.TaskOOM{ContainerID: "a"}),
		envelope("moby", "/containers/create", &eventtypes.ContainerCreate{ID: "b"}),
		envelope("moby", "/tasks/oom", &eventtypes.TaskOOM{ContainerID: "b"}),
	}
	told, connected, err := watch(t, newSource(t, f.address))
	if want := "created default/a, killed default/a, ended default/a 137, killed other/a"; show(told) != want || connected != 1 {
		t.Fatalf("connected %d times, told %s; want %s", connected, show(told), want)
	}
	if source.ReasonOf(err) != source.Absent || !strings.Contains(err.Error(), f.address) {
		t.Errorf("the stream broke because of %v", err)
	}
	if e := told[0].Engine; e.ID != "a" || e.Name != "web" || e.Image != "app:1" || e.CgroupsPath != "/default/a" || !e.Sandbox || len(e.Labels) != 2 {
		t.Errorf("got %+v", e)
	}
	want := []string{`namespace!=moby,topic=="/containers/create"`, `namespace!=moby,topic=="/tasks/oom"`, `namespace!=moby,topic=="/tasks/exit"`}
	if fmt.Sprint(f.filters) != fmt.Sprint(want) {
		t.Errorf("the filters are %v, want %v", f.filters, want)
	}
}

func TestAnEventThatIsNoneLosesNoOther(t *testing.T) {
	f := start(t)
	for _, topic := range []string{"/containers/create", "/tasks/oom", "/tasks/exit", "", "/tasks"} {
		for _, content := range []*anypb.Any{nil, {}, {Value: []byte{0xff}}, {Value: []byte{0x0a, 0x02, 0xff, 0xff}}} {
			f.events = append(f.events, &types.Envelope{Namespace: "default", Topic: topic, Event: content})
		}
	}
	f.events = append(f.events, &types.Envelope{}, envelope("default", "/tasks/oom", &eventtypes.TaskOOM{ContainerID: "a"}))
	if told, _, err := watch(t, newSource(t, f.address)); show(told) != "killed default/a" {
		t.Errorf("told %s, %v", show(told), err)
	}
}

func TestAStreamThatBreaksHasItsReason(t *testing.T) {
	f := start(t)
	s := newSource(t, f.address)
	for code, reason := range map[codes.Code]source.Reason{
		codes.Unavailable: source.Absent, codes.PermissionDenied: source.Forbidden, codes.Internal: source.Invalid, codes.Unknown: source.Failed,
	} {
		f.broken = status.Error(code, "told to fail")
		if _, connected, err := watch(t, s); source.ReasonOf(err) != reason || connected != 1 {
			t.Errorf("%v: connected %d times: %v", code, connected, err)
		}
	}
	f.events = []*types.Envelope{envelope("default", "/tasks/oom", &eventtypes.TaskOOM{ContainerID: strings.Repeat("x", maxEvent)})}
	if told, _, err := watch(t, s); source.ReasonOf(err) != source.Invalid || len(told) != 0 {
		t.Errorf("an event that is too long: %.100v", err)
	}
	f.server.Stop()
	for range 3 { // at first the connection may not know it yet
		if _, _, err := watch(t, s); source.ReasonOf(err) != source.Absent {
			t.Errorf("nobody listens: %v", err)
		}
	}
	if _, connected, _ := watch(t, s); connected != 0 {
		t.Error("nobody listens, and it is connected")
	}
	f.events, f.broken = nil, nil
	f.listen(t)
	// The connection is tried anew after a while.
	wait.For(t, 10*time.Second, "it to come back", func() error {
		if _, connected, err := watch(t, s); connected != 1 {
			return fmt.Errorf("connected %d times: %w", connected, err)
		}
		return nil
	})
}

func TestARecordThatIsNotSaidHoldsUpNothingForLong(t *testing.T) {
	for name, before := range map[string]func(context.Context, string) error{"too long": nil, "hanging": hangIn("Containers/Get")} {
		f := start(t)
		f.before = before
		f.containers["default"] = []*containersapi.Container{record("a", strings.Repeat("x", maxEvent), "", nil)}
		f.events = []*types.Envelope{
			envelope("default", "/containers/create", &eventtypes.ContainerCreate{ID: "a"}),
			envelope("default", "/tasks/oom", &eventtypes.TaskOOM{ContainerID: "a"}),
		}
		if told, _, err := watch(t, newSource(t, f.address)); show(told) != "killed default/a" {
			t.Errorf("%s: told %s, %v", name, show(told), err)
		}
	}
}

func TestWatchingEndsWithItsContextAndGoesBesideFetching(t *testing.T) {
	f := start(t)
	f.containers["default"] = []*containersapi.Container{record("a", "", "/a", nil)}
	f.events = []*types.Envelope{envelope("default", "/containers/create", &eventtypes.ContainerCreate{ID: "a"})}
	f.stay = true
	s := newSource(t, f.address)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended, told := make(chan error), make(chan container.Event)
	go func() {
		ended <- s.Watch(ctx, func(string) {}, func(e container.Event) { told <- e })
	}()
	<-told
	if got, err := fetch(t, s); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("it ended without saying why")
	}
}

func FuzzEvents(f *testing.F) {
	for _, e := range []*types.Envelope{
		envelope("default", "/tasks/oom", &eventtypes.TaskOOM{ContainerID: "a"}),
		envelope("default", "/tasks/exit", &eventtypes.TaskExit{ContainerID: "a", ID: "a", ExitStatus: 137}),
	} {
		f.Add(e.GetTopic(), e.GetEvent().GetValue())
	}
	f.Fuzz(func(t *testing.T, topic string, content []byte) {
		if topic == topicCreate {
			return // asks containerd
		}
		e, ok := (&Source{}).event(t.Context(), &types.Envelope{Namespace: "default", Topic: topic, Event: &anypb.Any{Value: content}})
		if ok && (e.ID == "" || e.Key != "default/"+e.ID || e.Kind == container.Created) {
			t.Errorf("got %+v", e)
		}
	})
}
