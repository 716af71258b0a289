package network

import (
	"context"
	"errors"
	"fmt"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// Interfaces emits what the interfaces of pods carry. It is used by one goroutine at
// a time.
type Interfaces struct {
	Namespaces *Namespaces

	buffer buffer
}

// Collect reads one file of each namespace. A namespace that has gone meanwhile is
// left out; one that can't be read loses nothing else and is named in the error.
func (c *Interfaces) Collect(ctx context.Context, w *family.Writer) error {
	namespaces, err := c.Namespaces.Current()
	failed := failures{}
	failed.add("find processes", err)
	e := newTrafficEmitter(w)
	for _, ns := range namespaces {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("not all pods' interfaces were read: %w", err)
		}
		content, err := c.Namespaces.read(ns, &c.buffer, deviceFile)
		if err != nil {
			failed.add("interfaces of "+ns.Pod.String(), err)
			continue
		}
		eachDevice(content, func(name []byte, d device) {
			if served(name, d) {
				e.emit(ns.Labels, string(name), d)
			}
		})
	}
	return failed.join()
}

// trafficEmitter holds the places of the families.
type trafficEmitter struct {
	receive, transmit struct{ bytes, packets, errors, dropped *family.Series }
}

func newTrafficEmitter(w *family.Writer) *trafficEmitter {
	e := &trafficEmitter{}
	e.receive.bytes, e.receive.packets = w.Series(metrics.ContainerNetworkReceiveBytes), w.Series(metrics.ContainerNetworkReceivePackets)
	e.receive.errors, e.receive.dropped = w.Series(metrics.ContainerNetworkReceiveErrors), w.Series(metrics.ContainerNetworkReceiveDropped)
	e.transmit.bytes, e.transmit.packets = w.Series(metrics.ContainerNetworkTransmitBytes), w.Series(metrics.ContainerNetworkTransmitPackets)
	e.transmit.errors, e.transmit.dropped = w.Series(metrics.ContainerNetworkTransmitErrors), w.Series(metrics.ContainerNetworkTransmitDropped)
	return e
}

func (e *trafficEmitter) emit(l family.Block, name string, d device) {
	e.receive.bytes.AddBlock(l, float64(d.receive.bytes), name)
	e.receive.packets.AddBlock(l, float64(d.receive.packets), name)
	e.receive.errors.AddBlock(l, float64(d.receive.errors), name)
	e.receive.dropped.AddBlock(l, float64(d.receive.dropped), name)
	e.transmit.bytes.AddBlock(l, float64(d.transmit.bytes), name)
	e.transmit.packets.AddBlock(l, float64(d.transmit.packets), name)
	e.transmit.errors.AddBlock(l, float64(d.transmit.errors), name)
	e.transmit.dropped.AddBlock(l, float64(d.transmit.dropped), name)
}

// failures are the first errors of many, enough to know in one line of the log.
type failures struct{ errs []error }

// add notes an error, unless it is none or the end of what was looked at.
func (f *failures) add(what string, err error) {
	if err != nil && !errors.Is(err, errGone) && len(f.errs) < 3 {
		f.errs = append(f.errs, fmt.Errorf("%s: %w", what, err))
	}
}

func (f *failures) join() error { return errors.Join(f.errs...) }
