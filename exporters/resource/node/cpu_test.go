package node

import (
	"fmt"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/internal/family"
)

func TestACPUTimeThatFallsKeepsItsValueUntilItCatchesUp(t *testing.T) {
	type scrape struct{ idle, iowait, wantIdle, wantIowait string } // hundredths, seconds
	for name, scrapes := range map[string][]scrape{
		"iowait falls and catches up": {
			{"1000", "500", "10", "5"}, {"1100", "400", "11", "5"}, {"1200", "600", "12", "6"},
		},
		"idle falls by less than three seconds": {
			{"1000", "500", "10", "5"}, {"701", "500", "10", "5"}, {"1001", "500", "10.01", "5"},
		},
		"idle falls by three seconds, so the CPU was replaced and all its times start again": {
			{"1000", "500", "10", "5"}, {"700", "1", "7", "0.01"}, {"800", "2", "8", "0.02"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := unpack(t, "old-kernel", "/")
			c := only(m.collectors(t), []string{"cpu"})
			for i, s := range scrapes {
				m.write(t, "proc/stat", fmt.Sprintf("cpu0 1 1 1 %s %s 1 1 0 0 0\n", s.idle, s.iowait))
				out, err := collect(c)
				if err != nil {
					t.Fatal(err)
				}
				text := string(encode(out, family.Text))
				for mode, want := range map[string]string{"idle": s.wantIdle, "iowait": s.wantIowait} {
					line := fmt.Sprintf("node_cpu_seconds_total{cpu=\"0\",mode=%q} %s\n", mode, want)
					if !strings.Contains(text, line) {
						t.Errorf("scrape %d: no line %s", i, line)
					}
				}
			}
		})
	}
}

func TestACPUThatComesBackStartsAfresh(t *testing.T) {
	m := unpack(t, "old-kernel", "/")
	c := only(m.collectors(t), []string{"cpu"})
	var text string
	for _, stat := range []string{
		"cpu0 100 0 0 100 0 0 0 0 0 0\ncpu1 90 0 0 100 0 0 0 0 0 0\n",
		"cpu0 110 0 0 110 0 0 0 0 0 0\n",
		"cpu0 120 0 0 120 0 0 0 0 0 0\ncpu1 1 0 0 100 0 0 0 0 0 0\n",
	} {
		m.write(t, "proc/stat", stat)
		out, err := collect(c)
		if err != nil {
			t.Fatal(err)
		}
		text = string(encode(out, family.Text))
		if strings.Contains(stat, "cpu1") != strings.Contains(text, `cpu="1"`) {
			t.Errorf("CPU 1 is served otherwise than the kernel lists it:\n%s", stat)
		}
	}
	if want := `node_cpu_seconds_total{cpu="1",mode="user"} 0.01`; !strings.Contains(text, want) {
		t.Errorf("no %s: the CPU kept what it had before it went", want)
	}
}

func TestSysWithoutCPUsIsNoError(t *testing.T) {
	m := unpack(t, "bare-metal", "/")
	m.remove(t, "sys/devices")
	if text := m.run(t, "cpu"); !strings.Contains(text, "node_cpu_seconds_total") || strings.Contains(text, "node_cpu_online") {
		t.Errorf("want times and no state:\n%s", text)
	}
}
