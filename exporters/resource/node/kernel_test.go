package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

func TestTablesThatTheKernelDoesNotHaveAreNoError(t *testing.T) {
	for name, c := range map[string]struct {
		collector string
		gone      []string
		without   string
		with      string
	}{
		"no IPv6": {
			"netstat", []string{"proc/net/snmp6"}, "Icmp6", "node_netstat_Tcp_InSegs 2\n",
		},
		"no sockets of IPv6": {
			"sockstat", []string{"proc/net/sockstat6"}, "TCP6", "node_sockstat_sockets_used 914\n",
		},
		"no UDP over IPv6": {
			"udp_queues", []string{"proc/net/udp6"}, "v6", `node_udp_queues{queue="tx",ip="v4"} 256`,
		},
		"no connection tracking": {
			"conntrack", []string{"proc/sys/net", "proc/net/stat"}, "node_nf", "",
		},
		"connection tracking without statistics": {
			"conntrack", []string{"proc/net/stat"}, "stat", "node_nf_conntrack_entries 1234\n",
		},
		"no ARP":                  {"arp", []string{"proc/net/arp"}, "node_arp", ""},
		"no scheduler statistics": {"schedstat", []string{"proc/schedstat"}, "node_schedstat", ""},
		"no hung task detection":  {"kernel_hung", []string{"proc/sys/kernel/hung_task_detect_count"}, "node_kernel", ""},
		"no firmware's tables":    {"dmi", []string{"sys/class/dmi"}, "node_dmi", ""},
		"no clock sources":        {"time", []string{"sys/devices/system/clocksource"}, "clocksource", "node_time_seconds 1.76731944525e+09\n"},
		"no operating system":     {"os", []string{"root"}, "node_os", ""},
		"adjtimex is forbidden":   {"timex", []string{"timex"}, "node_timex", ""},
		"SELinux is off":          {"selinux", nil, "mode", "node_selinux_enabled 0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			m := unpack(t, "kubernetes-node", "/")
			m.remove(t, c.gone...)
			if c.collector == "timex" {
				m.kernel.adjtimex = m.adjtimex(t)
			}
			text := withoutHeaders([]byte(m.run(t, c.collector)))
			if strings.Contains(text, c.without) || !strings.Contains(text, c.with) {
				t.Errorf("want %q and not %q:\n%s", c.with, c.without, text)
			}
		})
	}
}

