package browser

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/up"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const mebibyte = 1 << 20

// compose are the labels that Compose gives a service's container.
func compose(project, service string) map[string]string {
	return map[string]string{"com.docker.compose.project": project, "com.docker.compose.service": service}
}

// hostile tries to be markup.
const hostile = `<script>window.pwned=1</script><img src=x onerror="window.pwned=1">"'&`

func TestStartPage(t *testing.T) {
	w, d := newWorld(t), docker.Start(t)
	run := func(spec docker.Spec) *docker.Container {
		t.Helper()
		spec.CgroupParent = w.parent
		return d.Run(t.Context(), spec)
	}
	run(docker.Spec{
		Name: "shop-web-1", Labels: compose("shop", "web"), Args: []string{"hold", "56MiB"},
		MemoryLimit: 64 * mebibyte, MemoryReservation: 48 * mebibyte, CPUQuota: 50_000,
	})
	run(docker.Spec{Name: "shop-worker-1", Labels: compose("shop", "worker"), Args: []string{"hold", "16MiB"}})
	run(docker.Spec{Name: "redis", MemoryLimit: 64 * mebibyte})
	run(docker.Spec{Name: "hostile", Labels: compose(hostile, hostile)})

	p := up.Start(t, w.args(t, t.TempDir(), d.Host, d.ContainerdAddress)...)
	b := open(t, p.Address)
	b.until("the workloads", rowExists("web")+"&&"+rowExists("worker")+"&&"+rowExists("redis"))
	b.until("the processor's numbers", `document.querySelector("details.workload, summary.workload .now b").textContent !== "–"`)

	s := &startPage{w: w, docker: d, program: p, tab: b}
	for _, test := range []struct {
		behaviour string
		run       func(*testing.T)
	}{
		{"the node and its state are at the top", s.node},
		{"namespaces, workloads, pods and containers are nested, least headroom first", s.tree},
		{"the values are those of the API", s.values},
		{"hostile names are text", s.hostile},
		{"exporters and sources are there with their state", s.exporters},
		{"pictures in both schemes and on a phone", s.pictures},
		{"what is unfolded stays so while new containers appear", s.live},
		{"a server that is gone is said to be", s.lost},
	} {
		t.Run(test.behaviour, test.run)
	}
}

// startPage is what the subtests of TestStartPage share.
type startPage struct {
	w       *world
	docker  *docker.Docker
	program *up.Program
	tab     *tab
}

