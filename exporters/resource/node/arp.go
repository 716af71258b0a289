package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// arp serves the size of the ARP table.
type arp struct {
	proc   string
	wants  matcher
	buffer buffer
}

// Collect reads /proc/net/arp, which has what node_exporter asks netlink for: the
// entries that the NOARP flag does not exempt. procfs parses the hardware
// addresses too and gives up where one has not six bytes (tunnels) or none.
func (c *arp) Collect(_ context.Context, w *family.Writer) error {
	data, err := c.buffer.read(filepath.Join(c.proc, "net/arp"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read ARP table: %w", err)
	}
	entries := arpEntries(data)
	for _, device := range slices.Sorted(maps.Keys(entries)) {
		if c.wants.wants(device) {
			w.Series(metrics.NodeARPEntries).Add(float64(entries[device]), device)
		}
	}
	return nil
}

// arpEntries counts lines by what they end in: the device's name, which holds no
// blank. The first line is the header.
func arpEntries(data []byte) map[string]int {
	entries := map[string]int{}
	_, data, _ = bytes.Cut(data, []byte{'\n'})
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, " \n")
		if i := bytes.LastIndexByte(line, ' '); i >= 0 {
			entries[string(line[i+1:])]++
		}
	}
	return entries
}
