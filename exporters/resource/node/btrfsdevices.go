package node

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"unsafe"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/internal/family"
)

// btrfsDevices asks mounted Btrfs file systems for their devices
// (include/uapi/linux/btrfs.h): sysfs does not say which device an error is of.
type btrfsDevices struct {
	proc procfs.FS
	root string // where the node's root is mounted
	one  func(root, mountPoint string) (uuid string, devices []btrfsDevice, err error)
}

// btrfsDevice is a device of a file system.
type btrfsDevice struct {
	name, uuid  string
	used, total uint64
	errors      [len(btrfsErrors)]uint64
}

// btrfsErrors are the kinds of errors in the kernel's order (enum btrfs_dev_stat_values).
var btrfsErrors = [...]string{"write", "read", "flush", "corruption", "generation"}

func (d btrfsDevice) add(w *family.Writer, fs string) {
	w.Series(metrics.NodeBtrfsDeviceSize).Add(float64(d.total), fs, d.name, d.uuid)
	w.Series(metrics.NodeBtrfsDeviceUnused).Add(float64(d.total-min(d.used, d.total)), fs, d.name, d.uuid)
	for i, kind := range btrfsErrors {
		w.Series(metrics.NodeBtrfsDeviceErrors).Add(float64(d.errors[i]), fs, kind, d.name, d.uuid)
	}
}

// ask returns the devices by the file system's UUID. What is not mounted where the
// exporter sees it, or may not be asked, is missing.
func (b *btrfsDevices) ask() map[string][]btrfsDevice {
	mounts, err := mount.Table(b.proc, filepath.Clean(b.root))
	if err != nil {
		return nil
	}
	out := map[string][]btrfsDevice{}
	asked := map[string]bool{}
	for _, m := range mounts {
		if m.FSType != "btrfs" || asked[m.Device] {
			continue
		}
		uuid, devices, err := b.one(b.root, m.Point)
		if err != nil {
			continue // perhaps another mount of it can be asked
		}
		out[uuid], asked[m.Device] = devices, true
	}
	return out
}

// The requests, whose numbers hold the size of what they take (_IOC).
const (
	btrfsFSInfo   = 0x8400941f // struct btrfs_ioctl_fs_info_args
	btrfsDevInfo  = 0xd000941e // struct btrfs_ioctl_dev_info_args
	btrfsDevStats = 0xc4089434 // struct btrfs_ioctl_get_dev_stats
	// maxBtrfsDevices bounds the numbers that are tried. Numbers of devices that
	// were removed are not given again.
	maxBtrfsDevices = 4096
)

// mountedBtrfs asks the file system that is mounted below root.
func mountedBtrfs(root, mountPoint string) (string, []btrfsDevice, error) {
	f, err := openInRoot(root, mountPoint)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	return askBtrfs(int(f.Fd()))
}

// askBtrfs returns the UUID of the file system that a descriptor is of, and its
// devices.
func askBtrfs(fd int) (string, []btrfsDevice, error) {
	var info [1024]byte // largest number, count, UUID
	if err := ioctl(fd, btrfsFSInfo, info[:]); err != nil {
		return "", nil, err
	}
	largest, count := binary.NativeEndian.Uint64(info[:]), binary.NativeEndian.Uint64(info[8:])
	var devices []btrfsDevice
	for id := uint64(0); id <= min(largest, maxBtrfsDevices) && uint64(len(devices)) < count; id++ {
		d, err := askBtrfsDevice(fd, id)
		if errors.Is(err, unix.ENODEV) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		devices = append(devices, d)
	}
	return uuidText(info[16:32]), devices, nil
}

func askBtrfsDevice(fd int, id uint64) (d btrfsDevice, err error) {
	var info [4096]byte // number, UUID, used, total, …, path
	binary.NativeEndian.PutUint64(info[:], id)
	if err := ioctl(fd, btrfsDevInfo, info[:]); err != nil {
		return d, err
	}
	var stats [1032]byte // number, how many counters, flags, counters
	binary.NativeEndian.PutUint64(stats[:], id)
	binary.NativeEndian.PutUint64(stats[8:], uint64(len(d.errors)))
	if err := ioctl(fd, btrfsDevStats, stats[:]); err != nil {
		return d, err
	}
	path, _, _ := bytes.Cut(info[3072:], []byte{0})
	d.name, d.uuid = filepath.Base(string(path)), uuidText(info[8:24])
	d.used, d.total = binary.NativeEndian.Uint64(info[24:]), binary.NativeEndian.Uint64(info[32:])
	for i := range d.errors {
		d.errors[i] = binary.NativeEndian.Uint64(stats[24+8*i:])
	}
	return d, nil
}

// ioctl makes a request; data has the size that its number says.
func ioctl(fd int, request uintptr, data []byte) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&data[0])))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// uuidText is a UUID in its canonical form.
func uuidText(b []byte) string {
	h := hex.EncodeToString(b)
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}
