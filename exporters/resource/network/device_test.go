package network

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/procfs"
)

const heading = "Inter-|   Receive                                                |  Transmit\n" +
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"

func devices(content string) map[string]device {
	out := map[string]device{}
	eachDevice([]byte(content), func(name []byte, d device) { out[string(name)] = d })
	return out
}

func TestInterfacesAreReadFromTheirColumns(t *testing.T) {
	whole := device{traffic{1, 2, 3, 4}, traffic{9, 10, 11, 12}}
	for name, test := range map[string]struct {
		line, device string
	}{
		"with spaces before the name":    {"  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "eth0"},
		"with a number next to the name": {"longestname0123:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "longestname0123"},
		"with a colon in the name":       {"eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "eth0:1"},
		"with the last columns missing":  {"eth0: 1 2 3 4 5 6 7 8 9 10 11 12", "eth0"},
		"without a name":                 {": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", ""},
		"with a column missing":          {"eth0: 1 2 3 4 5 6 7 8 9 10 11", ""},
		"with a number that is none":     {"eth0: 1 2 x 4 5 6 7 8 9 10 11 12", ""},
		"with a negative number":         {"eth0: 1 2 -3 4 5 6 7 8 9 10 11 12", ""},
		"with a number that overflows":   {"eth0: 1 2 18446744073709551616 4 5 6 7 8 9 10 11 12", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := devices(heading + test.line + "\n")
			if test.device == "" {
				if len(got) > 0 {
					t.Errorf("got %v, want nothing", got)
				}
				return
			}
			if got[test.device] != whole || len(got) != 1 {
				t.Errorf("got %v, want %s with %v", got, test.device, whole)
			}
		})
	}
}

func TestInterfacesOfOthersAreLeftOut(t *testing.T) {
	busy := device{receive: traffic{packets: 1}}
	for _, test := range []struct {
		name string
		d    device
		want bool
	}{
		{"eth0", device{}, true}, {"eth0", busy, true}, {"local", busy, true}, {"ve", busy, true}, {"tun0", device{}, true},
		{"lo", busy, false}, {"veth12ab", busy, false}, {"docker0", busy, false}, {"nerdctl0", busy, false},
		{"sit0", device{}, false}, {"ip6_vti0", device{}, false}, {"sit0", busy, true},
	} {
		if got := served([]byte(test.name), test.d); got != test.want {
			t.Errorf("%s with %v: served is %v", test.name, test.d, got)
		}
	}
}

// TestInterfacesAreAsProcfsReadsThem compares with the library on this machine, which
// has real ones.
func TestInterfacesAreAsProcfsReadsThem(t *testing.T) {
	var content []byte
	var want procfs.NetDev
	for { // until nothing was sent between the two readings
		before, err := os.ReadFile("/proc/self/net/dev")
		if err != nil {
			t.Fatal(err)
		}
		fs, err := procfs.NewFS("/proc")
		if err != nil {
			t.Fatal(err)
		}
		if want, err = fs.NetDev(); err != nil {
			t.Fatal(err)
		}
		if content, err = os.ReadFile("/proc/self/net/dev"); err != nil {
			t.Fatal(err)
		}
		if string(before) == string(content) {
			break
		}
	}
	got := devices(string(content))
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, w := range want {
		if d := got[name]; d.receive != (traffic{w.RxBytes, w.RxPackets, w.RxErrors, w.RxDropped}) || d.transmit != (traffic{w.TxBytes, w.TxPackets, w.TxErrors, w.TxDropped}) {
			t.Errorf("%q: got %v, procfs says %+v", name, d, w)
		}
	}
}

// FuzzDevice holds that what is read is in the file, line by line.
func FuzzDevice(f *testing.F) {
	f.Add(heading + "    lo: 4285061104  565455    0    0    0     0          0         0 4285061104  565455    0    0    0     0       0          0\n")
	f.Add("eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16")
	f.Add("eth0:18446744073709551615 2 3 4\n\n:")
	f.Fuzz(func(t *testing.T, content string) {
		eachDevice([]byte(content), func(name []byte, d device) {
			r, s := d.receive, d.transmit
			line := fmt.Sprintf("%s:%d %d %d %d 0 0 0 0 %d %d %d %d\n", name, r.bytes, r.packets, r.errors, r.dropped, s.bytes, s.packets, s.errors, s.dropped)
			if again := devices(line); len(again) != 1 || again[string(name)] != d || !strings.Contains(content, string(name)+":") {
				t.Errorf("%q is read as %q %v, and that as %v", content, name, d, again)
			}
		})
	})
}
