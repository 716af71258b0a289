package node

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
)

func TestFlagsThatAreNotGivenAreTheDefaults(t *testing.T) {
	var o Options
	app := kingpin.New("test", "")
	o.AddFlags(app)
	if _, err := app.Parse(nil); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(o, DefaultOptions()) {
		t.Errorf("%+v, want %+v", o, DefaultOptions())
	}
}

func TestFlagsHaveNodeExportersNames(t *testing.T) {
	app := kingpin.New("test", "")
	new(Options).AddFlags(app)
	for _, name := range []string{
		"path.procfs", "path.sysfs", "path.rootfs", "path.udev.data",
		"collector.filesystem.mount-points-exclude", "collector.filesystem.mount-points-include",
		"collector.filesystem.fs-types-exclude", "collector.filesystem.fs-types-include",
		"collector.filesystem.mount-timeout", "collector.filesystem.stat-workers",
		"collector.diskstats.device-exclude", "collector.diskstats.device-include",
		"collector.netdev.device-exclude", "collector.netdev.device-include",
		"collector.arp.device-exclude", "collector.arp.device-include", "collector.arp.netlink",
		"collector.vmstat.fields", "collector.netstat.fields",
		"collector.cpu.guest", "collector.cpu.info", "collector.cpu.info.flags-include", "collector.cpu.info.bugs-include",
		"collector.stat.softirq", "collector.textfile.directory", "collector.ipvs.backend-labels",
		"collector.interrupts.name-include", "collector.interrupts.name-exclude", "collector.interrupts.include-zeros",
		"collector.slabinfo.slabs-include", "collector.slabinfo.slabs-exclude",
	} {
		if app.GetFlag(name) == nil {
			t.Errorf("no flag --%s", name)
		}
	}
}

func TestWhatCannotWorkIsAnErrorThatNamesTheFlag(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   []string
	}{
		"proc is not there": {
			func(o *Options) { o.ProcFS = "/nonexistent" }, []string{"--path.procfs", "/nonexistent"},
		},
		"sys is a file": {
			func(o *Options) { o.SysFS = filepath.Join(o.ProcFS, "stat") }, []string{"--path.sysfs", "not a directory"},
		},
		"two expressions that do not compile": {
			func(o *Options) { o.MountPoints.Exclude, o.NetDevices.Include = "(", "[" },
			[]string{"--collector.filesystem.mount-points-exclude", "missing closing )", "--collector.netdev.device-include", "missing closing ]"},
		},
		"expressions of fields that do not compile": {
			func(o *Options) {
				o.Kernel.VMStatFields, o.Kernel.NetstatFields, o.Kernel.CPU.Flags, o.Kernel.CPU.Bugs = "(", "[", "*", "+"
			},
			[]string{"--collector.vmstat.fields", "--collector.netstat.fields", "--collector.cpu.info.flags-include", "--collector.cpu.info.bugs-include"},
		},
		"a label that backends do not have": {
			func(o *Options) { o.Kernel.IPVSLabels = "proto,colour" }, []string{"--collector.ipvs.backend-labels", `"colour"`, "local_mark"},
		},
		"both include and exclude": {
			func(o *Options) { o.Disks = Filter{Include: "sda", Exclude: "sdb"} },
			[]string{"--collector.diskstats.device-include and --collector.diskstats.device-exclude: give one"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := unpack(t, "old-kernel", "/").options
			c.change(&o)
			_, err := Collectors(o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestFiltersChooseWhatIsServed(t *testing.T) {
	for name, c := range map[string]struct {
		collector string
		change    func(*Options)
		with      string
		without   string
	}{
		"only one network device": {
			"netdev", func(o *Options) { o.NetDevices.Include = "^ens" }, `device="ens5"`, `device="lo"`,
		},
		"without one network device": {
			"netdev", func(o *Options) { o.NetDevices.Exclude = "^veth" }, `device="lo"`, `device="veth8f2a1b3c"`,
		},
		"an include replaces the default exclude": {
			"diskstats", func(o *Options) { o.Disks.Include = "loop" }, `device="loop0"`, `device="nvme0n1"`,
		},
		"an empty exclude excludes nothing": {
			"diskstats", func(o *Options) { o.Disks.Exclude = "" }, `device="nvme0n1p1"`, "nothing",
		},
		"only one mount point": {
			"filesystem", func(o *Options) { o.MountPoints.Include = "^/boot" }, `mountpoint="/boot/efi"`, `mountpoint="/"`,
		},
		"only one type of file system": {
			"filesystem", func(o *Options) { o.FSTypes.Include = "^overlay$" }, `fstype="overlay"`, `fstype="ext4"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := unpack(t, "kubernetes-node", "/")
			c.change(&m.options)
			text := m.run(t, c.collector)
			if !strings.Contains(text, c.with) || strings.Contains(text, c.without) {
				t.Errorf("want %s and not %s:\n%s", c.with, c.without, text)
			}
		})
	}
}
