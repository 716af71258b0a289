package node

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// uname serves the kernel's identity. The node's name is that of the UTS namespace
// that the exporter runs in, which is the node's only on the host's network.
type uname struct {
	call func(into *unix.Utsname) error
}

// Collect calls uname(2).
func (c uname) Collect(_ context.Context, w *family.Writer) error {
	var u unix.Utsname
	if err := c.call(&u); err != nil {
		return fmt.Errorf("uname: %w", err)
	}
	w.Series(metrics.NodeUnameInfo).Add(1,
		unix.ByteSliceToString(u.Sysname[:]),
		unix.ByteSliceToString(u.Release[:]),
		unix.ByteSliceToString(u.Version[:]),
		unix.ByteSliceToString(u.Machine[:]),
		unix.ByteSliceToString(u.Nodename[:]),
		unix.ByteSliceToString(u.Domainname[:]),
	)
	return nil
}
