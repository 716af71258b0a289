package network

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/prometheus/procfs"
)

func TestCountersAreFoundByTheirNames(t *testing.T) {
	for name, test := range map[string]struct {
		snmp  string
		known bool
		want  counters
	}{
		"among other protocols": {
			"Ip: Forwarding InSegs\nIp: 1 99\nTcp: MaxConn ActiveOpens InSegs OutRsts\nTcp: -1 5 6 7\nUdp: OutRsts\nUdp: 99\n", true, counters{opened: 5, received: 6, sentReset: 7},
		},
		"in another order, with one that is new": {"Tcp: OutRsts New InSegs\nTcp: 7 8 6\n", true, counters{received: 6, sentReset: 7}},
		"without a line of values":               {"Tcp: ActiveOpens\n", false, counters{}},
		"with fewer values than names":           {"Tcp: ActiveOpens PassiveOpens\nTcp: 3\n", true, counters{opened: 3}},
		"with more values than names":            {"Tcp: ActiveOpens\nTcp: 3 4\n", true, counters{opened: 3}},
		"with a value that is no number":         {"Tcp: ActiveOpens PassiveOpens\nTcp: x 4\n", true, counters{accepted: 4}},
		"of nothing":                             {"", false, counters{}},
	} {
		t.Run(name, func(t *testing.T) {
			var c counters
			if known := c.readSNMP([]byte(test.snmp)); known != test.known || c != test.want {
				t.Errorf("got %+v, %v", c, known)
			}
		})
	}
}

// TestCountersAreAsProcfsReadsThem compares with the library on this machine.
func TestCountersAreAsProcfsReadsThem(t *testing.T) {
	p, err := procfs.NewProc(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for { // until nothing was sent between the two readings
		before, err := p.Snmp()
		if err != nil {
			t.Fatal(err)
		}
		netstat, err := p.Netstat()
		if err != nil {
			t.Fatal(err)
		}
		var c counters
		for file, read := range map[string]func([]byte){"snmp": func(b []byte) { c.readSNMP(b) }, "netstat": c.readNetstat} {
			content, err := os.ReadFile("/proc/self/net/" + file)
			if err != nil {
				t.Fatal(err)
			}
			read(content)
		}
		after, err := p.Snmp()
		if err != nil {
			t.Fatal(err)
		}
		if *before.InSegs != *after.InSegs || *before.OutSegs != *after.OutSegs {
			continue
		}
		want := counters{
			opened: uint64(*after.ActiveOpens), accepted: uint64(*after.PassiveOpens), failed: uint64(*after.AttemptFails),
			reset: uint64(*after.EstabResets), established: uint64(*after.CurrEstab), received: uint64(*after.InSegs),
			sent: uint64(*after.OutSegs), retransmitted: uint64(*after.RetransSegs), sentReset: uint64(*after.OutRsts),
			overflows: uint64(*netstat.ListenOverflows), drops: uint64(*netstat.ListenDrops),
		}
		if c != want {
			t.Errorf("got %+v, procfs says %+v", c, want)
		}
		return
	}
}

// FuzzCounter holds that what is read can be written down and read again.
func FuzzCounter(f *testing.F) {
	f.Add("Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens\nTcp: 1 200 120000 -1 10388\n")
	f.Add("Tcp:Tcp:\n\nTcp: 18446744073709551616\nTcp:  1")
	f.Fuzz(func(t *testing.T, content string) {
		type counter struct {
			name  string
			value uint64
		}
		read := func(content string) (out []counter) {
			eachCounter([]byte(content), "Tcp:", func(name []byte, v uint64) { out = append(out, counter{string(name), v}) })
			return out
		}
		first := read(content)
		names, values := "Tcp:", "Tcp:"
		for _, c := range first {
			names += " " + c.name
			values += " " + fmt.Sprint(c.value)
		}
		if again := read(names + "\n" + values + "\n"); !slices.Equal(first, again) {
			t.Errorf("%q is read as %v, and that as %v", content, first, again)
		}
	})
}
