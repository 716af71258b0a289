package node

import "github.com/loadline-exporters/loadline/internal/serve"

// kernelCollectors are those of the kernel's own tables and limits.
func (e environment) kernelCollectors() []serve.Collector {
	return []serve.Collector{
		{Name: "vmstat", Collect: newVMStat(e.ProcFS, e.match.vmstat).Collect, Foreign: e.VMStatFields != defaultVMStatFields},
		{Name: "netstat", Collect: newNetstat(e.ProcFS, e.match.netstat).Collect, Foreign: e.NetstatFields != defaultNetstatFields},
		{Name: "sockstat", Collect: sockstat{e.proc}.Collect},
		{Name: "softnet", Collect: softnet{e.proc}.Collect},
		{Name: "udp_queues", Collect: udpQueues{e.proc}.Collect},
		{Name: "arp", Collect: (&arp{proc: e.ProcFS, wants: e.match.arpDevices}).Collect},
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
		{Name: "textfile", Collect: newTextfile(e.TextfileDirectories).Collect, Foreign: len(e.TextfileDirectories) > 0},
	}
}

// readInRoot reads a file of the node.
func (e environment) readInRoot(path string) ([]byte, error) {
	return e.kernel.readInRoot(e.RootFS, path)
}
