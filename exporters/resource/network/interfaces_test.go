package network

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestInterfacesAreServedOnceAPod(t *testing.T) {
	m := newMachine(t)
	m.kubernetes("web", "", 10)
	m.kubernetes("web", "app", 11)
	m.process(10, "a")
	m.process(11, "a")
	m.kubernetes("bare", "app", 12) // without a sandbox
	m.process(12, "b")
	lines, err := collect(t.Context(), t, "network", (&Interfaces{Namespaces: m.namespaces()}).Collect)
	if err != nil {
		t.Error(err)
	}
	web := `{id="/kubepods/web/",name="kubepods/web/",image="",namespace="shop",pod="web",container="",workload="web",workload_type="deployment",interface="eth0"}`
	bare := `{id="/kubepods/bare",name="",image="",namespace="shop",pod="bare",container="POD",workload="bare",workload_type="deployment",interface="eth0"}`
	var want []string
	for name, value := range map[string]string{
		"receive_bytes": "100", "receive_packets": "10", "receive_errors": "1", "receive_packets_dropped": "2",
		"transmit_bytes": "200", "transmit_packets": "20", "transmit_errors": "3", "transmit_packets_dropped": "4",
	} {
		want = append(want, "container_network_"+name+"_total"+web+" "+value, "container_network_"+name+"_total"+bare+" "+value)
	}
	slices.Sort(lines)
	slices.Sort(want)
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestContainersOfAPodOnNetworksOfTheirOwnAreToldApart(t *testing.T) {
	m := newMachine(t)
	m.kubernetes("odd", "second", 11)
	m.kubernetes("odd", "first", 10)
	m.list[1].Started = time.Unix(1, 0)
	m.process(10, "a")
	m.process(11, "b")
	lines, err := collect(t.Context(), t, "network", (&Interfaces{Namespaces: m.namespaces()}).Collect)
	if err != nil {
		t.Error(err)
	}
	var ids []string
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, `container_network_receive_bytes_total{id="`); ok {
			id, _, _ := strings.Cut(rest, `"`)
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"/kubepods/odd", "/kubepods/odd/second"}) {
		t.Errorf("got %v", ids)
	}
}

func TestAPodThatCannotBeReadLosesNothingElse(t *testing.T) {
	m := newMachine(t)
	m.plain("good", 10)
	m.plain("bad", 11)
	m.process(10, "a")
	m.process(11, "b")
	dev := filepath.Join(m.procfs, "11", deviceFile)
	if err := os.Remove(dev); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dev, 0o755); err != nil { // reading it is an error
		t.Fatal(err)
	}
	lines, err := collect(t.Context(), t, "network", (&Interfaces{Namespaces: m.namespaces()}).Collect)
	if len(lines) != 8 || !strings.Contains(lines[0], `pod="good"`) {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
	if err == nil || !strings.Contains(err.Error(), "default/bad") {
		t.Errorf("the error does not name what is missing: %v", err)
	}
}

func TestReadingInterfacesEndsWithItsContext(t *testing.T) {
	m := newMachine(t)
	m.plain("web", 10)
	m.process(10, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	lines, err := collect(ctx, t, "network", (&Interfaces{Namespaces: m.namespaces()}).Collect)
	if len(lines) > 0 || err == nil {
		t.Errorf("got %v, %v", lines, err)
	}
}
