package node

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/internal/family"
)

// virtual unpacks a machine whose only network devices are those given.
func virtual(t *testing.T, mode VirtualMode) machine {
	t.Helper()
	m := unpack(t, "old-kernel", "/")
	m.options.Hardware.Virtual = mode
	return m
}

// netDev writes /proc/net/dev: for each device, what it received and sent in bytes.
func (m machine) netDev(t *testing.T, devices ...string) {
	t.Helper()
	text := "Inter-|   Receive |  Transmit\n face |bytes |bytes\n"
	for _, d := range devices {
		f := strings.Fields(d)
		text += fmt.Sprintf("%s: %s 1 0 2 0 0 0 0 %s 3 4 0 0 0 0 0\n", f[0], f[1], f[2])
	}
	m.write(t, "proc/net/dev", text)
}

// netDevice writes what sysfs says of a device.
func (m machine) netDevice(t *testing.T, name string, index, link, kind int, also ...string) {
	t.Helper()
	for file, v := range map[string]int{"ifindex": index, "iflink": link, "type": kind} {
		m.write(t, "sys/class/net/"+name+"/"+file, strconv.Itoa(v)+"\n")
	}
	for _, file := range also {
		m.write(t, "sys/class/net/"+name+"/"+file, "")
	}
}

func TestTheKernelSaysWhichDevicesBelongToContainers(t *testing.T) {
	m := virtual(t, VirtualSum)
	m.netDevice(t, "eth0", 2, 2, 1, "device")
	m.netDevice(t, "veth-rack", 3, 7, 1, "device") // a physical device that somebody named so
	m.netDevice(t, "eth0.100", 4, 2, 1, "lower_eth0")
	m.netDevice(t, "docker0", 5, 5, 1)
	m.netDevice(t, "pair0", 6, 7, 1)
	m.netDevice(t, "pair1", 7, 6, 1)
	m.netDevice(t, "tunl0", 8, 0, 768)
	m.netDevice(t, "gre1", 9, 2, 778)
	m.netDevice(t, "wg0", 10, 10, 0xFFFE)
	m.netDevice(t, "web", 11, 2, 1)        // its peer is number 2 elsewhere, not eth0
	m.netDevice(t, "nk1", 12, 3, 0xFFFE)   // netkit
	m.netDevice(t, "veth12", 13, 13, 1)    // its peer has the same number
	m.netDevice(t, "up0", 14, 20, 1)       // this is a container itself, and its uplink a veth
	m.netDevice(t, "up6", 15, 21, 1)       // the same, of IPv6
	m.netDevice(t, "tap0_kata", 16, 16, 1) // a virtual machine's
	m.write(t, "proc/net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"+
		"web\t0000000A\t00000000\t020B\t0\t0\t0\tFFFFFFFF\t0\t0\t0\nup0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")
	m.write(t, "proc/net/ipv6_route", strings.Repeat("0", 32)+" 00 "+strings.Repeat("0", 32)+" 00 fe80 00000400 1 0 00000003 up6\n")
	seen, err := newNetDevices(m.options.ProcFS, m.options.SysFS).look()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"eth0": false, "veth-rack": false, "eth0.100": false, "docker0": false, "pair0": false, "pair1": false,
		"tunl0": false, "gre1": false, "wg0": false, "up0": false, "up6": false,
		"web": true, "nk1": true, "veth12": true, "tap0_kata": true,
		"cali01234567890": true, "bond0": false, // not in sysfs
	} {
		if got := seen.isVirtual(name); got != want {
			t.Errorf("%s is a container's: %t, want %t", name, got, want)
		}
	}
}

func TestADeviceIsAContainersAsSoonAsItsPeerWentThere(t *testing.T) {
	m := virtual(t, VirtualSum)
	m.netDevice(t, "veth1", 6, 7, 1)
	m.netDevice(t, "tmp1", 7, 6, 1)
	n := newNetDevices(m.options.ProcFS, m.options.SysFS)
	for _, want := range []bool{false, true} {
		seen, err := n.look()
		if err != nil {
			t.Fatal(err)
		}
		if got := seen.isVirtual("veth1"); got != want {
			t.Errorf("with %d devices: %t, want %t", len(seen.ids), got, want)
		}
		if !want {
			m.remove(t, "sys/class/net/tmp1")
		}
	}
}

func TestOnlyNewDevicesAreRead(t *testing.T) {
	m := virtual(t, VirtualSum)
	m.netDevice(t, "veth1", 6, 7, 1)
	n := newNetDevices(m.options.ProcFS, m.options.SysFS)
	for range 2 {
		seen, err := n.look()
		if err != nil || !seen.isVirtual("veth1") {
			t.Errorf("veth1 is not a container's (%v)", err)
		}
		for _, f := range []string{"ifindex", "iflink", "type"} {
			m.write(t, "sys/class/net/veth1/"+f, "0\n") // would show if it was read
		}
	}
}

