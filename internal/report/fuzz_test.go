package report

import (
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// FuzzAnAnswer has a server say anything of what fired.
func FuzzAnAnswer(f *testing.F) {
	f.Add([]byte(`[{"metric":{"alertname":"X","severity":"page","service":"s"},"values":[[1795392000,"1"],[1795392060,"1"],[1795392600,"1"]]}]`), true)
	f.Add([]byte(`[null,{"metric":{"severity":"page"},"values":[[1795392060,"1"]]}]`), false) // without a name
	f.Add([]byte(`[{"metric":{},"values":[[1795392060,"NaN"],[0,"1"],[-9223372036854775,"1"],[9223372036854775,"1"]]},{"metric":null,"values":null}]`), false)
	c := Command{
		since: "7d", step: "1m", gap: "5m", short: "10m", zone: "UTC", hours: "Mon-Fri 09:00-18:00", pages: "page", tickets: "ticket",
		owner: "owner", top: 3, timeout: time.Second, Now: func() time.Time { return end },
	}
	r, err := c.request()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer []byte, pending bool) {
		var m model.Matrix
		if json.Unmarshal(answer, &m) != nil {
			t.Skip()
		}
		m = withoutNull(m)
		state := "firing"
		if pending {
			state = "pending"
		}
		collected := alerts{settings: r.settings, all: map[string]*alert{}}
		if err := collected.add(state, m, 60); err != nil {
			t.Skip()
		}
		out := &Report{Settings: r.settings, Comparable: true}
		r.fill(out, r.comparison(true), collected.list())
		if err := WriteHTML(io.Discard, out); err != nil {
			t.Error(err)
		}
		if err := WriteJSON(io.Discard, out); err != nil {
			t.Error(err)
		}
	})
}
