package cgroup

import (
	"bytes"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// file is a file of a control group, and what it says.
type file struct {
	dir   string // of the hierarchy
	name  string
	total bool // it has what is counted when a group ends
	// parse takes the content into the statistics and says whether it could.
	parse func(*Stats, []byte) bool
}

// Buffer is the memory that reading takes. It is reused from group to group and used
// by one goroutine at a time; its zero value is ready.
type Buffer struct {
	data []byte
	path []byte
	io   []Device
}

// Sizes of files. The largest, memory.stat, has some kilobytes.
const (
	usualFile = 8 << 10
	maxFile   = 1 << 20
)

var errTooLarge = errors.New("file is larger than any of the kernel's")

// open opens a file of a group. Plain system calls instead of os.File save the
// poller's registration.
func (b *Buffer) open(dir, group, file string) (fd int, err error) {
	b.path = append(b.path[:0], dir...)
	b.path = append(b.path, group...)
	b.path = append(b.path, '/')
	b.path = append(b.path, file...)
	return retry(func() (int, error) {
		return unix.Open(string(b.path), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	})
}

// again returns an open file's content, which is valid until the next reading. The
// kernel writes each of the files that are read again as one record, so what fits
// into the buffer came whole.
func (b *Buffer) again(fd int) ([]byte, error) { return b.from(fd, false) }

// whole returns a file's content, however many records it has.
func (b *Buffer) whole(fd int) ([]byte, error) { return b.from(fd, true) }

func (b *Buffer) from(fd int, toEnd bool) ([]byte, error) {
	if cap(b.data) == 0 {
		b.data = make([]byte, usualFile)
	}
	n := 0
	for {
		if n == cap(b.data) {
			if n >= maxFile {
				return nil, errTooLarge
			}
			b.data = append(b.data[:n], make([]byte, n)...)
		}
		b.data = b.data[:cap(b.data)]
		m, err := retry(func() (int, error) { return unix.Pread(fd, b.data[n:], int64(n)) })
		if err != nil {
			return nil, err
		}
		n += m
		if m == 0 || !toEnd && n < cap(b.data) {
			return b.data[:n], nil
		}
	}
}

// retry repeats a system call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// number parses a file of one number. "max", and v1's largest page-aligned value,
// mean no limit and are returned as 0, as cAdvisor has it.
func number(b []byte) (float64, bool) {
	b = bytes.TrimSpace(b)
	if string(b) == "max" {
		return 0, true
	}
	v, ok := parseUint(b)
	if !ok {
		return 0, false
	}
	const pageCounterMax = 1 << 62 // PAGE_COUNTER_MAX is LONG_MAX rounded down to a page
	if v >= pageCounterMax {
		return 0, true
	}
	return float64(v), true
}

// parseUint parses digits and nothing else.
func parseUint(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	var v uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || v > (1<<64-1-d)/10 {
			return 0, false
		}
		v = v*10 + d
	}
	return v, true
}

// eachPair calls f for every line "key value" of a flat keyed file.
func eachPair(b []byte, f func(key []byte, value uint64)) {
	for len(b) > 0 {
		var line []byte
		line, b = cutLine(b)
		i := bytes.IndexByte(line, ' ')
		if i < 0 {
			continue
		}
		if v, ok := parseUint(bytes.TrimSpace(line[i+1:])); ok {
			f(line[:i], v)
		}
	}
}

func cutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// pressure parses a *.pressure file, whose totals are in microseconds:
//
//	some avg10=0.00 avg60=0.00 avg300=0.00 total=123
//	full avg10=0.00 avg60=0.00 avg300=0.00 total=45
func pressure(b []byte) Pressure {
	var p Pressure
	for len(b) > 0 {
		var line []byte
		line, b = cutLine(b)
		i := bytes.LastIndex(line, []byte(" total="))
		if i < 0 {
			continue
		}
		us, ok := parseUint(line[i+len(" total="):])
		switch {
		case !ok:
		case bytes.HasPrefix(line, []byte("some ")):
			p.Waiting, p.Known = float64(us)/1e6, true
		case bytes.HasPrefix(line, []byte("full ")):
			p.Stalled, p.StalledKnown = float64(us)/1e6, true
		}
	}
	return p
}

// quotaPeriod parses v2's cpu.max: "max 100000" or "50000 100000".
func quotaPeriod(b []byte) (quota, period float64, ok bool) {
	q, p, found := bytes.Cut(bytes.TrimSpace(b), []byte(" "))
	if !found {
		return 0, 0, false
	}
	quota, qok := number(q)
	period, pok := number(p)
	return quota, period, qok && pok
}

// signed parses v1's cpu.cfs_quota_us, where -1 is no limit, given as 0.
func signed(b []byte) (float64, bool) {
	v, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
	return float64(max(v, 0)), err == nil
}
