package node

import (
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/internal/family"
)

func TestWhatTheKernelDoesNotOfferIsNoError(t *testing.T) {
	for name, c := range map[string]struct {
		collector string
		gone      []string
		without   string // what is then missing
		with      string // what is served nevertheless
	}{
		"a kernel without pressure": {
			"pressure", []string{"proc/pressure"}, "node_pressure", "",
		},
		"pressure without interrupts, before Linux 6.1": {
			"pressure", []string{"proc/pressure/irq"}, "node_pressure_irq", "node_pressure_io_stalled_seconds_total 312.345678\n",
		},
		"a machine without udev": {
			"diskstats", []string{"udev"}, "vol0123", `node_disk_info{device="nvme0n1"`,
		},
		"a network device that sysfs does not know": {
			"netdev", []string{"sys/class"}, "nohandler", `node_network_receive_bytes_total{device="lo"}`,
		},
		"no list of isolated CPUs": {
			"cpu", []string{"sys/devices/system/cpu/isolated"}, "isolated", "node_cpu_seconds_total",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := unpack(t, "kubernetes-node", "/")
			m.remove(t, c.gone...)
			text := m.run(t, c.collector)
			if strings.Contains(text, c.without) || !strings.Contains(text, c.with) {
				t.Errorf("want %s and not %s:\n%s", c.with, c.without, text)
			}
		})
	}
}

func TestWhatShouldBeThereAndIsNotIsAnErrorThatNamesIt(t *testing.T) {
	for collector, file := range map[string]string{
		"cpu": "proc/stat", "stat": "proc/stat", "meminfo": "proc/meminfo", "loadavg": "proc/loadavg",
		"diskstats": "proc/diskstats", "netdev": "proc/net/dev",
	} {
		t.Run(collector, func(t *testing.T) {
			m := unpack(t, "kubernetes-node", "/")
			m.remove(t, file)
			_, err := collect(m.collectors(t))
			if err == nil || !strings.Contains(err.Error(), collector+": ") || !strings.Contains(err.Error(), file) {
				t.Errorf("error %v, want one of %s that names %s", err, collector, file)
			}
		})
	}
}

func TestOneFileThatIsBrokenLeavesTheRestServed(t *testing.T) {
	for name, c := range map[string]struct{ collector, file, data, names, with string }{
		"pressure of one resource": {
			"pressure", "proc/pressure/io", "some nonsense\n", "pressure of io", "node_pressure_memory_waiting_seconds_total 0.001234\n",
		},
		"a counter of one network device": {
			"netdev", "sys/class/net/lo/statistics/rx_nohandler", "many\n", "network device lo", `receive_nohandler_total{device="ens5"} 14`,
		},
		"the isolated CPUs": {
			"cpu", "sys/devices/system/cpu/isolated", "a-b\n", "isolated CPUs", "node_cpu_seconds_total",
		},
		"udev's data of one disk": {
			"diskstats", "udev/b259:0", "E:" + strings.Repeat("x", maxUdevBytes), "block device nvme0n1", `node_disk_io_now{device="nvme0n1"} 2`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := unpack(t, "kubernetes-node", "/")
			m.write(t, c.file, c.data)
			out, err := collect(only(m.collectors(t), []string{c.collector}))
			if err == nil || !strings.Contains(err.Error(), c.names) {
				t.Errorf("error %v, want one that names %s", err, c.names)
			}
			if text := string(encode(out, family.Text)); !strings.Contains(text, c.with) {
				t.Errorf("want %s:\n%s", c.with, text)
			}
		})
	}
}
