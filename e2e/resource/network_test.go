package resource

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// bridged is a Docker in a network namespace of its own, with a bridge that its
// containers are on, and an exporter that watches it.
type bridged struct {
	docker   *docker.Docker
	exporter *exporter
}

const (
	// bridge is the name of the network.
	bridge = "loadline"
	// recounted is how old a count of connections can be, and a little.
	recounted = 75 * time.Second
)

func TestNetworks(t *testing.T) {
	t.Parallel()
	b := &bridged{docker: docker.Start(t, docker.WithOwnNetwork())}
	if _, err := b.docker.Client.NetworkCreate(t.Context(), bridge, client.NetworkCreateOptions{Driver: "bridge"}); err != nil {
		t.Fatal(err)
	}
	b.exporter = startExporter(t, filepath.Join(t.TempDir(), "no-containerd"), b.docker.Host)
	for _, test := range []struct {
		behaviour string
		run       func(*testing.T)
	}{
		{"what a container's interface carried is the kernel's own figures, to the byte", b.interfaces},
		{"containers on one network are counted once", b.shared},
		{"connections are counted by state and peer", b.connections},
		{"connections that nobody answers are tried again, and told by where they go to", b.unanswered},
		{"an accept queue that overflows is counted as the kernel does", b.overflow},
		{"a container that goes leaves no series", b.goes},
	} {
		t.Run(test.behaviour, test.run)
	}
	if lines := b.exporter.complaints(); len(lines) > 0 {
		t.Errorf("the exporter complained although nothing was wrong:\n%s", strings.Join(lines, ""))
	}
}

// run runs an idle container on the bridge and waits until the exporter shows it.
func (b *bridged) run(t *testing.T, name string) *docker.Container {
	t.Helper()
	c := b.docker.Run(t.Context(), docker.Spec{Name: name, Network: bridge})
	b.exporter.shows(t, soon, c.CgroupPath)
	return c
}

// address is a container's on the bridge.
func (b *bridged) address(t *testing.T, c *docker.Container) netip.Addr {
	t.Helper()
	inspected, err := c.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return inspected.NetworkSettings.Networks[bridge].IPAddress
}

// inNetwork runs f on a thread in the network namespace of a process: what it opens
// belongs there.
func inNetwork(t *testing.T, pid int, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil {
			done <- err
			return
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	if err := <-done; err != nil {
		t.Fatalf("in the network of process %d: %v", pid, err)
	}
}

// listen listens in a container.
func listen(t *testing.T, c *docker.Container, address string) (l net.Listener) {
	t.Helper()
	inNetwork(t, c.PID, func() (err error) {
		l, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		return err
	})
	t.Cleanup(func() { l.Close() })
	return l
}

// dial connects from a container.
func dial(t *testing.T, c *docker.Container, address string) (connection net.Conn) {
	t.Helper()
	inNetwork(t, c.PID, func() (err error) {
		connection, err = (&net.Dialer{Timeout: limit}).DialContext(t.Context(), "tcp", address)
		return err
	})
	t.Cleanup(func() { connection.Close() })
	return connection
}

// carried are the figures of a process's eth0, by family, as the kernel's file has
// them; columns as in net/core/net-procfs.c.
func carried(pid int) (map[string]float64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pid))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(content)) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "eth0:")
		if !ok {
			continue
		}
		out := map[string]float64{}
		columns := strings.Fields(rest)
		for name, column := range map[string]int{
			"receive_bytes": 0, "receive_packets": 1, "receive_errors": 2, "receive_packets_dropped": 3,
			"transmit_bytes": 8, "transmit_packets": 9, "transmit_errors": 10, "transmit_packets_dropped": 11,
		} {
			v, err := strconv.ParseFloat(columns[column], 64)
			if err != nil {
				return nil, err
			}
			out["container_network_"+name+"_total"] = v
		}
		return out, nil
	}
	return nil, fmt.Errorf("process %d has no eth0", pid)
}

