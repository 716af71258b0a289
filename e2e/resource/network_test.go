package resource

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// bridged is a Docker in a network namespace of its own, with a bridge that its
// containers are on, and an exporter that watches it.
type bridged struct {
	docker   *docker.Docker
	exporter *exporter
}

// bridge is the name of the network.
const bridge = "loadline"

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
