package resource

import (
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/docker"
)

// Texts that try to be more than text.
const (
	injection = "a\"} 1\nevil_metric{x=\"\\\" 2\n# EOF\n"
	notUTF8   = "broken \xff\xfe\x80 text"
	controls  = "tab\there \x00 nul \x1b[31m red \u202e turned \u2028 line"
)

func (m *machine) hostile(t *testing.T) {
	const project, service = "com.docker.compose.project", "com.docker.compose.service"
	long := strings.Repeat("long \"\\\n", 64<<10/8)
	var paths []string
	for name, labels := range map[string]map[string]string{
		"injection": {project: injection, service: injection},
		"not-utf8":  {project: notUTF8, service: "x" + notUTF8},
		"controls":  {project: controls, service: controls},
		"long":      {project: long, service: long + "other"},
		"keys":      {injection: "x", strings.Repeat("k", 64<<10): long, project: "p", service: "s"},
		"swarm":     {"com.docker.swarm.service.name": injection, "com.docker.swarm.task.name": "\n", "com.docker.stack.namespace": `\`},
		"pod": {
			"io.kubernetes.pod.name": injection, "io.kubernetes.pod.namespace": `\" `, "io.kubernetes.container.name": long,
		},
	} {
		paths = append(paths, m.docker.Run(t.Context(), docker.Spec{Name: "hostile-" + name, Labels: labels}).CgroupPath)
	}
	// containerd bounds a label to 4096 bytes and wants UTF-8.
	c := m.containerd.Run(t.Context(), containerd.Spec{ID: "hostile", Namespace: "k8s.io", Labels: map[string]string{
		"io.cri-containerd.kind": "container", "io.kubernetes.pod.name": injection + strings.Repeat("x", 3000),
		"io.kubernetes.pod.namespace": controls, "io.kubernetes.container.name": `\`, "nerdctl/name": injection,
	}})
	for _, path := range append(paths, c.CgroupPath) {
		m.exporter.shows(t, soon, path)
	}
	x := m.whole(t)
	if evil := x.family("evil_metric"); len(evil) > 0 {
		t.Errorf("a label became the series %v", evil)
	}
	if got := len(x.with(map[string]string{"namespace": injection, "workload": injection})); got == 0 {
		t.Error("the hostile label is not there as it was given")
	}
	if got := len(x.with(map[string]string{"namespace": "broken \ufffd\ufffd\ufffd text"})); got == 0 {
		t.Error("what is not UTF-8 is not replaced byte by byte")
	}
}

// processName gives a process a name that would be a line of its own, or the end of
// the name, in the files of /proc that quote it.
func (m *machine) processName(t *testing.T) {
	c := m.docker.Run(t.Context(), docker.Spec{Name: "newline", Args: []string{"named", "a\n) Z 1 (\nb"}})
	ready(t, dockerOutput(t, c))
	m.exporter.wantStarted(t, c.CgroupPath, processStarted(t, c.PID))
	if got := m.whole(t).of(c.CgroupPath).value("container_threads"); !(got > 0) {
		t.Errorf("it has %v threads", got)
	}
	m.exporter.mustScrape(t).wantCollected(t)
}

// whole checks that both formats parse and hold the same series, that no label is
// longer than any honest one, and returns a scrape.
func (m *machine) whole(t *testing.T) exposition {
	t.Helper()
	var formats [2]exposition
	for i, accept := range []string{plainText, openMetrics} {
		a, err := m.exporter.get("/metrics", accept)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Split(a.contentType, ";")[0] != strings.Split(accept, ";")[0] {
			t.Errorf("asked for %s, the answer is of type %s", accept, a.contentType)
		}
		if formats[i], err = parse(a); err != nil {
			t.Fatal(err)
		}
		for _, s := range formats[i] {
			for name, value := range s.labels {
				if len(value) > 1024 {
					t.Errorf("%s: the label %s has %d bytes", s.name, name, len(value))
				}
			}
		}
	}
	// Other tests' containers come and go; info has one series a container.
	for _, s := range formats[0].family("loadline_container_info") {
		if strings.HasPrefix(s.labels["pod"], "hostile") && len(formats[1].family(s.name).with(s.labels)) != 1 {
			t.Errorf("only one of the formats has %v", s)
		}
	}
	return formats[1]
}
