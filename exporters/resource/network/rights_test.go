package network

import (
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/internal/source"
)

func TestWithoutRightsTheSourceSaysSoAndCountersAndInterfacesStay(t *testing.T) {
	r := newRealPods(t, "web")
	r.connect("web", r.listen("web", "127.0.0.1:0"))
	ip(t, r.pid["web"], "link", "add", "eth0", "type", "bridge")
	c := r.connections()
	namespaces := r.namespaces()
	need.AsNobody(t, func() {
		c.Probe(t.Context())
		if got := c.Source.Status(); got.Reason != source.Forbidden {
			t.Errorf("asked at first, the source says %+v", got)
		}
		c.Source = source.New("sockets")
		lines, err := collect(t.Context(), t, "connection", c.Collect)
		if err != nil {
			t.Error(err)
		}
		text := strings.Join(lines, "\n")
		for name, want := range map[string]bool{
			"opened_total{": true, "overflows_total{": true, "tcp_connections{": false, "listen_sockets{": false, "accept_queue_limit{": false,
		} {
			if strings.Contains(text, name) != want {
				t.Errorf("%s is there: %v", name, !want)
			}
		}
		if got := c.Source.Status(); got.Reason != source.Forbidden {
			t.Errorf("afterwards the source says %+v", got)
		}
		if lines, err := collect(t.Context(), t, "network", (&Interfaces{Namespaces: namespaces}).Collect); len(lines) != 8 || err != nil {
			t.Errorf("interfaces: %v, %v", lines, err)
		}
	})
	if got := values(t, c, "web")[inState("established", "pod")]; got != 2 {
		t.Errorf("with rights again there are %v", got)
	}
	if got := c.Source.Status(); got.Reason != source.OK {
		t.Errorf("with rights again the source says %+v", got)
	}
}

func TestTheSourceAnswersWhereSocketsCanBeListed(t *testing.T) {
	r := newRealPods(t)
	c := r.connections()
	c.Probe(t.Context())
	if got := c.Source.Status(); got.Reason != source.OK {
		t.Errorf("it says %+v", got)
	}
}
