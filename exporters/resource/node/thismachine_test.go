package node

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/blockdevice"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/internal/family"
)

// tick is the kernel's unit of CPU time, in seconds.
const tick = 0.01

func TestThisMachineIsServedAsProcfsReadsIt(t *testing.T) {
	o := DefaultOptions()
	o.Hardware.Virtual = VirtualList
	cs, err := Collectors(o)
	if err != nil {
		t.Fatal(err)
	}
	before := readReality(t)
	out, err := collect(cs)
	if err != nil {
		t.Error(err)
	}
	after := readReality(t)
	served := map[string]float64{}
	for line := range bytes.Lines(encode(out, family.Text)) {
		if i := bytes.LastIndexByte(line, ' '); line[0] != '#' {
			v, err := strconv.ParseFloat(strings.TrimSpace(string(line[i:])), 64)
			if err != nil {
				t.Fatal(err)
			}
			served[string(line[:i])] = v
		}
	}
	for series, first := range before {
		last, ok := after[series]
		if !ok {
			continue // a device that went
		}
		v, ok := served[series]
		if lo, hi := min(first, last)-tick, max(first, last)+tick; !ok || v < lo || v > hi {
			t.Errorf("%s is %v (served: %t), want %v to %v", series, v, ok, lo, hi)
		}
	}
}

// readReality reads what moves in one direction, and what stays, by series.
func readReality(t *testing.T) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	proc, err := procfs.NewDefaultFS()
	must(err)
	s, err := proc.Stat()
	must(err)
	out["node_boot_time_seconds"] = float64(s.BootTime)
	out["node_context_switches_total"] = float64(s.ContextSwitches)
	for id, c := range s.CPU {
		for mode, v := range map[string]float64{"user": c.User, "system": c.System, "idle": c.Idle, "iowait": c.Iowait, "steal": c.Steal} {
			out[fmt.Sprintf("node_cpu_seconds_total{cpu=\"%d\",mode=%q}", id, mode)] = v
		}
	}
	m, err := proc.Meminfo()
	must(err)
	out["node_memory_MemTotal_bytes"] = float64(*m.MemTotalBytes)
	devices, err := proc.NetDev()
	must(err)
	for name, d := range devices {
		out[fmt.Sprintf("node_network_receive_bytes_total{device=%q}", name)] = float64(d.RxBytes)
		out[fmt.Sprintf("node_network_transmit_packets_total{device=%q}", name)] = float64(d.TxPackets)
	}
	block, err := blockdevice.NewDefaultFS()
	must(err)
	disks, err := block.ProcDiskstats()
	must(err)
	for _, d := range disks {
		if strings.HasPrefix(d.DeviceName, "loop") || strings.HasPrefix(d.DeviceName, "ram") {
			continue
		}
		if _, err := os.Stat("/sys/block/" + d.DeviceName); err != nil || strings.HasPrefix(d.DeviceName, "zram") {
			continue // a partition
		}
		out[fmt.Sprintf("node_disk_reads_completed_total{device=%q}", d.DeviceName)] = float64(d.ReadIOs)
		out[fmt.Sprintf("node_disk_written_bytes_total{device=%q}", d.DeviceName)] = float64(d.WriteSectors) * 512
	}
	for name, file := range map[string]string{
		"node_filefd_maximum":         "/proc/sys/fs/file-max",
		"node_entropy_pool_size_bits": "/proc/sys/kernel/random/poolsize",
	} {
		data, err := os.ReadFile(file)
		must(err)
		v, err := strconv.ParseFloat(strings.TrimSpace(string(data)), 64)
		must(err)
		out[name] = v
	}
	self, err := proc.Self()
	must(err)
	if n, err := self.Netstat(); err == nil && n.IpExt.InOctets != nil {
		out["node_netstat_IpExt_InOctets"] = *n.IpExt.InOctets
		out["node_netstat_TcpExt_ListenDrops"] = *n.ListenDrops
	}
	if n, err := self.Snmp(); err == nil && n.Tcp.InSegs != nil {
		out["node_netstat_Tcp_InSegs"] = *n.Tcp.InSegs
		out["node_netstat_Udp_OutDatagrams"] = *n.Udp.OutDatagrams
	}
	if n, err := self.Snmp6(); err == nil && n.Ip6.InOctets != nil {
		out["node_netstat_Ip6_InOctets"] = *n.Ip6.InOctets
	}
	if softnet, err := proc.NetSoftnetStat(); err == nil {
		for _, s := range softnet {
			out[fmt.Sprintf("node_softnet_processed_total{cpu=\"%d\"}", s.Index)] = float64(s.Processed)
		}
	}
	memory, err := os.ReadFile("/proc/vmstat")
	must(err)
	for _, field := range []string{"pgfault", "pgmajfault", "pgpgin", "oom_kill"} {
		_, rest, ok := strings.Cut("\n"+string(memory), "\n"+field+" ")
		if value, _, _ := strings.Cut(rest, "\n"); ok {
			out["node_vmstat_"+field], err = strconv.ParseFloat(value, 64)
			must(err)
		}
	}
	out["node_time_seconds"] = float64(time.Now().UnixMilli()) / 1000
	var u unix.Utsname
	must(unix.Uname(&u))
	text := unix.ByteSliceToString
	out[fmt.Sprintf("node_uname_info{sysname=%q,release=%q,version=%q,machine=%q,nodename=%q,domainname=%q}", text(u.Sysname[:]),
		text(u.Release[:]), text(u.Version[:]), text(u.Machine[:]), text(u.Nodename[:]), text(u.Domainname[:]))] = 1
	return out
}
