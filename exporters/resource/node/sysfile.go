package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/internal/family"
)

// readSysFile returns an attribute of sysfs without the space around it. It reads
// once: os.ReadFile would wait for ever where a driver answers EAGAIN.
func readSysFile(path string) (string, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var buf [512]byte
	for {
		n, err := unix.Read(fd, buf[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return "", &fs.PathError{Op: "read", Path: path, Err: err}
		}
		return string(bytes.TrimSpace(buf[:n])), nil
	}
}

// readSysUint returns an attribute of sysfs that is a number.
func readSysUint(path string) (uint64, error) {
	text, err := readSysFile(path)
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// unreadable says whether an attribute is not there, or is and has no value now:
// what drivers answer for a sensor that is off or a device that just went.
func unreadable(err error) bool {
	for _, e := range []error{
		fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid, unix.EINVAL, unix.ENODATA, unix.EAGAIN, unix.ENODEV, unix.ENXIO, unix.EOPNOTSUPP, unix.EIO,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// others are the families of one scrape that no table lists, by name.
type others struct {
	w      *family.Writer
	series map[string]*family.Series
	errs   []error
}

// add adds a sample; the labels are the family's, in its order.
func (o *others) add(f *family.Family, v float64, labels ...string) {
	s, ok := o.series[f.Name]
	if !ok {
		var err error
		if s, err = o.w.Foreign(f); err != nil {
			o.errs = append(o.errs, err)
		}
		if o.series == nil {
			o.series = map[string]*family.Series{}
		}
		o.series[f.Name] = s // nil for one that is refused
	}
	if s == nil {
		return
	}
	pairs := make([]family.Label, len(f.Labels))
	for i, name := range f.Labels {
		pairs[i] = family.Label{Name: name, Value: labels[i]}
	}
	s.AddForeign("", v, pairs)
}
