package node

import "github.com/loadline-exporters/loadline/internal/serve"

// kernelCollectors are those of the kernel's own tables and limits.
func (e environment) kernelCollectors() []serve.Collector {
	return []serve.Collector{
		{Name: "vmstat", Collect: newVMStat(e.ProcFS, e.match.tables.vmstat).Collect, Foreign: e.Kernel.VMStatFields != defaultVMStatFields},
		{Name: "netstat", Collect: newNetstat(e.ProcFS, e.match.tables.netstat).Collect, Foreign: e.Kernel.NetstatFields != defaultNetstatFields},
		{Name: "sockstat", Collect: sockstat{e.proc}.Collect},
		{Name: "softnet", Collect: softnet{e.proc}.Collect},
		{Name: "udp_queues", Collect: udpQueues{e.proc}.Collect},
		{Name: "arp", Collect: (&arp{proc: e.ProcFS, wants: e.match.tables.arpDevices}).Collect},
		{Name: "conntrack", Collect: conntrack{e.proc}.Collect},
		{Name: "filefd", Collect: filefd{e.proc}.Collect},
		{Name: "entropy", Collect: entropy{e.proc}.Collect},
		{Name: "os", Collect: osRelease{e.readInRoot}.Collect},
		{Name: "dmi", Collect: (&dmi{sys: e.sys}).Collect},
		{Name: "time", Collect: clock{e.kernel.now, e.sys}.Collect},
		{Name: "timex", Collect: timex{e.kernel.adjtimex}.Collect},
		{Name: "schedstat", Collect: schedstat{e.proc}.Collect},
		{Name: "selinux", Collect: selinux{e.SysFS, e.readInRoot}.Collect},
		{Name: "kernel_hung", Collect: kernelHung{e.proc}.Collect},
		{Name: "build_info", Collect: buildInfo{}.Collect},
		{Name: "ipvs", Collect: ipvs{e.proc, e.match.tables.ipvs}.Collect},
		{Name: "nfs", Collect: nfs{e.nfs}.Collect},
		{Name: "nfsd", Collect: nfsd{e.nfs}.Collect},
		{Name: "processes", Collect: processes{e.proc}.Collect},
		{Name: "softirqs", Collect: softIRQs{e.proc}.Collect},
		{Name: "interrupts", Collect: (&interrupts{proc: e.ProcFS, wants: e.match.tables.interrupts, zeros: e.Kernel.Interrupts.Zeros}).Collect},
		{Name: "swap", Collect: swap{e.proc}.Collect},
		{Name: "buddyinfo", Collect: buddyinfo{e.proc}.Collect},
		{Name: "ksmd", Collect: ksmd{e.SysFS}.Collect},
		{Name: "cgroups", Collect: cgroups{e.proc}.Collect},
		{Name: "cpu_vulnerabilities", Collect: cpuVulnerabilities{e.sys}.Collect},
		{Name: "slabinfo", Collect: slabinfo{e.proc, e.match.tables.slabs}.Collect},
		{Name: "textfile", Collect: newTextfile(e.Kernel.TextfileDirectories).Collect, Foreign: len(e.Kernel.TextfileDirectories) > 0},
	}
}

// readInRoot reads a file of the node.
func (e environment) readInRoot(path string) ([]byte, error) {
	return e.kernel.readInRoot(e.RootFS, path)
}
