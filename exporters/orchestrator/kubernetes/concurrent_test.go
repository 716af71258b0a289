package kubernetes

import (
	"sync"
	"testing"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
)

// TestScrapesGoOnWhileObjectsChange proves with the race detector that what is kept is
// guarded, whichever resource it is of.
func TestScrapesGoOnWhileObjectsChange(t *testing.T) {
	f := newFixture(t, shopObjects()...)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 20 {
				if f.text(metrics.Table()) == "" {
					t.Error("nothing is served")
				}
			}
		})
	}
	for resource, sink := range f.Sinks() {
		wg.Go(func() { // one reflector a resource
			for range 20 {
				for _, o := range shopObjects() {
					if resourceOf(o) != resource {
						continue
					}
					sink.Set(keyOf(o), sink.Reduce(o))
					sink.Delete(keyOf(o), sink.Reduce(o))
					sink.Set(keyOf(o), sink.Reduce(o))
				}
			}
		})
	}
	wg.Wait()
	f.expect(metrics.ServicePod, "shop web a = 1", "shop web b = 1", "shop web bare = 1", "shop web p = 1")
}
