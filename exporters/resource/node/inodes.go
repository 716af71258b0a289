package node

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// inodes lists a directory with each entry's inode, which os.ReadDir has only for a
// system call an entry.
func inodes(dir string) (map[string]netDeviceID, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	defer unix.Close(fd)
	out := map[string]netDeviceID{}
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", dir, err)
		}
		if n <= 0 {
			return out, nil
		}
		addEntries(out, buf[:n])
	}
}

// addEntries adds the entries that getdents64(2) returned: inode, offset, length
// of the record, type, and the name up to a zero byte.
func addEntries(to map[string]netDeviceID, records []byte) {
	const header = 19
	for len(records) > header {
		length := int(binary.NativeEndian.Uint16(records[16:]))
		if length <= header || length > len(records) {
			return
		}
		name, _, _ := bytes.Cut(records[header:length], []byte{0})
		if inode := binary.NativeEndian.Uint64(records); inode != 0 && len(name) > 0 && name[0] != '.' {
			to[string(name)] = netDeviceID{name: string(name), inode: inode}
		}
		records = records[length:]
	}
}