func (b *bridged) interfaces(t *testing.T) {
	server, client := b.run(t, "server"), b.run(t, "client")
	l := listen(t, server, b.address(t, server).String()+":0")
	go func() {
		for {
			connection, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.Copy(io.Discard, connection)
			}()
		}
	}()
	const sent = 3 * mebibyte
	connection := dial(t, client, l.Addr().String())
	if _, err := connection.Write(make([]byte, sent)); err != nil {
		t.Fatal(err)
	}
	connection.Close()
	for c, direction := range map[*docker.Container]string{server: "receive", client: "transmit"} {
		wait.For(t, limit, c.Name+"'s figures to be the kernel's", func() error {
			before, err := carried(c.PID)
			if err != nil {
				return err
			}
			scraped := b.exporter.mustScrape(t).of(c.CgroupPath).with(map[string]string{"interface": "eth0"})
			after, err := carried(c.PID)
			if err != nil {
				return err
			}
			if len(scraped) != len(before) {
				return fmt.Errorf("%d series of eth0, want %d", len(scraped), len(before))
			}
			for name, want := range before {
				if after[name] != want { // something was on its way
					return fmt.Errorf("%s went from %v to %v", name, want, after[name])
				}
				if got := scraped.value(name); got != want {
					t.Fatalf("%s: %s is %v, the kernel says %v", c.Name, name, got, want)
				}
			}
			if got := scraped.value("container_network_" + direction + "_bytes_total"); got < sent || got > 1.1*sent {
				return fmt.Errorf("%s %vd %v bytes, want %d and the headers", c.Name, direction, got, sent)
			}
			return nil
		})
	}
}

func (b *bridged) shared(t *testing.T) {
	owner := b.run(t, "owner")
	guest := b.docker.Run(t.Context(), docker.Spec{Name: "guest", Network: "container:" + owner.ID})
	none := b.docker.Run(t.Context(), docker.Spec{Name: "none"})
	x := b.exporter.shows(t, soon, guest.CgroupPath)
	x = append(x, b.exporter.shows(t, soon, none.CgroupPath)...)
	if got := len(x.of(owner.CgroupPath).family("container_network_receive_bytes_total")); got != 2 { // in two scrapes
		t.Errorf("the owner has %d series", got)
	}
	for _, c := range []*docker.Container{guest, none} {
		if got := x.of(c.CgroupPath).family("container_network_receive_bytes_total"); len(got) != 0 {
			t.Errorf("%s has %v", c.Name, got)
		}
	}
}

// tcp are the series of a container's TCP, by name and further labels.
func (b *bridged) tcp(t *testing.T, c *docker.Container) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, s := range b.exporter.mustScrape(t).with(map[string]string{"namespace": "default", "pod": c.Name, "workload": c.Name, "workload_type": "container"}) {
		if name, ok := strings.CutPrefix(s.name, "loadline_pod_tcp_"); ok {
			for _, label := range []string{"state", "peer", "direction"} {
				if v, ok := s.labels[label]; ok {
					name += " " + v
				}
			}
			out[name] = s.value
		}
	}
	return out
}

// wantConnections waits until a container has these connections, and no others.
func (b *bridged) wantConnections(t *testing.T, c *docker.Container, want map[string]float64) {
	t.Helper()
	wait.For(t, recounted, "the connections of "+c.Name, func() error {
		got := b.tcp(t, c)
		for name, v := range want {
			if got["connections "+name] != v {
				return fmt.Errorf("%s: %v, want %v; all are %v", name, got["connections "+name], v, got)
			}
		}
		for name, v := range got {
			if state, ok := strings.CutPrefix(name, "connections "); ok && want[state] != v {
				return fmt.Errorf("%s: %v, want %v", state, v, want[state])
			}
		}
		return nil
	})
}

func (b *bridged) connections(t *testing.T) {
	web, caller := b.run(t, "web"), b.run(t, "caller")
	l := listen(t, web, ":0")
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	connect := func(from *docker.Container, host string) (client, server net.Conn) {
		t.Helper()
		client = dial(t, from, net.JoinHostPort(host, port))
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Close() })
		return client, server
	}
	address := b.address(t, web).String()
	first, _ := connect(caller, address)
	connect(caller, address)
	connect(caller, address)
	connect(web, "127.0.0.1")
	connect(web, address)
	// Of a connection in a container both ends are counted.
	b.wantConnections(t, web, map[string]float64{"established cluster": 3, "established pod": 4})
	b.wantConnections(t, caller, map[string]float64{"established cluster": 3})
	// The other is Docker's own for names.
	if got := b.tcp(t, web); got["listen_sockets"] != 2 || got["accept_queue_connections"] != 0 || got["accept_queue_limit"] < 1 {
		t.Errorf("two listen: got %v", got)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	b.wantConnections(t, web, map[string]float64{"established cluster": 2, "established pod": 4, "close_wait cluster": 1})
	b.wantConnections(t, caller, map[string]float64{"established cluster": 2, "fin_wait cluster": 1})
}