func TestATableThatIsBrokenLosesOnlyItself(t *testing.T) {
	const bare = "bare-metal"
	for name, c := range map[string]struct {
		archive, collector, file, data string
		names                          []string // what the error says
		with, without                  string
	}{
		"a counter of memory that is no number": {
			"", "vmstat", "proc/vmstat", "pgpgin 1\npgfault x\nnr_dirty x\nalone\n\n a b c\npgpgout 2",
			[]string{"proc/vmstat", "field pgfault"}, "node_vmstat_pgpgin 1\nnode_vmstat_pgpgout 2\n", "node_vmstat_pgfault ",
		},
		"a counter that no metric can be called after": {
			bare, "vmstat", "proc/vmstat", "pgpg\xff 1\npgfault 2\n", []string{"not a metric name"}, "node_vmstat_pgfault 2\n", "pgpg",
		},
		"a counter that comes twice": {
			bare, "vmstat", "proc/vmstat", "pgfault 1\npgfault 2\npgpgx 3\npgpgx 4\n", nil, "node_vmstat_pgfault 1\n", " 4",
		},
		"protocols with fewer values than names": {
			"", "netstat", "proc/net/netstat", "TcpExt: A SyncookiesSent B\nTcpExt: 1 2\n",
			[]string{"proc/net/netstat", "TcpExt has fewer values"}, "node_netstat_Tcp_InSegs 2\n", "",
		},
		"protocols with more values than names": {
			"", "netstat", "proc/net/snmp", "Tcp: InSegs\nTcp: 1 2\n", []string{"proc/net/snmp", "Tcp has more values"}, "node_netstat_IpExt", "",
		},
		"protocols whose values are another's": {
			"", "netstat", "proc/net/snmp", "Tcp: InSegs\nUdp: 1\n", []string{"proc/net/snmp", `"Tcp"`}, "node_netstat_IpExt", "InSegs",
		},
		"names of a protocol without values": {
			"", "netstat", "proc/net/snmp", "Tcp: InSegs", []string{"proc/net/snmp", `"Tcp"`}, "node_netstat_IpExt", "InSegs",
		},
		"an odd line of IPv6": {
			"", "netstat", "proc/net/snmp6", "nothing\nIp6InOctets\tx\nIp6OutOctets \t 7\n", []string{"snmp6", "Ip6_InOctets"}, "node_netstat_Ip6_OutOctets 7\n", "nothing",
		},
		"sockets that are not in pairs": {
			"", "sockstat", "proc/net/sockstat", "TCP: inuse\n", []string{"proc/net/sockstat"}, "node_sockstat_TCP6_inuse 38\n", "TCP_",
		},
		"a protocol that is new": {
			"", "sockstat", "proc/net/sockstat", "QUIC: inuse 7\nUDP: inuse 8 mem 9\n", nil, "node_sockstat_UDP_inuse 8\n", "QUIC",
		},
		"a limit of connections that is none": {
			"", "conntrack", "proc/sys/net/netfilter/nf_conntrack_max", "\n", []string{"nf_conntrack_max", "0 numbers"}, "node_nf_conntrack_entries 1234\n", "limit",
		},
		"statistics of connections in a form of their own": {
			"", "conntrack", "proc/net/stat/nf_conntrack", "header\n1 2 3\n", []string{"nf_conntrack"}, "node_nf_conntrack_entries 1234\n", "stat",
		},
		"two numbers of open files": {"", "filefd", "proc/sys/fs/file-nr", "1 2\n", []string{"fs.file-nr", "2 numbers"}, "", "node_filefd"},
		"entropy in words":          {"", "entropy", "proc/sys/kernel/random/entropy_avail", "much\n", []string{"entropy_avail"}, "node_entropy_pool_size_bits 256\n", "available"},
		"an end of support that is no date": {
			"", "os", "root/etc/os-release", "ID=x\nVERSION_ID=1.2.3\nSUPPORT_END=soon\n", []string{"SUPPORT_END", "soon"}, `node_os_version{id="x",id_like="",name=""} 1.2`, "end_timestamp",
		},
		"a version in words":      {"", "os", "root/etc/os-release", "ID=arch\nVERSION_ID=rolling\n", nil, `node_os_info{build_id="",id="arch"`, "node_os_version"},
		"os-release with a quote": {"", "os", "root/etc/os-release", "ID=\"x\n", []string{"parse os-release"}, "", "node_os"},
		"statistics of IPVS that are cut": {
			bare, "ipvs", "proc/net/ip_vs_stats", "Total\n", []string{"IPVS"}, "", "node_ipvs",
		},
		"a backend of IPVS that is none": {
			bare, "ipvs", "proc/net/ip_vs", "a\nb\nc\nTCP  C0A80016:0CEA wlc\n  -> nowhere Tunnel 1 1 1\n", []string{"backends of IPVS"}, "node_ipvs_connections_total 23765872\n", "backend",
		},
		"NFS in words":                    {bare, "nfs", "proc/net/rpc/nfs", "net a b c d\n", []string{"NFS"}, "", "node_nfs"},
		"an NFS server in words":          {bare, "nfsd", "proc/net/rpc/nfsd", "rc a b c\n", []string{"NFS server"}, "", "node_nfsd"},
		"a process that cannot be parsed": {bare, "processes", "proc/42/stat", "42 odd\n", []string{"process 42"}, "node_processes_max_threads 2061370\n", "node_processes_pids"},
		"interrupts that are no numbers": {
			bare, "interrupts", "proc/interrupts", " CPU0 CPU1\n 1: 2 x  a\nLOC:3 4 Local timer\n 5: 6 7\nno\n\nLOC: 8 9 again\n", []string{"interrupt 1"},
			`node_interrupts_total{cpu="0",type="LOC",info="Local timer",devices=""} 3` + "\n" + `node_interrupts_total{cpu="1",type="LOC",info="Local timer",devices=""} 4` + "\n", `type="5"`,
		},
		"an empty table of interrupts": {bare, "interrupts", "proc/interrupts", "", nil, "", "node"},
		"one number of page merging that is none": {
			bare, "ksmd", "sys/kernel/mm/ksm/run", "-\n", []string{"run"}, "node_ksmd_sleep_seconds 0.02\n", "node_ksmd_run",
		},
		"swap areas that are cut": {bare, "swap", "proc/swaps", "Filename\n/dev/x partition\n", []string{"swap areas"}, "", "node_swap"},
		"free blocks in words":    {bare, "buddyinfo", "proc/buddyinfo", "Node 0, zone DMA x\n", []string{"free blocks"}, "", "node_buddyinfo"},
		"controllers in words":    {bare, "cgroups", "proc/cgroups", "#s\ncpu a b c\n", []string{"controllers"}, "", "node_cgroups"},
		"a configuration of SELinux without a mode": {
			bare, "selinux", "root/etc/selinux/config", "#SELINUX=enforcing\nSELINUXTYPE=x\n", nil, "node_selinux_config_mode -1\nnode_selinux_current_mode 0\n", "",
		},
	} {
		if c.archive == "" {
			c.archive = "kubernetes-node"
		}
		t.Run(name, func(t *testing.T) {
			m := unpack(t, c.archive, "/")
			m.write(t, c.file, c.data)
			out, err := collect(only(m.collectors(t), []string{c.collector}))
			if (err == nil) != (c.names == nil) {
				t.Errorf("error %v, want one that names %q", err, c.names)
			}
			for _, n := range c.names {
				if err != nil && !strings.Contains(err.Error(), n) {
					t.Errorf("error %v does not name %s", err, n)
				}
			}
			text := withoutHeaders(encode(out, family.Text))
			if !strings.Contains(text, c.with) || c.without != "" && strings.Contains(text, c.without) {
				t.Errorf("want %q and not %q:\n%s", c.with, c.without, text)
			}
		})
	}
}

