package node

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/internal/family"
)

// counters serves the fields of a table of the kernel whose names a regular
// expression chooses. What each name leads to is found out once, not each scrape.
// It is used by one goroutine at a time.
type counters struct {
	table map[string]*family.Family // those that are listed
	other func(field, help string) *family.Family
	wants *regexp.Regexp

	known map[string]*place // by field
	w     *family.Writer
	errs  []error
}

// place is where a field's value goes; its family is nil if it is not wanted.
type place struct {
	family *family.Family
	listed bool
	served bool // in this scrape
}

func newCounters(table map[string]*family.Family, other func(string, string) *family.Family, wants *regexp.Regexp) *counters {
	return &counters{table: table, other: other, wants: wants, known: map[string]*place{}}
}

// begin starts a scrape.
func (c *counters) begin(w *family.Writer) {
	c.w, c.errs = w, nil
	for _, p := range c.known {
		p.served = false
	}
}

// add serves a field if it is wanted. The kernel's names are unique; were one not,
// its first value would stand.
func (c *counters) add(field, value []byte) {
	p := c.known[string(field)]
	if p == nil {
		p = c.find(string(field))
		c.known[string(field)] = p
	}
	if p.family == nil || p.served {
		return
	}
	p.served = true
	v, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("field %s: %w", field, err))
		return
	}
	if p.listed {
		c.w.Series(p.family).Add(v)
		return
	}
	s, err := c.w.Foreign(p.family)
	if err != nil {
		c.errs = append(c.errs, err)
		return
	}
	s.AddForeign("", v, nil)
}

func (c *counters) find(field string) *place {
	if !c.wants.MatchString(field) {
		return &place{}
	}
	if f := c.table[field]; f != nil {
		return &place{family: f, listed: true}
	}
	return &place{family: c.other(field, "Counter of the kernel of this name.")}
}

// buffer is a file's contents, in memory that is used again for the next. Files of
// /proc have no size, and small ones must be read at once to be consistent.
type buffer []byte

// maxProcBytes bounds what is read of a file of the kernel.
const maxProcBytes = 16 << 20

// read returns the contents of a file, which are valid until the next call. It
// leaves out what os.File does besides opening, reading and closing: trying to poll
// a file of /proc costs as much as reading a small one.
func (b *buffer) read(path string) ([]byte, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written
	if cap(*b) == 0 {
		*b = make([]byte, 0, 16<<10)
	}
	data := (*b)[:0]
	for {
		if len(data) == cap(data) {
			if len(data) >= maxProcBytes {
				return nil, fmt.Errorf("%s is larger than %d MiB", path, maxProcBytes>>20)
			}
			data = append(data, 0)[:len(data)]
		}
		n, err := retry(func() (int, error) { return unix.Read(fd, data[len(data):cap(data)]) })
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return data, nil
		}
		data = data[:len(data)+n]
		*b = data
	}
}

// retry makes a system call until no signal interrupts it.
func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
