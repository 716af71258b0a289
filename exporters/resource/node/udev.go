package node

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// udev is the directory of udev's database: a file for each device that udev has
// seen. Containers and machines without udev have none.
type udev string

// udevProperties are a device's properties by name. All are optional.
type udevProperties map[string]string

// maxUdevBytes bounds what is read of one device; real files have a few hundred
// bytes to a few thousand.
const maxUdevBytes = 64 << 10

// properties returns what udev knows of a block device, nil when it knows nothing.
func (u udev) properties(major, minor uint32) (udevProperties, error) {
	if u == "" {
		return nil, nil
	}
	f, err := os.Open(filepath.Join(string(u), fmt.Sprintf("b%d:%d", major, minor)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read udev's data: %w", err)
	}
	defer f.Close()
	p, err := parseUdev(io.LimitReader(f, maxUdevBytes))
	if err != nil {
		return nil, fmt.Errorf("read udev's data: %w", err)
	}
	return p, nil
}

// parseUdev reads the lines E:NAME=VALUE of a file of udev's database; the other
// lines are links, tags and times. The format is systemd's own, as
// `udevadm info --export-db` shows it.
func parseUdev(r io.Reader) (udevProperties, error) {
	p := udevProperties{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		property, ok := strings.CutPrefix(lines.Text(), "E:")
		if !ok {
			continue
		}
		if name, value, ok := strings.Cut(property, "="); ok {
			p[name] = value
		}
	}
	return p, lines.Err()
}

// serial is the number on the disk's label, else what comes next to it: virtio
// disks have nothing but ID_SERIAL.
func (p udevProperties) serial() string {
	for _, name := range []string{"SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"} {
		if s := p[name]; s != "" {
			return s
		}
	}
	return ""
}
