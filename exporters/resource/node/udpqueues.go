package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// udpQueues serves how much waits in the queues of UDP sockets.
type udpQueues struct{ proc procfs.FS }

// Collect reads /proc/net/udp and udp6; either is missing where the kernel has no
// such protocol.
func (c udpQueues) Collect(_ context.Context, w *family.Writer) error {
	var errs []error
	for _, ip := range []struct {
		name string
		read func() (*procfs.NetUDPSummary, error)
	}{{"v4", c.proc.NetUDPSummary}, {"v6", c.proc.NetUDP6Summary}} {
		s, err := ip.read()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("read UDP sockets of IP%s: %w", ip.name, err))
			continue
		}
		w.Series(metrics.NodeUDPQueues).Add(float64(s.TxQueueLength), "tx", ip.name)
		w.Series(metrics.NodeUDPQueues).Add(float64(s.RxQueueLength), "rx", ip.name)
	}
	return errors.Join(errs...)
}
