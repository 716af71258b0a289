package browser

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/up"
)

// rowsOf is a script that yields the texts of a section's table.
func rowsOf(section string) string {
	return `[...document.querySelectorAll("section.` + section + ` tbody tr")].map(r => [...r.cells].map(c => c.textContent.trim()).join("|"))`
}

func TestStartPageOfASwarm(t *testing.T) {
	w, d := newWorld(t), docker.Start(t, docker.WithSwarm())
	web := d.CreateService(t.Context(), docker.ServiceSpec{Name: "web", Stack: "shop", Replicas: 2})
	d.CreateService(t.Context(), docker.ServiceSpec{Name: "nowhere", Stack: "shop", Constraints: []string{"node.role==worker"}})
	stuck := d.CreateService(t.Context(), docker.ServiceSpec{
		Name: "api", Stack: "billing", RestartDelay: time.Hour,
		Updating: &swarm.UpdateConfig{FailureAction: swarm.UpdateFailureActionPause, Monitor: 3 * time.Second},
	})
	d.CreateService(t.Context(), docker.ServiceSpec{Name: "greedy", Args: []string{"oom"}, MemoryLimit: 24 * mebibyte, RestartDelay: time.Hour})
	for s, tasks := range map[*docker.Service]int{web: 2, stuck: 1} {
		if _, err := s.Tasks(t.Context(), tasks, swarm.TaskStateRunning); err != nil {
			t.Fatal(err)
		}
	}
	p := up.Start(t, w.args(t, t.TempDir(), d.Host, d.ContainerdAddress)...)
	b := open(t, p.Address)
	first := `((` + rowsOf("wanted") + `)[0] || "")`
	b.until("a service that lacks a task", rowsOf("wanted")+`.some(r => r === "shop / shop_nowhere|service swarm|1|0|complete|0|no suitable node")`)
	if err := stuck.Update(t.Context(), func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Args = []string{"exit", "4"} }); err != nil {
		t.Fatal(err)
	}
	b.until("a rollout that is stalled", first+`.startsWith("billing / billing_api|service swarm|1|0|stalled for ")`)
	b.until("the rollout's failure among the events", `(`+rowsOf("events")+`).includes("rollout failed|1|billing / billing_api|swarm")`)

	wanted := must[[]string](b, rowsOf("wanted"))
	for _, begins := range []string{"shop / shop_web|service swarm|2|2|complete|0|", "default / greedy|service swarm|1|0|"} {
		if !slices.ContainsFunc(wanted, func(row string) bool { return strings.HasPrefix(row, begins) }) {
			t.Errorf("no row begins with %q: %q", begins, wanted)
		}
	}
	if row := wanted[len(wanted)-1]; !strings.HasPrefix(row, "shop / shop_web|") {
		t.Errorf("the last row, of which nothing is wrong, is %q", row)
	}
	services := must[[]string](b, rowsOf("services"))
	for _, row := range []string{"shop / shop_web|swarm|2|0", "shop / shop_nowhere|swarm|0|1"} {
		if !slices.Contains(services, row) {
			t.Errorf("%q is not among the services: %q", row, services)
		}
	}
	for _, view := range []struct {
		width, height int64
		scheme        string
	}{{1500, 1300, "light"}, {1500, 1300, "dark"}, {390, 844, "light"}} {
		b.picture(t, "swarm", view.width, view.height, view.scheme)
		if wide := must[int](b, `document.documentElement.scrollWidth`); int64(wide) > view.width {
			t.Errorf("in a window of %d pixels the page is %d wide", view.width, wide)
		}
	}
}
