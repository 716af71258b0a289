// Package cri asks a container runtime by Kubernetes' Container Runtime Interface
// (k8s.io/cri-api, v1): which pods and containers it has, and how much their
// writable layers hold.
//
// Every runtime that a kubelet can use speaks it: containerd by its CRI plugin,
// CRI-O as the only way to ask. It names pods where no kubelet may be asked; who
// controls a pod it does not know.
package cri

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
	"github.com/loadline-exporters/loadline/internal/source/overgrpc"
)

// CRIOAddresses are where CRI-O listens unless told otherwise.
var CRIOAddresses = []string{"/run/crio/crio.sock", "/var/run/crio/crio.sock"}

// maxMessage bounds one answer. A container with its annotations takes some two
// kilobytes.
const maxMessage = 16 << 20

// Runtime is the first of some sockets behind which a runtime speaks CRI. Its
// methods may be called concurrently, each by one goroutine at a time.
type Runtime struct {
	places []place
	last   atomic.Int32 // the place that answered last, which is asked first
	images map[string]imageNames
}

// place is one socket.
type place struct {
	address string
	conn    *grpc.ClientConn
}

// reconnect bounds what the client waits between two attempts.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
	MinConnectTimeout: 5 * time.Second,
}

// New returns the runtime behind the first of the addresses, paths of sockets, that
// speaks CRI. It connects when it is first asked.
func New(addresses ...string) (*Runtime, error) {
	r := &Runtime{images: map[string]imageNames{}}
	for _, a := range addresses {
		conn, err := grpc.NewClient("unix://"+strings.TrimPrefix(a, "unix://"),
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithNoProxy(),
			grpc.WithConnectParams(reconnect),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("CRI address %q: %w", a, err), r.Close())
		}
		r.places = append(r.places, place{a, conn})
	}
	return r, nil
}

// Close ends the connections.
func (r *Runtime) Close() error {
	var errs []error
	for _, p := range r.places {
		errs = append(errs, p.conn.Close())
	}
	return errors.Join(errs...)
}

// Fetch lists the containers and the pods' sandboxes, running or not, by their ids.
func (r *Runtime) Fetch(ctx context.Context) (container.Engines, string, error) {
	var out container.Engines
	at, err := r.ask(ctx, func(p place) error {
		client := runtimeapi.NewRuntimeServiceClient(p.conn)
		version, err := client.Version(ctx, &runtimeapi.VersionRequest{})
		if err != nil {
			return because("asking the version", p.address, err)
		}
		sandboxes, err := client.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{})
		if err != nil {
			return because("listing the pods", p.address, err)
		}
		containers, err := client.ListContainers(ctx, &runtimeapi.ListContainersRequest{})
		if err != nil {
			return because("listing the containers", p.address, err)
		}
		l := listing{runtime: version.GetRuntimeName(), sandboxes: sandboxes.GetItems(), containers: containers.GetContainers()}
		r.learn(ctx, p, l.images())
		out = l.engines(r.images)
		return nil
	})
	return out, at, err
}

// ask asks the places, that which answered last first, until one answers. A place
// that is there and can't be used says more than those that are not.
func (r *Runtime) ask(ctx context.Context, question func(place) error) (at string, err error) {
	first := int(r.last.Load())
	for i := range r.places {
		n := (first + i) % len(r.places)
		failed := question(r.places[n])
		if failed == nil {
			r.last.Store(int32(n))
			return r.places[n].address, nil
		}
		if err == nil || source.ReasonOf(err) == source.Absent && source.ReasonOf(failed) != source.Absent {
			err = failed
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err == nil {
		err = source.Because(source.Absent, errors.New("no CRI address was given"))
	}
	return "", err
}

func because(doing, address string, err error) error {
	wrapped := fmt.Errorf("%s at %s by CRI: %w", doing, address, err)
	// A containerd whose CRI plugin is disabled, as Docker's is, knows no such service.
	return overgrpc.Because(wrapped, source.Absent)
}
