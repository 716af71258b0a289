package node

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// KernelOptions say what of the kernel's own tables is served.
type KernelOptions struct {
	ARPDevices Filter // entries of the ARP table, by network device
	Slabs      Filter // slab caches, by name

	VMStatFields  string // regular expression of fields of /proc/vmstat, unanchored
	NetstatFields string // regular expression of PROTOCOL_COUNTER, unanchored

	CPU         CPUOptions
	Interrupts  InterruptOptions
	StatSoftIRQ bool   // soft interrupts by vector
	IPVSLabels  string // comma-separated labels that tell backends apart

	TextfileDirectories []string // directories of *.prom files, or glob patterns of them
}

// Of the kernel's many counters, what node_exporter serves unless told otherwise.
const (
	defaultVMStatFields  = `^(oom_kill|pgpg|pswp|pg.*fault).*`
	defaultNetstatFields = `^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$`
)

func defaultKernelOptions() KernelOptions {
	return KernelOptions{
		VMStatFields: defaultVMStatFields, NetstatFields: defaultNetstatFields,
		CPU:        CPUOptions{Guest: true},
		Interrupts: InterruptOptions{Zeros: true},
		IPVSLabels: strings.Join(metrics.IPVSBackendLabels(), ","),
	}
}

const (
	flagARPDevices = "collector.arp.device"
	flagInterrupts = "collector.interrupts.name"
	flagSlabs      = "collector.slabinfo.slabs"

	flagVMStatFields  = "collector.vmstat.fields"
	flagNetstatFields = "collector.netstat.fields"
	flagCPUFlags      = "collector.cpu.info.flags-include"
	flagCPUBugs       = "collector.cpu.info.bugs-include"
	flagIPVSLabels    = "collector.ipvs.backend-labels"
)

func (o *KernelOptions) addFlags(g serve.FlagGroup) {
	d := defaultKernelOptions()
	filter(g, &o.ARPDevices, flagARPDevices, "network devices whose ARP entries are counted", "")
	// What /proc/net/arp has is the same; the flag is there so that command lines
	// of node_exporter work.
	g.Flag("collector.arp.netlink", "Without effect: the ARP table is read from /proc either way.").Default("true").Bool()
	g.Flag(flagVMStatFields, "Regular expression of the fields of /proc/vmstat to serve.").
		Default(d.VMStatFields).StringVar(&o.VMStatFields)
	g.Flag(flagNetstatFields, "Regular expression of the counters of protocols to serve, as PROTOCOL_COUNTER.").
		Default(d.NetstatFields).StringVar(&o.NetstatFields)
	g.Flag("collector.cpu.guest", "Serve the CPU time that virtual machines took.").Default("true").BoolVar(&o.CPU.Guest)
	g.Flag("collector.cpu.info", "Serve what each CPU is; reading it interrupts all CPUs.").BoolVar(&o.CPU.Info)
	g.Flag(flagCPUFlags, "Regular expression of the CPU's flags to serve; implies --collector.cpu.info.").StringVar(&o.CPU.Flags)
	g.Flag(flagCPUBugs, "Regular expression of the CPU's bugs to serve; implies --collector.cpu.info.").StringVar(&o.CPU.Bugs)
	g.Flag("collector.stat.softirq", "Serve soft interrupts by vector.").BoolVar(&o.StatSoftIRQ)
	g.Flag(flagIPVSLabels, "Comma-separated labels that tell backends of IPVS apart; those that are the same without the others are summed.").
		Default(d.IPVSLabels).StringVar(&o.IPVSLabels)
	filter(g, &o.Interrupts.Names, flagInterrupts, "interrupts, as NAME;INFO;DEVICES,", "")
	g.Flag("collector.interrupts.include-zeros", "Serve also interrupts that a CPU never had.").Default("true").BoolVar(&o.Interrupts.Zeros)
	filter(g, &o.Slabs, flagSlabs, "slab caches", "")
	g.Flag("collector.textfile.directory", "Directory, or glob pattern of directories, whose files *.prom are served; can be repeated.").
		StringsVar(&o.TextfileDirectories)
}

// kernelMatchers are the compiled expressions of KernelOptions.
type kernelMatchers struct {
	arpDevices, interrupts, slabs matcher

	vmstat, netstat   *regexp.Regexp
	cpuFlags, cpuBugs *regexp.Regexp // nil for none
	ipvs              ipvsLabels
}

// matchers compiles all expressions and names every flag that is wrong.
func (o KernelOptions) matchers() (m kernelMatchers, err error) {
	var errs []error
	expression := func(flag, e string) *regexp.Regexp {
		r, err := regexp.Compile(e)
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
		}
		return r
	}
	for _, f := range []struct {
		to   *matcher
		flag string
		of   Filter
	}{
		{&m.arpDevices, flagARPDevices, o.ARPDevices}, {&m.interrupts, flagInterrupts, o.Interrupts.Names}, {&m.slabs, flagSlabs, o.Slabs},
	} {
		*f.to, err = f.of.compile(f.flag, Filter{})
		errs = append(errs, err)
	}
	m.vmstat, m.netstat = expression(flagVMStatFields, o.VMStatFields), expression(flagNetstatFields, o.NetstatFields)
	if o.CPU.Flags != "" {
		m.cpuFlags = expression(flagCPUFlags, o.CPU.Flags)
	}
	if o.CPU.Bugs != "" {
		m.cpuBugs = expression(flagCPUBugs, o.CPU.Bugs)
	}
	m.ipvs, err = newIPVSLabels(o.IPVSLabels)
	return m, errors.Join(append(errs, err)...)
}
