package node

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/internal/family"
)

func TestHardwareThatIsNotThereIsNoError(t *testing.T) {
	m := unpack(t, "server", "/")
	m.remove(t, "sys/class", "sys/fs", "sys/block", "sys/devices", "proc/spl", "proc/mdstat", "proc/net/route")
	if text := m.run(t); strings.Contains(text, "node_hwmon") || !strings.Contains(text, `node_network_receive_bytes_total{device="eno1"} 300`) {
		t.Errorf("want network devices alone:\n%s", text)
	}
}

func TestHardwareThatIsOddLeavesTheRestServed(t *testing.T) {
	const sensor = "sys/class/hwmon/hwmon0/"
	for name, c := range map[string]struct {
		change    func(*testing.T, machine)
		collector string
		with      string
		without   string // a regular expression
		err       string // "" for none
	}{
		"a sensor that is a directory": {
			func(t *testing.T, m machine) { m.remove(t, sensor+"temp1_max"); m.write(t, sensor+"temp1_max/x", "1") },
			"hwmon", `node_hwmon_temp_celsius{chip="platform_nct6775_656",sensor="temp1"} 40.5`, `temp_max_celsius`, "",
		},
		"a sensor without a number": {
			func(t *testing.T, m machine) { m.write(t, sensor+"temp1_input", "") },
			"hwmon", `node_hwmon_temp_max_celsius{chip="platform_nct6775_656",sensor="temp1"} 80`, `temp_celsius{chip="platform_nct`, "",
		},
		"a sensor whose attribute is no part of a name": {
			func(t *testing.T, m machine) { m.write(t, sensor+"temp1_Ünder-way", "1000") },
			"hwmon", `node_hwmon_temp_nder_way_celsius{chip="platform_nct6775_656",sensor="temp1"} 1`, `Ü`, "",
		},
		"two attributes that are one name": {
			func(t *testing.T, m machine) { m.write(t, sensor+"fan1_a-b", "1"); m.write(t, sensor+"fan1_a_b", "2") },
			"hwmon", `node_hwmon_fan_a_b{chip="platform_nct6775_656",sensor="fan1"} 1`, `fan_a_b\S* 2`, "",
		},
		"a label of a sensor that is hostile": {
			func(t *testing.T, m machine) { m.write(t, sensor+"temp1_label", "a\nnode_hwmon_x 1\n\xff") },
			"hwmon", `sensor="temp1",label="a\nnode_hwmon_x 1\n` + "\uFFFD", `(?m)^node_hwmon_x`, "",
		},
		"a bond that names what is not below it": {
			func(t *testing.T, m machine) { m.write(t, "sys/class/net/bonding_masters", "../../../etc bond0") },
			"bonding", `node_bonding_slaves{master="bond0"} 2`, `etc`, "",
		},
		"a memory controller whose counter is no number": {
			func(t *testing.T, m machine) { m.write(t, "sys/devices/system/edac/mc/mc0/ce_count", "-1") },
			"edac", `node_edac_uncorrectable_errors_total{controller="0"} 1`, `node_edac_correctable_errors_total{`, "mc0/ce_count",
		},
		"a zone of energy with an odd name": {
			func(t *testing.T, m machine) { m.write(t, "sys/class/powercap/intel-rapl:0/name", "a{b} 1") },
			"rapl", `node_rapl_a_b_1_joules_total{index="0"`, `package_joules_total`, "",
		},
		"a field of ZFS that is no name": {
			func(t *testing.T, m machine) {
				m.write(t, "proc/spl/kstat/zfs/dmu_tx", "1 2\nname type data\nx{y} 4 1\ndmu_tx_error 4 2\n")
			},
			"zfs", "node_zfs_dmu_tx_dmu_tx_error 2\n", `(?m)^node_zfs_dmu_tx_x`, `x{y}`,
		},
		"a file of ZFS that is something else": {
			func(t *testing.T, m machine) { m.write(t, "proc/spl/kstat/zfs/arcstats", "nonsense\n") },
			"zfs", `node_zfs_zpool_nread{zpool="tank"}`, `node_zfs_arc_hits`, "arcstats",
		},
		"a pool's I/O with too few numbers": {
			func(t *testing.T, m machine) { m.write(t, "proc/spl/kstat/zfs/tank/io", "1\nnread nwritten\n1\n") },
			"zfs", "node_zfs_arc_hits 100\n", `node_zfs_zpool_nread`, "tank/io",
		},
		"two datasets of one name": {
			func(t *testing.T, m machine) {
				m.write(t, "proc/spl/kstat/zfs/tank/objset-0x37", m.read(t, "proc/spl/kstat/zfs/tank/objset-0x36"))
			},
			"zfs", `node_zfs_zpool_dataset_reads{zpool="tank",dataset="tank/my data \"x\""}`, `nothing`, "",
		},
		"a thermal zone that is off": {
			func(t *testing.T, m machine) { m.remove(t, "sys/class/thermal/thermal_zone0/temp") },
			"thermal_zone", `node_cooling_device_cur_state{name="0"`, `node_thermal_zone_temp`, "",
		},
		"an array in words that nobody knows": {
			func(t *testing.T, m machine) { m.write(t, "proc/mdstat", "Personalities :\nmd9 : nonsense\n") },
			"mdadm", `node_md_degraded{device="md0"} 1`, `md9`, "RAID",
		},
		"an InfiniBand port that is broken": {
			func(t *testing.T, m machine) { m.write(t, "sys/class/infiniband/mlx5_0/ports/1/rate", "fast\n") },
			"infiniband", "", `node_infiniband`, "mlx5_0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := unpack(t, "server", "/")
			c.change(t, m)
			out, err := collect(only(m.collectors(t), []string{c.collector}))
			if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one that names %q", err, c.err)
			}
			body := encode(out, family.Text)
			if text := string(body); !strings.Contains(text, c.with) || regexp.MustCompile(c.without).MatchString(text) {
				t.Errorf("want %s and not %s:\n%s", c.with, c.without, text)
			}
			expfmtReads(t, body)
		})
	}
}

