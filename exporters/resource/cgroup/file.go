package cgroup

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
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
	kernelfile.Buffer

	path []byte
	io   []Device
}

// open opens a file of a group. Plain system calls instead of os.File save the
// poller's registration.
func (b *Buffer) open(dir, group, file string) (fd int, err error) {
	b.path = append(b.path[:0], dir...)
	b.path = append(b.path, group...)
	b.path = append(b.path, '/')
	b.path = append(b.path, file...)
	return kernelfile.Retry(func() (int, error) {
		return unix.Open(string(b.path), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	})
}

// number parses a file of one number. "max", and v1's largest page-aligned value,
// mean no limit and are returned as 0, as cAdvisor has it.
func number(b []byte) (float64, bool) {
	b = bytes.TrimSpace(b)
	if string(b) == "max" {
		return 0, true
	}
	v, ok := kernelfile.ParseUint(b)
	if !ok {
		return 0, false
	}
	const pageCounterMax = 1 << 62 // PAGE_COUNTER_MAX is LONG_MAX rounded down to a page
	if v >= pageCounterMax {
		return 0, true
	}
	return float64(v), true
}

// eachPair calls f for every line "key value" of a flat keyed file.
func eachPair(b []byte, f func(key []byte, value uint64)) {
	for len(b) > 0 {
		var line []byte
		line, b = kernelfile.CutLine(b)
		i := bytes.IndexByte(line, ' ')
		if i < 0 {
			continue
		}
		if v, ok := kernelfile.ParseUint(bytes.TrimSpace(line[i+1:])); ok {
			f(line[:i], v)
		}
	}
}

// pressure parses a *.pressure file, whose totals are in microseconds:
//
//	some avg10=0.00 avg60=0.00 avg300=0.00 total=123
//	full avg10=0.00 avg60=0.00 avg300=0.00 total=45
func pressure(b []byte) Pressure {
	var p Pressure
	for len(b) > 0 {
		var line []byte
		line, b = kernelfile.CutLine(b)
		i := bytes.LastIndex(line, []byte(" total="))
		if i < 0 {
			continue
		}
		us, ok := kernelfile.ParseUint(line[i+len(" total="):])
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