// withoutHeaders leaves the samples.
func withoutHeaders(text []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if line[0] != '#' {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestATableThatEveryKernelHasIsMissedByName(t *testing.T) {
	for collector, file := range map[string]string{
		"vmstat": "proc/vmstat", "netstat": "proc/net/snmp", "softnet": "proc/net/softnet_stat",
		"filefd": "proc/sys/fs/file-nr", "entropy": "proc/sys/kernel/random/poolsize",
	} {
		t.Run(collector, func(t *testing.T) {
			m := unpack(t, "kubernetes-node", "/")
			m.remove(t, file)
			if _, err := collect(m.collectors(t)); err == nil || !strings.Contains(err.Error(), collector+": ") || !strings.Contains(err.Error(), filepath.Base(file)) {
				t.Errorf("error %v, want one of %s that names %s", err, collector, file)
			}
		})
	}
}

func TestFieldsAreChosenByExpression(t *testing.T) {
	for name, c := range map[string]struct {
		archive       string
		change        func(*Options)
		with, without string
	}{
		"one field of memory": {
			"kubernetes-node", func(o *Options) { o.Kernel.VMStatFields = "^nr_dirty$" }, "# TYPE node_vmstat_nr_dirty untyped\nnode_vmstat_nr_dirty ", "pgfault",
		},
		"no field of memory": {"kubernetes-node", func(o *Options) { o.Kernel.VMStatFields = "^$" }, "node_netstat", "node_vmstat"},
		"counters of one protocol": {
			"kubernetes-node", func(o *Options) { o.Kernel.NetstatFields = "^Tcp_" }, "node_netstat_Tcp_MaxConn -1\n", "TcpExt",
		},
		"without the times of guests": {"kubernetes-node", func(o *Options) { o.Kernel.CPU.Guest = false }, "node_cpu_seconds_total", "guest_seconds"},
		"soft interrupts":             {"kubernetes-node", func(o *Options) { o.Kernel.StatSoftIRQ = true }, `node_softirqs_total{vector="net_rx"} 4`, "node_cpu_info"},
		"one interrupt": {
			"bare-metal", func(o *Options) { o.Kernel.Interrupts.Names.Include = "^16;.*mmc0$" }, `cpu="2",type="16"`, `type="0"`,
		},
		"interrupts that happened": {
			"bare-metal", func(o *Options) { o.Kernel.Interrupts.Zeros = false }, `cpu="0",type="0"`, `cpu="1",type="0"`,
		},
		"backends of IPVS by port and protocol": {
			"bare-metal", func(o *Options) { o.Kernel.IPVSLabels = "local_port,proto" },
			`node_ipvs_backend_connections_active{local_address="",local_port="3306",remote_address="",remote_port="",proto="TCP",local_mark=""} 497`, "192.168",
		},
		"one slab cache": {
			"bare-metal", func(o *Options) { o.Kernel.Slabs.Exclude = "^tw_" }, `slab="dentry"`, `slab="tw_sock_TCP"`,
		},
		"ARP of one device": {"kubernetes-node", func(o *Options) { o.Kernel.ARPDevices.Include = "^cni" }, `node_arp_entries{device="cni0"} 1`, `node_arp_entries{device="ens5"}`},
	} {
		t.Run(name, func(t *testing.T) {
			m := unpack(t, c.archive, "/")
			c.change(&m.options)
			text := m.run(t)
			if !strings.Contains(text, c.with) || strings.Contains(text, c.without) {
				t.Errorf("want %q and not %q:\n%s", c.with, c.without, text)
			}
		})
	}
}

func TestCollectorsOfOneScrapeReadStatOnce(t *testing.T) {
	m := unpack(t, "old-kernel", "/")
	cs := m.collectors(t)
	serve := func(collector string) string {
		out, err := collect(only(cs, []string{collector}))
		if err != nil {
			t.Fatal(err)
		}
		return string(encode(out, family.Text))
	}
	change := func(n string) {
		m.write(t, "proc/stat", "cpu0 0 0 "+n+"00 0 0 0 0 0 0 0\nctxt "+n+"\n")
	}
	want := func(text, line string) {
		t.Helper()
		if !strings.Contains(text, line+"\n") {
			t.Errorf("want %s:\n%s", line, text)
		}
	}
	const system, switches = `node_cpu_seconds_total{cpu="0",mode="system"} `, "node_context_switches_total "
	change("1")
	want(serve("cpu"), system+"1")
	change("2") // not seen before the next scrape
	want(serve("stat"), switches+"1")
	want(serve("stat"), switches+"2")
	change("3")
	want(serve("cpu"), system+"2")
	want(serve("cpu"), system+"3")
	want(serve("stat"), switches+"3")

	m.remove(t, "proc/stat")
	if _, err := collect(only(cs, []string{"cpu"})); err == nil {
		t.Error("a file that went is served")
	}
	change("5")
	want(serve("stat"), switches+"5")
}

func TestFilesOfTheNodeAreReadBelowItsRoot(t *testing.T) {
	root := t.TempDir()
	for name, data := range map[string]string{"usr/lib/os-release": "ID=node\n", "etc/huge": strings.Repeat("x", maxRootFileBytes+1), "etc/dir/file": ""} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"relative": "../usr/lib/os-release", "absolute": "/usr/lib/os-release", "above": "../../../../usr/lib/os-release", "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(root, "etc", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(root, "etc/fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"usr/lib/os-release": "", "etc/relative": "", "etc/absolute": "", "etc/above": "",
		"etc/huge": "larger than", "etc/dir": "not a regular file", "etc/fifo": "not a regular file", "etc/loop": "symbolic links", "etc/none": "no such file",
	} {
		data, err := readInRoot(root, path)
		if want == "" && (err != nil || string(data) != "ID=node\n") {
			t.Errorf("%s: %q, %v", path, data, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

func TestWhatTheFirmwareSaysIsReadOnce(t *testing.T) {
	m := unpack(t, "kubernetes-node", "/")
	cs := only(m.collectors(t), []string{"dmi"})
	first, err := collect(cs)
	if err != nil {
		t.Fatal(err)
	}
	m.remove(t, "sys/class/dmi")
	second, err := collect(cs)
	if err != nil || string(encode(first, family.Text)) != string(encode(second, family.Text)) || first.Series != 1 {
		t.Errorf("%v; first %d series, then %d", err, first.Series, second.Series)
	}
}

func FuzzCountersOfTheKernelAreServedInAFormThatCanBeRead(f *testing.F) {
	f.Add([]byte("pgfault 1\nnr_x 2\n"))
	f.Add([]byte("TcpExt: A B\nTcpExt: 1 -2\nIp: C\nIp: 3\n"))
	f.Add([]byte("Ip6InOctets \t 1\nUdp6\t2\n"))
	f.Add([]byte(" CPU0 CPU1\n 1: 2 3 x\nLOC:3 4 Local timer\n"))
	f.Add([]byte("IP address HW\n10.0.0.1 0x1 0x2 02:fc:00:00:00:05 * eth0\n x \n"))
	every := regexp.MustCompile("")
	f.Fuzz(func(t *testing.T, data []byte) {
		w := family.NewWriter(metrics.Table(), nil)
		memory := newCounters(metrics.NodeVMStat, metrics.VMStatField, every)
		memory.begin(w)
		eachPair(data, memory.add)
		protocols := newNetstat("", every)
		protocols.fields.begin(w)
		_ = protocols.pairs(data) // what came before an error is served
		_ = protocols.snmp6(data)
		s := w.Series(metrics.NodeInterruptsByCPU)
		_ = eachInterrupt(data, func(name, info, devices string, counts []float64) {
			for cpu, n := range counts {
				s.Add(n, strconv.Itoa(cpu), name, info, devices)
			}
		})
		for device, n := range arpEntries(data) {
			w.Series(metrics.NodeARPEntries).Add(float64(n), device)
		}
		out := family.Budget(metrics.Table(), []*family.Writer{w}, 0)
		if !utf8.Valid(data) {
			return // a device's name can become that of another
		}
		prometheusReads(t, encode(out, family.Text), "text/plain; version=0.0.4", out.Series)
		prometheusReads(t, encode(out, family.OpenMetrics), "application/openmetrics-text; version=1.0.0", out.Series)
	})
}

func TestABufferIsUsedAgainForFilesOfEverySize(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	var b buffer
	for _, size := range []int{0, 1, 16 << 10, 16<<10 + 1, 100_000, 7} {
		want := strings.Repeat("x", size)
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := b.read(path); err != nil || string(got) != want {
			t.Errorf("%d bytes, %v, want %d", len(got), err, size)
		}
	}
	if err := os.Truncate(path, 4*maxProcBytes); err != nil {
		t.Fatal(err)
	}
	if _, err := b.read(path); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("error %v for a file without an end", err)
	}
	if _, err := b.read(dir); err == nil || !strings.Contains(err.Error(), "read "+dir) {
		t.Errorf("error %v for a directory", err)
	}
	if _, err := b.read(path + "x"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path+"x") {
		t.Errorf("error %v for a file that is missing", err)
	}
}
