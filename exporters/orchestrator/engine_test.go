package orchestrator_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/moby/moby/api/types/events"

	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/internal/dockerclient/dockertest"
	"github.com/loadline-exporters/loadline/internal/family"
)

// TestAnEngineThatIsAheadHasNoLag has an engine tell of what has not happened yet by this
// process's clock, as it looks when that is set back.
func TestAnEngineThatIsAheadHasNoLag(t *testing.T) {
	engine, stream := dockertest.StartEvents(t)
	engine.Answer("/info", `{"Swarm":{"LocalNodeState":"inactive"}}`)
	engine.Answer("/containers/json", "[]")
	stream.Stay = true
	stream.Add(time.Hour, events.ActionPull, "x", map[string]string{"name": "x"})
	stream.Add(time.Hour, events.ActionStart, "x", map[string]string{"name": "x"})
	app := kingpin.New("", "")
	factory := orchestrator.Command().Flags(app)
	if _, err := app.Parse([]string{"--docker-host=" + engine.Host}); err != nil {
		t.Fatal(err)
	}
	e, err := factory(slog.New(slog.DiscardHandler), family.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	const lag = `loadline_events_lag_seconds_%{orchestrator="docker"} `
	wait.For(t, time.Minute, "the lag to be observed", func() error {
		w := family.NewWriter(family.Table{metrics.EventLag}, nil)
		for _, c := range e.Collectors {
			if err := c.Collect(ctx, w); err != nil {
				return err
			}
		}
		var text bytes.Buffer
		if err := family.Budget(family.Table{metrics.EventLag}, []*family.Writer{w}, 0).Encode(&text, family.Text); err != nil {
			return err
		}
		has := func(suffix, value string) bool {
			return strings.Contains(text.String(), strings.Replace(lag, "%", suffix, 1)+value+"\n")
		}
		if strings.Contains(text.String(), strings.Replace(lag, "%", "sum", 1)+"-") {
			t.Fatalf("it is less than nothing:\n%s", &text)
		}
		if !has("sum", "0") || has("count", "0") || !strings.Contains(text.String(), "_count") {
			return errors.New(text.String())
		}
		return nil
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
