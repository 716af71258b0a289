package containerd

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/api/events"
	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	eventsapi "github.com/containerd/containerd/api/services/events/v1"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/protobuf/proto"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
)

// Topics of containerd's events.
const (
	topicCreate = "/containers/create"
	topicOOM    = "/tasks/oom"
	topicExit   = "/tasks/exit"
)

const (
	// maxEvent bounds one event, and the one record that is asked for because of it.
	maxEvent = 4 << 20
	// recordDeadline bounds asking for a record, which holds up the events.
	recordDeadline = 2 * time.Second
	// connectDeadline bounds waiting for a socket that was not there to be there
	// again.
	connectDeadline = time.Second
)

// Watch calls on with the events of the containers of all namespaces but Docker's
// until the stream breaks, and returns why. connected is called once the stream is
// open. containerd does not repeat what happened before.
//
// It may be called beside Fetch, by one goroutine at a time.
func (s *Source) Watch(ctx context.Context, connected func(detail string), on func(container.Event)) error {
	s.connectAgain(ctx)
	var filters []string
	for _, topic := range []string{topicCreate, topicOOM, topicExit} {
		filters = append(filters, fmt.Sprintf("namespace!=%s,topic==%q", moby, topic))
	}
	stream, err := eventsapi.NewEventsClient(s.events).Subscribe(ctx, &eventsapi.SubscribeRequest{Filters: filters})
	if err != nil {
		return s.because("asking for events", err)
	}
	connected(s.address)
	for {
		envelope, err := stream.Recv()
		if err != nil {
			return s.because("reading events", err)
		}
		if e, ok := s.event(ctx, envelope); ok {
			on(e)
		}
	}
}

// connectAgain tries at once what failed before: whoever calls Watch has waited
// already.
func (s *Source) connectAgain(ctx context.Context) {
	if s.events.GetState() != connectivity.TransientFailure {
		return
	}
	s.events.ResetConnectBackoff()
	ctx, cancel := context.WithTimeout(ctx, connectDeadline)
	defer cancel()
	s.events.WaitForStateChange(ctx, connectivity.TransientFailure)
}

// event is what an envelope holds; ok is false for what says nothing of a
// container's life.
func (s *Source) event(ctx context.Context, envelope *types.Envelope) (e container.Event, ok bool) {
	namespace, content := envelope.GetNamespace(), envelope.GetEvent().GetValue()
	if namespace == moby {
		return e, false
	}
	switch envelope.GetTopic() {
	case topicCreate:
		var m events.ContainerCreate
		if proto.Unmarshal(content, &m) != nil {
			return e, false
		}
		if e.Engine = s.record(ctx, namespace, m.GetID()); e.Engine == nil {
			return e, false // it is gone already
		}
		e.Kind, e.ID = container.Created, m.GetID()
	case topicOOM:
		var m events.TaskOOM
		if proto.Unmarshal(content, &m) != nil {
			return e, false
		}
		e.Kind, e.ID = container.OOMKilled, m.GetContainerID()
	case topicExit:
		var m events.TaskExit
		// Another process than the first has an id of its own.
		if proto.Unmarshal(content, &m) != nil || m.GetID() != m.GetContainerID() {
			return e, false
		}
		e.Kind, e.ID, e.ExitCode = container.Ended, m.GetContainerID(), int(m.GetExitStatus())
	}
	e.Key = keyOf(namespace, e.ID)
	return e, e.ID != ""
}

// record asks for the record of a container that was just made: the event has
// neither labels nor specification.
func (s *Source) record(ctx context.Context, namespace, id string) *container.Engine {
	ctx, cancel := context.WithTimeout(inNamespace(ctx, namespace), recordDeadline)
	defer cancel()
	answer, err := containersapi.NewContainersClient(s.events).Get(ctx, &containersapi.GetContainerRequest{ID: id}, grpc.MaxCallRecvMsgSize(maxEvent))
	if err != nil {
		return nil
	}
	e := engineOf(answer.GetContainer(), parseCgroupsPath(answer.GetContainer().GetSpec().GetValue()))
	return &e
}
