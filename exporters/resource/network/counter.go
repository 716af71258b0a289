package network

import (
	"bytes"

	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
)

// counters are those of TCP in one network namespace, for IPv4 and IPv6 together
// (RFC 4022, and the kernel's own of Documentation/networking/snmp_counter.rst).
type counters struct {
	opened, accepted         uint64 // ActiveOpens, PassiveOpens
	failed, reset            uint64 // AttemptFails, EstabResets
	established              uint64 // CurrEstab, a gauge
	received, sent           uint64 // InSegs, OutSegs: segments
	retransmitted, sentReset uint64 // RetransSegs, OutRsts

	overflows, drops uint64 // ListenOverflows, ListenDrops
}

// readSNMP takes what net/snmp has, and says whether it has TCP's.
func (c *counters) readSNMP(b []byte) (ok bool) {
	eachCounter(b, "Tcp:", func(name []byte, v uint64) {
		ok = true
		switch string(name) {
		case "ActiveOpens":
			c.opened = v
		case "PassiveOpens":
			c.accepted = v
		case "AttemptFails":
			c.failed = v
		case "EstabResets":
			c.reset = v
		case "CurrEstab":
			c.established = v
		case "InSegs":
			c.received = v
		case "OutSegs":
			c.sent = v
		case "RetransSegs":
			c.retransmitted = v
		case "OutRsts":
			c.sentReset = v
		}
	})
	return ok
}

// readNetstat takes what net/netstat has.
func (c *counters) readNetstat(b []byte) {
	eachCounter(b, "TcpExt:", func(name []byte, v uint64) {
		switch string(name) {
		case "ListenOverflows":
			c.overflows = v
		case "ListenDrops":
			c.drops = v
		}
	})
}

// eachCounter calls f for the counters of one section of net/snmp or net/netstat,
// which has a line of names and a line of values. A value that is no counter, such as
// MaxConn's -1, is left out.
func eachCounter(b []byte, section string, f func(name []byte, value uint64)) {
	var names []byte
	for len(b) > 0 {
		var line []byte
		line, b = kernelfile.CutLine(b)
		if !bytes.HasPrefix(line, []byte(section)) {
			continue
		}
		line = line[len(section):]
		if names == nil {
			names = line
			continue
		}
		for {
			var name, value []byte
			name, names = cutField(names)
			value, line = cutField(line)
			if len(name) == 0 || len(value) == 0 {
				return
			}
			if v, ok := kernelfile.ParseUint(value); ok {
				f(name, v)
			}
		}
	}
}
