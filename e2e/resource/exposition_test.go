package resource

import (
	"maps"
	"math"
	"regexp"
	"testing"

	served "github.com/loadline-exporters/loadline/e2e/exposition"
)

// sample is a series with its value.
type sample struct {
	name   string
	labels map[string]string // without the name
	value  float64
}

// exposition is one scrape's samples.
type exposition []sample

// parse reads an exposition.
func parse(a answer) (exposition, error) {
	parsed, err := served.Parse(a.body, a.contentType)
	x := make(exposition, 0, len(parsed))
	for _, p := range parsed {
		x = append(x, sample{p.Name, p.Labels, p.Value})
	}
	return x, err
}

// of are the samples of a container, which its cgroup's path names.
func (x exposition) of(cgroupPath string) exposition {
	return x.with(map[string]string{"id": cgroupPath})
}

// readNow are the samples that are read at the scrape: what is polled in the
// background comes and goes a little later than its container.
func (x exposition) readNow() exposition {
	polled := regexp.MustCompile(`^(container_(processes|file_descriptors|sockets|ulimits_soft|fs_(usage|limit|inodes)_.*)|loadline_container_(log|ephemeral_storage)_bytes)$`)
	var out exposition
	for _, s := range x {
		if !polled.MatchString(s.name) {
			out = append(out, s)
		}
	}
	return out
}

// with are the samples that have all of the labels.
func (x exposition) with(want map[string]string) exposition {
	var out exposition
	for _, s := range x {
		if s.has(want) {
			out = append(out, s)
		}
	}
	return out
}

func (s sample) has(want map[string]string) bool {
	for name, value := range want {
		if got, ok := s.labels[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// family are the samples of a name.
func (x exposition) family(name string) exposition {
	var out exposition
	for _, s := range x {
		if s.name == name {
			out = append(out, s)
		}
	}
	return out
}

// value is that of the only sample of a name; NaN when it is missing or not the
// only one.
func (x exposition) value(name string) float64 {
	if found := x.family(name); len(found) == 1 {
		return found[0].value
	}
	return math.NaN()
}

// byLabel are a family's values by one of its labels.
func (x exposition) byLabel(name, label string) map[string]float64 {
	out := map[string]float64{}
	for _, s := range x.family(name) {
		out[s.labels[label]] = s.value
	}
	return out
}

// wantAmounts checks a family's values by resource.
func (x exposition) wantAmounts(t *testing.T, name string, want map[string]float64) {
	t.Helper()
	if got := x.byLabel(name, "resource"); !maps.Equal(got, want) {
		t.Errorf("%s is %v, want %v", name, got, want)
	}
}