func TestSumsNeverFall(t *testing.T) {
	type scrape struct {
		devices       []string
		count, rx, tx string
	}
	m := virtual(t, VirtualSum)
	c := only(m.collectors(t), []string{"netdev"})
	for i, s := range []scrape{
		{devices: []string{"vetha 100 10", "vethb 1000 1"}, count: "2", rx: "1100", tx: "11"},
		{devices: []string{"vetha 150 10"}, count: "1", rx: "1150", tx: "11"},                    // one went
		{devices: []string{"vetha 5 10"}, count: "1", rx: "1155", tx: "11"},                      // another one of its name
		{devices: []string{"vethc 7 7", "vetha 6 11"}, count: "2", rx: "1163", tx: "19"},         // one came
		{devices: nil, count: "0", rx: "1163", tx: "19"},                                         // all went
		{devices: []string{"vetha 1 1", "eth0 9 9"}, count: "1", rx: "1164", tx: "20"},           // one came back
		{devices: []string{"vetha 1 1", "vethd 0 18446744073709551615"}, count: "2", rx: "1164"}, // a counter at its end
	} {
		m.netDev(t, s.devices...)
		out, err := collect(c)
		if err != nil {
			t.Fatal(err)
		}
		text := string(encode(out, family.Text))
		for name, want := range map[string]string{"interfaces": s.count, "receive_bytes_total": s.rx, "transmit_bytes_total": s.tx} {
			if line := "\nloadline_node_virtual_network_" + name + " " + want; want != "" && !strings.Contains(text, line+"\n") {
				t.Errorf("scrape %d: no line %s in:\n%s", i, line, text)
			}
		}
	}
}

func TestAnotherDeviceOfANameIsAnother(t *testing.T) {
	m := virtual(t, VirtualSum)
	c := only(m.collectors(t), []string{"netdev"})
	m.netDevice(t, "cali1", 6, 7, 1)
	m.netDev(t, "cali1 100 10")
	if _, err := collect(c); err != nil {
		t.Fatal(err)
	}
	// The old directory stays for now, so that its inode is not given again.
	if err := os.Rename(filepath.Join(m.dir, "sys/class/net/cali1"), filepath.Join(m.dir, "old")); err != nil {
		t.Fatal(err)
	}
	m.netDevice(t, "cali1", 8, 9, 1)
	m.netDev(t, "cali1 300 30")
	out, err := collect(c)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(encode(out, family.Text)); !strings.Contains(text, "receive_bytes_total 400\n") {
		t.Errorf("want the 100 bytes of the one and the 300 of the other:\n%s", text)
	}
}

func TestContainersDevicesAreSummedListedOrLeftOut(t *testing.T) {
	for mode, want := range map[VirtualMode]struct{ sum, list bool }{
		VirtualSum: {sum: true}, VirtualList: {list: true}, VirtualOff: {},
	} {
		m := virtual(t, mode)
		m.netDevice(t, "veth1", 6, 7, 1)
		m.netDev(t, "veth1 100 10", "docker0 1 1")
		text := m.run(t, "netdev", "netclass")
		for part, want := range map[string]bool{
			"loadline_node_virtual_network_receive_bytes_total 100\n":     want.sum,
			"loadline_node_virtual_network_interfaces 1\n":                want.sum,
			`node_network_receive_bytes_total{device="veth1"} 100`:        want.list,
			`node_network_iface_id{device="veth1"} 6`:                     want.list,
			`node_network_receive_bytes_total{device="docker0"} 1` + "\n": true,
		} {
			if got := strings.Contains(text, part); got != want {
				t.Errorf("%s: %s is served: %t, want %t", mode, part, got, want)
			}
		}
	}
}

