package container

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Devices names block devices by their numbers. Its methods may be called by
// several goroutines.
type Devices struct {
	SysFS string // where sysfs(5) is mounted

	mu    sync.Mutex
	at    time.Time
	names map[[2]uint32]deviceName
}

type deviceName struct{ device, major, minor string }

// Bounds of what is remembered: numbers are given to other devices in time.
const (
	rememberDevices = 5 * time.Minute
	maxDevices      = 4096
)

// name returns a device's file, "/dev/sda", empty where sysfs does not know it, and
// its numbers.
func (d *Devices) name(major, minor uint32) (device, maj, min string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.names) >= maxDevices || time.Since(d.at) > rememberDevices {
		d.names, d.at = map[[2]uint32]deviceName{}, time.Now()
	}
	id := [2]uint32{major, minor}
	n, ok := d.names[id]
	if !ok {
		n = deviceName{major: strconv.FormatUint(uint64(major), 10), minor: strconv.FormatUint(uint64(minor), 10)}
		if link, err := os.Readlink(filepath.Join(d.SysFS, "dev/block", fmt.Sprintf("%d:%d", major, minor))); err == nil {
			n.device = "/dev/" + filepath.Base(link)
		}
		d.names[id] = n
	}
	return n.device, n.major, n.minor
}