// summary is a script that yields the row of a name, or null.
func summary(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".tree .row:not(.head)")].find(r => r.querySelector(".name").firstChild.textContent.trim() === %s)`, strconv.Quote(name))
}

func rowExists(name string) string { return "!!(" + summary(name) + ")" }

// cells are the texts of a row's columns.
func (s *startPage) cells(t *testing.T, name string) []string {
	t.Helper()
	cells := must[[]string](s.tab, `[...(`+summary(name)+`).children].map(c => c.textContent.trim())`)
	if len(cells) != 11 {
		t.Fatalf("row %s has the cells %q", name, cells)
	}
	return cells
}

func (s *startPage) node(t *testing.T) {
	text := must[string](s.tab, `document.querySelector("section.node").innerText`)
	for _, want := range []string{"CPU", "Memory", "Pressure", "File systems", "cores", "GiB", "load", "available", "up "} {
		if !strings.Contains(text, want) {
			t.Errorf("the node's section lacks %q: %s", want, text)
		}
	}
	for _, empty := range []string{"NaN", "Inf", "–"} {
		if strings.Contains(text, empty) {
			t.Errorf("the node's section has %q: %s", empty, text)
		}
	}
}

func (s *startPage) tree(t *testing.T) {
	namespaces := must[[]string](s.tab, `[...document.querySelectorAll("summary.namespace .name")].map(n => n.textContent.trim())`)
	if len(namespaces) != 3 || namespaces[0] != "shop" || !slices.Contains(namespaces, "default") {
		t.Errorf("the namespaces are %q, want shop, which has the least headroom, first", namespaces)
	}
	workloads := must[[]string](s.tab, `[...(`+summary("shop")+`).parentElement.querySelectorAll("summary.workload .name")].map(n => n.textContent.trim())`)
	if !slices.Equal(workloads, []string{"web service", "worker service"}) {
		t.Errorf("the workloads of shop are %q, want web, which is near its limit, first", workloads)
	}
	const pod = `[...document.querySelectorAll(".row.pod .name")].find(n => n.textContent.trim() === "shop-web-1")`
	if must[bool](s.tab, `(`+pod+`).checkVisibility()`) {
		t.Error("a pod is there before its workload is unfolded")
	}
	must[bool](s.tab, `(`+summary("web")+`).setAttribute("id", "web"), true`)
	s.tab.do("unfold a workload", chromedp.Click("#web", chromedp.NodeVisible))
	s.tab.until("the pod", `(`+pod+`).checkVisibility()`)
}

// amount parses what the page shows: "57.3 MiB", "512m", "1.20", "8 %".
func amount(t *testing.T, text string) float64 {
	t.Helper()
	number, unit, _ := strings.Cut(text, " ")
	factor := map[string]float64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": mebibyte, "GiB": 1 << 30, "%": 0.01}[unit]
	if rest, ok := strings.CutSuffix(number, "m"); ok {
		number, factor = rest, 0.001
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || factor == 0 {
		t.Errorf("%q is no amount", text)
		return math.NaN()
	}
	return v * factor
}

// Columns of a row.
const (
	cpuNow, cpuLimit, cpuHeadroom                         = 1, 3, 4
	memoryNow, memoryRequest, memoryLimit, memoryHeadroom = 6, 7, 8, 9
)

func (s *startPage) values(t *testing.T) {
	used := s.program.Value(t, `container_memory_working_set_bytes{namespace="shop", workload="web"}`)
	cells := s.cells(t, "web")
	for column, want := range map[int]float64{
		cpuLimit: 0.5, memoryNow: used, memoryRequest: 48 * mebibyte, memoryLimit: 64 * mebibyte, memoryHeadroom: 1 - used/(64*mebibyte),
	} {
		if got := amount(t, cells[column]); math.Abs(got-want) > 0.02*want+0.011 {
			t.Errorf("column %d of web shows %q, the API has %v", column, cells[column], want)
		}
	}
	if headroom := amount(t, cells[cpuHeadroom]); headroom < 0.5 {
		t.Errorf("an idle container has %q of its processor left", cells[cpuHeadroom])
	}
	for _, column := range []int{cpuLimit, cpuHeadroom, memoryRequest, memoryLimit, memoryHeadroom} {
		if text := s.cells(t, "worker")[column]; text != "–" {
			t.Errorf("column %d of worker, which has no limit, is %q", column, text)
		}
	}
}

func (s *startPage) hostile(t *testing.T) {
	names := must[[]string](s.tab, `[...document.querySelectorAll(".row .name")].map(n => n.textContent)`)
	if !slices.Contains(names, hostile) || !slices.Contains(names, hostile+" service") {
		t.Errorf("the names are %q, want %q among them", names, hostile)
	}
	if wanted := must[[]string](s.tab, rowsOf("wanted")); !slices.ContainsFunc(wanted, func(row string) bool { return strings.HasPrefix(row, hostile+" / "+hostile+"|") }) {
		t.Errorf("what is wanted is %q, want %q among it", wanted, hostile)
	}
	if must[bool](s.tab, `"pwned" in window || document.querySelectorAll("main script, main img").length > 0`) {
		t.Error("a label became markup")
	}
}

func (s *startPage) exporters(t *testing.T) {
	rows := must[[]string](s.tab, `[...document.querySelectorAll(".sources tbody tr")].map(r => [...r.cells].map(c => c.textContent.trim()).join("|"))`)
	for _, want := range []string{"resource||up|", "|docker|available|" + s.docker.Host, "|containerd|available|", "|kubelet|absent|", "|cgroup|available|", "orchestrator||up|", "|swarm|absent|"} {
		if !slices.ContainsFunc(rows, func(row string) bool { return strings.HasPrefix(row, want) }) {
			t.Errorf("no row begins with %q: %q", want, rows)
		}
	}
}

func (s *startPage) live(t *testing.T) {
	must[bool](s.tab, `window.marker = 1, true`)
	s.docker.Run(t.Context(), docker.Spec{Name: "latecomer", Args: []string{"burn", "1"}, CPUQuota: 50_000, CgroupParent: s.w.parent})
	s.tab.until("the new container", rowExists("latecomer"))
	// What it uses is right at once, not when it has run for as long as rates are
	// taken over.
	wait.For(t, soon, "the new container's processor", func() error {
		if cells := s.cells(t, "latecomer"); !(cells[cpuNow] != "–" && math.Abs(amount(t, cells[cpuNow])-0.5) < 0.1) {
			return fmt.Errorf("it shows %q, want half of one", cells)
		}
		return nil
	})
	// And a few refreshes later.
	at := must[string](s.tab, `document.querySelector("time").textContent`)
	s.tab.until("a further refresh", `document.querySelector("time").textContent !== `+strconv.Quote(at))
	if !must[bool](s.tab, `window.marker === 1`) {
		t.Error("the page was loaded anew")
	}
	if !must[bool](s.tab, `(`+summary("web")+`).parentElement.open`) {
		t.Error("the workload was folded by the refresh")
	}
	if must[bool](s.tab, `(`+summary("worker")+`).parentElement.open`) {
		t.Error("another workload was unfolded by the refresh")
	}
}

func (s *startPage) lost(t *testing.T) {
	s.tab.wantQuiet(s.program.Address)
	if must[bool](s.tab, `document.getElementById("lost").checkVisibility()`) {
		t.Error("the connection is said to be lost before it is")
	}
	if code := s.program.Stop(); code != 0 {
		t.Errorf("loadline up ended with status %d: %s", code, s.program.Stderr)
	}
	s.tab.until("the message that the connection is lost", `document.getElementById("lost").checkVisibility()`)
	wait.For(t, limit, "the console, which was quiet, to have the refused request", func() error {
		s.tab.mu.Lock()
		defer s.tab.mu.Unlock()
		if len(s.tab.console) == 0 {
			return errors.New("it has nothing")
		}
		return nil
	})
	if !must[bool](s.tab, rowExists("web")) {
		t.Error("what was known is no longer shown")
	}
	s.tab.picture(t, "lost", 1500, 900, "light")
}

func TestPageOfAMachineWithoutContainers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := up.Start(t, w.args(t, t.TempDir(), "unix://"+nowhere(t), nowhere(t))...)
	b := open(t, p.Address)
	b.until("the node", `/of [0-9.]+ GiB/.test(document.querySelector("section.node").innerText)`)
	text := must[string](b, "document.body.innerText")
	for _, want := range []string{"No container runs", "docker run", "absent"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q: %s", want, text)
		}
	}
	b.picture(t, "empty", 1500, 900, "light")
	b.wantQuiet(p.Address)
	wait.For(t, limit, "the announcement", func() error {
		if out := p.Stdout.String(); !strings.Contains(out, p.Address) {
			return fmt.Errorf("the program says %q", out)
		}
		return nil
	})
}