// TestRealVethPairsAreSummed runs itself in a network namespace that stands for the
// node's, with another one for a container.
func TestRealVethPairsAreSummed(t *testing.T) {
	need.Root(t)
	ip := need.Program(t, "ip", "iproute2")
	if os.Getenv("LOADLINE_TEST_NETNS") == "" {
		self := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
		self.Env = append(os.Environ(), "LOADLINE_TEST_NETNS=1")
		self.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if out, err := self.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), ip, args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	must(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	sys := t.TempDir()
	must(unix.Mount("sysfs", sys, "sysfs", unix.MS_RDONLY, ""))
	t.Cleanup(func() { unix.Unmount(sys, unix.MNT_DETACH) })
	container := exec.Command("/proc/self/exe", "-test.run=^TestMain_Waits$")
	container.Env = append(os.Environ(), "LOADLINE_TEST_WAIT=1")
	container.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	stdin, err := container.StdinPipe()
	must(err)
	must(container.Start())
	t.Cleanup(func() { stdin.Close(); container.Wait() })
	pid := strconv.Itoa(container.Process.Pid)

	o := DefaultOptions()
	o.SysFS = sys
	cs, err := Collectors(o)
	must(err)
	c := only(cs, []string{"netdev", "netclass"})
	scrape := func() string {
		t.Helper()
		out, err := collect(c)
		must(err)
		return string(encode(out, family.Text))
	}
	wantLines := func(when, text string, with, without []string) {
		t.Helper()
		for _, part := range with {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %s in:\n%s", when, part, text)
			}
		}
		for _, part := range without {
			if strings.Contains(text, part) {
				t.Errorf("%s: %s in:\n%s", when, part, text)
			}
		}
	}
	run("link", "set", "lo", "up")
	run("link", "add", "br0", "type", "bridge")
	run("link", "add", "here0", "type", "veth", "peer", "name", "here1")
	const pods = 20
	for i := range pods {
		run("link", "add", fmt.Sprintf("pod%d", i), "type", "veth", "peer", "name", fmt.Sprintf("c%d", i), "netns", pid)
	}
	wantLines("with pods", scrape(),
		[]string{fmt.Sprintf("loadline_node_virtual_network_interfaces %d\n", pods), `node_network_receive_bytes_total{device="here0"}`,
			`node_network_receive_bytes_total{device="br0"}`, `node_network_info{device="here1"`, "loadline_node_virtual_network_transmit_packets_total 0\n"},
		[]string{`device="pod0"`, `device="pod19"`})

	// What the node sends to a container is counted, and stays when it is gone.
	inNetNS(t, "/proc/"+pid+"/ns/net", func() { run("link", "set", "c0", "up") })
	run("link", "set", "pod0", "up")
	sent := func(text string) float64 {
		t.Helper()
		_, rest, _ := strings.Cut(text, "\nloadline_node_virtual_network_transmit_bytes_total ")
		line, _, _ := strings.Cut(rest, "\n")
		v, err := strconv.ParseFloat(line, 64)
		must(err)
		return v
	}
	before := sendFrame(t, "pod0")
	first := sent(scrape())
	if first < before {
		t.Errorf("%v bytes sent to containers, want %v at least", first, before)
	}
	run("link", "del", "pod0")
	text := scrape()
	wantLines("after one went", text, []string{fmt.Sprintf("loadline_node_virtual_network_interfaces %d\n", pods-1)}, nil)
	if after := sent(text); after < first {
		t.Errorf("the sum fell from %v to %v", first, after)
	}
}

// inNetNS does something in another network namespace.
func inNetNS(t *testing.T, path string, do func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	enter := func(path string) *os.File {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	here, there := enter("/proc/thread-self/ns/net"), enter(path)
	defer here.Close()
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	defer unix.Setns(int(here.Fd()), unix.CLONE_NEWNET)
	do()
}

// sendFrame sends an Ethernet frame from a device and returns its size.
func sendFrame(t *testing.T, device string) float64 {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(device)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, 100)
	for i := range 6 {
		frame[i] = 0xff // to everybody
	}
	frame[12], frame[13] = 0x88, 0xb5 // for experiments (IEEE 802)
	if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: int(ifr.Uint32()), Halen: 6}); err != nil {
		t.Fatal(err)
	}
	return float64(len(frame))
}

// TestMain_Waits is the process that a network namespace lives by.
func TestMain_Waits(t *testing.T) {
	if os.Getenv("LOADLINE_TEST_WAIT") == "" {
		t.Skip("is run by TestRealVethPairsAreSummed")
	}
	os.Stdin.Read(make([]byte, 1)) // until it is closed
}

// FuzzDirectoryRecords: whatever getdents returns, no entry is made up and nothing
// beyond the buffer is read.
func FuzzDirectoryRecords(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x00offset..\x18\x00\x0aeth0\x00"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00offset..\xff\xff\x0a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out := map[string]netDeviceID{}
		addEntries(out, data)
		for name, id := range out {
			if name == "" || id.name != name || id.inode == 0 || !strings.Contains(string(data), name) {
				t.Errorf("%q: %+v of %q", name, id, data)
			}
		}
	})
}

// FuzzDefaultRoutes: a device is an uplink only where the text has its name.
func FuzzDefaultRoutes(f *testing.F) {
	f.Add("eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")
	f.Add(strings.Repeat("0", 32) + " 00 " + strings.Repeat("0", 32) + " 00 fe80 00000400 1 0 00000003 eth0\n")
	f.Fuzz(func(t *testing.T, data string) {
		for _, device := range []func([]string) string{defaultRoute4, defaultRoute6} {
			out := map[string]bool{}
			readRoutes(strings.NewReader(data), device, out)
			for name := range out {
				if name == "" || !strings.Contains(data, name) || !strings.Contains(data, "00") {
					t.Errorf("%q of %q", name, data)
				}
			}
		}
	})
}