func TestFlagsOfHardwareChooseWhatIsServed(t *testing.T) {
	for name, c := range map[string]struct {
		args          []string
		collector     string
		with, without string
	}{
		"chips left out":          {[]string{"--collector.hwmon.chip-exclude=^acpi"}, "hwmon", "platform_nct6775_656", "acpi_fan"},
		"only some chips":         {[]string{"--collector.hwmon.chip-include=^acpi"}, "hwmon", "acpi_fan_hwmon3", "nct6775"},
		"sensors left out":        {[]string{"--collector.hwmon.sensor-exclude=nct6775_656;fan"}, "hwmon", `sensor="temp1"`, `656",sensor="fan`},
		"only some sensors":       {[]string{"--collector.hwmon.sensor-include=nct6775_656;fan"}, "hwmon", `656",sensor="fan1"`, `sensor="temp1"`},
		"network devices":         {[]string{"--collector.netclass.ignored-devices=^bond"}, "netclass", `device="eno1"`, "bond0"},
		"a speed that is unknown": {[]string{"--collector.netclass.ignore-invalid-speed"}, "netclass", `speed_bytes{device="eno1"}`, `speed_bytes{device="eno2"}`},
		"power supplies":          {[]string{"--collector.powersupply.ignored-supplies=AC"}, "powersupplyclass", "BAT0", `"AC"`},
		"tape drives":             {[]string{"--collector.tapestats.ignored-devices=st"}, "tapestats", "", "st0"},
		"InfiniBand devices":      {[]string{"--collector.infiniband.device-exclude=mlx"}, "infiniband", "", "mlx5_0"},
		"zones as a label":        {[]string{"--collector.rapl.enable-zone-label"}, "rapl", `rapl_zone="dram"} 6`, "node_rapl_dram"},
		"containers' devices":     {[]string{"--collector.netdev.virtual=list"}, "netdev", `device="web"`, "virtual_network"},
		"flags without effect":    {[]string{"--no-collector.netdev.netlink", "--collector.netclass.netlink"}, "netdev", "eno1", "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			m := unpack(t, "server", "/")
			var o Options
			app := kingpin.New("test", "")
			o.AddFlags(app)
			if _, err := app.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			m.options.Hardware = o.Hardware
			text := m.run(t, c.collector)
			if !strings.Contains(text, c.with) || strings.Contains(text, c.without) {
				t.Errorf("want %s and not %s:\n%s", c.with, c.without, text)
			}
		})
	}
}