// begin begins to connect from a container, and does not wait.
func begin(t *testing.T, c *docker.Container, to netip.AddrPort) {
	t.Helper()
	inNetwork(t, c.PID, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
		if !errors.Is(err, unix.EINPROGRESS) {
			return fmt.Errorf("connect to %s: %w", to, err)
		}
		return nil
	})
}

// nodeAddress is one of this machine's.
func nodeAddress(t *testing.T) netip.Addr {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if address, ok := netip.AddrFromSlice(n.IP.To4()); ok && !address.IsLoopback() {
				return address
			}
		}
	}
	t.Skip("this machine has no address")
	return netip.Addr{}
}

// counted is a counter of a process's network namespace, by the kernel's name for it.
func counted(t *testing.T, pid int, file, section, name string) float64 {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, file))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		switch {
		case fields[0] != section:
		case names == nil:
			names = fields
		default:
			v, err := strconv.ParseFloat(fields[slices.Index(names, name)], 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("%s of process %d has no %s %s", file, pid, section, name)
	return 0
}

// wantCounted waits until a counter is at least so much, and the kernel's before and
// after the scrape have it between them.
func (b *bridged) wantCounted(t *testing.T, c *docker.Container, family string, atLeast float64, file, section, name string) {
	t.Helper()
	wait.For(t, limit, family+" of "+c.Name, func() error {
		before := counted(t, c.PID, file, section, name)
		got := b.tcp(t, c)[family]
		after := counted(t, c.PID, file, section, name)
		if got < before || got > after {
			t.Fatalf("%s is %v; the kernel said %v before and %v after", family, got, before, after)
		}
		if got < atLeast {
			return fmt.Errorf("it is %v, want %v", got, atLeast)
		}
		return nil
	})
}

func (b *bridged) unanswered(t *testing.T) {
	// What leaves the bridge is lost, instead of being answered by "no route".
	nsenter, ip := need.Program(t, "nsenter", "util-linux"), need.Program(t, "ip", "iproute2")
	lose := exec.Command(nsenter, fmt.Sprintf("--net=/proc/%d/ns/net", b.docker.PID), ip, "route", "add", "blackhole", "default")
	if out, err := lose.CombinedOutput(); err != nil {
		t.Fatalf("add a route: %v: %s", err, out)
	}
	c := b.run(t, "lonely")
	begin(t, c, netip.AddrPortFrom(nodeAddress(t), 9))
	begin(t, c, netip.MustParseAddrPort("203.0.113.7:443"))
	begin(t, c, netip.MustParseAddrPort("203.0.113.7:80"))
	b.wantConnections(t, c, map[string]float64{"syn_sent node": 1, "syn_sent outside": 2})
	b.wantCounted(t, c, "segments_retransmitted_total", 3, "snmp", "Tcp:", "RetransSegs")
	b.wantCounted(t, c, "segments_sent_total", 3, "snmp", "Tcp:", "OutSegs")
	b.wantCounted(t, c, "connections_opened_total outgoing", 3, "snmp", "Tcp:", "ActiveOpens")
}

func (b *bridged) overflow(t *testing.T) {
	c, caller := b.run(t, "slow"), b.run(t, "impatient")
	var to netip.AddrPort
	inNetwork(t, c.PID, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Port: 8080}), unix.Listen(fd, 1)); err != nil {
			return err
		}
		to = netip.AddrPortFrom(b.address(t, c), 8080)
		return nil
	})
	for range 6 { // the kernel lets in one more than the limit
		begin(t, caller, to)
	}
	b.wantCounted(t, c, "accept_queue_overflows_total", 4, "netstat", "TcpExt:", "ListenOverflows")
	b.wantCounted(t, c, "listen_drops_total", 4, "netstat", "TcpExt:", "ListenDrops")
	if got := b.tcp(t, c); got["accept_queue_connections"] != 2 || got["accept_queue_limit"] != 1 {
		t.Errorf("got %v, want 2 in a queue for 1", got)
	}
	b.wantConnections(t, caller, map[string]float64{"established cluster": 2, "syn_sent cluster": 4})
}

func (b *bridged) goes(t *testing.T) {
	c := b.run(t, "goes")
	if got := b.tcp(t, c); len(got) == 0 {
		t.Fatal("it has no series")
	}
	if err := c.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.exporter.wantGone(t, c.CgroupPath)
	if got := b.tcp(t, c); len(got) > 0 {
		t.Errorf("it has gone, and has %v", got)
	}
}
