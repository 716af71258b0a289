package network

import (
	"bytes"

	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
)

// device is what one line of /proc/PID/net/dev says.
type device struct {
	receive, transmit traffic
}

type traffic struct {
	bytes, packets, errors, dropped uint64
}

func (d device) idle() bool { return d == device{} }

// eachDevice calls f for every interface of a net/dev file. Its columns are bytes,
// packets, errs, drop, fifo, frame, compressed, multicast of what was received, then
// bytes, packets, errs, drop, fifo, colls, carrier, compressed of what was sent; the
// kernel adds rx_missed_errors to the received drop (net/core/net-procfs.c). A line
// that is not of this form, such as the two headings, is left out.
func eachDevice(b []byte, f func(name []byte, d device)) {
	for len(b) > 0 {
		var line []byte
		line, b = kernelfile.CutLine(b)
		// A name may hold a colon itself (an alias).
		i := bytes.LastIndexByte(line, ':')
		if i < 0 {
			continue
		}
		name, rest := bytes.TrimLeft(line[:i], " "), line[i+1:]
		var columns [12]uint64
		ok := len(name) > 0
		for j := range columns {
			var field []byte
			field, rest = cutField(rest)
			v, isNumber := kernelfile.ParseUint(field)
			columns[j], ok = v, ok && isNumber
		}
		if ok {
			f(name, device{
				receive:  traffic{columns[0], columns[1], columns[2], columns[3]},
				transmit: traffic{columns[8], columns[9], columns[10], columns[11]},
			})
		}
	}
}

// inner are the beginnings of names that cAdvisor leaves out too: what a pod sends
// to itself, and what containers inside of it have.
var inner = []string{"veth", "docker", "nerdctl"}

// fallback are the devices that the kernel makes in every namespace once a module of
// tunnels is loaded.
var fallback = []string{"tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"}

// served says whether an interface is served.
func served(name []byte, d device) bool {
	if string(name) == "lo" {
		return false
	}
	for _, prefix := range inner {
		if bytes.HasPrefix(name, []byte(prefix)) {
			return false
		}
	}
	for _, f := range fallback {
		if string(name) == f {
			return !d.idle()
		}
	}
	return true
}