func TestAMountThatIsNoBtrfsHasNoDevices(t *testing.T) {
	for name, path := range map[string]string{"another file system": "/proc", "nothing": "/nonexistent"} {
		if uuid, devices, err := mountedBtrfs("/", path); err == nil || len(devices) > 0 {
			t.Errorf("%s: %s %v %v", name, uuid, devices, err)
		}
	}
}

func TestBtrfsThatCannotBeAskedHasSizesFromSysfs(t *testing.T) {
	m := unpack(t, "server", "/")
	m.remove(t, "btrfs")
	text := m.run(t, "btrfs")
	if want := `device="sdg",btrfs_dev_uuid=""} 1.073741824e+10`; !strings.Contains(text, strings.Replace(want, "1.073741824e+10", "10737418240", 1)) || strings.Contains(text, "device_errors") {
		t.Errorf("want %s and no errors:\n%s", want, text)
	}
}

func TestAnAttributeOfSysfsIsReadOnce(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := readSysFile(fifo); !unreadable(err) {
		t.Errorf("a driver that answers EAGAIN: %v", err)
	}
}

// FuzzSensorNames: what is taken apart can be put together again.
func FuzzSensorNames(f *testing.F) {
	for _, seed := range []string{"temp1_input", "pwm1", "beep_enable", "in0_", "power1_average_interval_max", "99999999999999999999_x", "1", "temp٣_input"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		kind, number, attribute, ok := parseSensor(file)
		if !ok {
			return
		}
		if kind == "" || number < 0 || strings.ContainsAny(kind, "0123456789") {
			t.Errorf("%q is %q %d %q", file, kind, number, attribute)
		}
		if !strings.HasPrefix(file, kind) || !strings.HasSuffix(file, attribute) {
			t.Errorf("%q is %q %d %q", file, kind, number, attribute)
		}
	})
}

// FuzzKstats: whatever a file holds, each number that is served stands in it.
func FuzzKstats(f *testing.F) {
	f.Add("1 2\nname type data\nhits 4 5\nsize 3 -7\ndataset_name 7 a b\n")
	f.Add("1 2\nnread nwritten\n1 2\n")
	f.Fuzz(func(t *testing.T, data string) {
		check := func(name string, v float64) {
			if name == "" || !strings.Contains(data, name) || math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%q %v of %q", name, v, data)
			}
		}
		_ = parseNamed(strings.NewReader(data), check, func(name string) {
			if !strings.Contains(data, name) {
				t.Errorf("dataset %q of %q", name, data)
			}
		})
		_ = parseIO(strings.NewReader(data), check)
	})
}

// BenchmarkNetDevices is what a scrape of netdev and netclass costs on a node with
// as many pods; it grows by what /proc/net/dev and a directory take a device.
func BenchmarkNetDevices(b *testing.B) {
	for _, pods := range []int{0, 1000} {
		b.Run(fmt.Sprintf("%d pods", pods), func(b *testing.B) {
			dir := b.TempDir()
			write := func(name, data string) {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					b.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
					b.Fatal(err)
				}
			}
			text := "Inter-|\n face |\n"
			for i := range pods {
				name := fmt.Sprintf("veth%08x", i)
				text += name + ": 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
				for file, v := range map[string]int{"ifindex": i + 10, "iflink": 2, "type": 1} {
					write("sys/class/net/"+name+"/"+file, fmt.Sprint(v))
				}
			}
			write("proc/net/dev", text)
			write("sys/class/net/x", "")
			o := DefaultOptions()
			o.ProcFS, o.SysFS = filepath.Join(dir, "proc"), filepath.Join(dir, "sys")
			cs, err := Collectors(o)
			if err != nil {
				b.Fatal(err)
			}
			c := only(cs, []string{"netdev", "netclass"})
			for b.Loop() {
				if _, err := collect(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
