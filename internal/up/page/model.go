// Package page is the start page of `loadline up`: the node, and every workload
// with its pods and containers, sorted by how little headroom is left.
//
// It reads its numbers from the embedded Prometheus by plain queries (query.go),
// makes a View of them (view.go), and renders it on the server (page.go), so that
// the page works without a build step, an external asset or, but for refreshing,
// a script.
package page

import (
	"math"
	"time"

	"github.com/loadline-exporters/loadline/internal/source"
)

// View is all that the page shows at one time.
type View struct {
	At    time.Time
	Every time.Duration // between two refreshes
	Node  Node
	// Alerts are those that fire, pages first; MoreAlerts is how many are not among them.
	Alerts     []Alert
	MoreAlerts int
	Rows       []*Row // namespaces
	// Orchestrated is nil where nobody asks orchestrators.
	Orchestrated *Orchestrated
	Exporters    []Exporter
	Err          string // why numbers are missing, if they are
}

// Node is the machine.
type Node struct {
	Name, Kernel string
	Up           time.Duration
	CPU, Memory  Amount // Limit is what the machine has
	Load1        float64
	Pressure     []Pressure
	Filesystems  []Filesystem // the fullest first
}

// Pressure is the share of the last minutes in which tasks waited for a resource.
type Pressure struct {
	Resource string
	Waiting  float64 // ratio
}

// Filesystem is one that is mounted on the machine.
type Filesystem struct {
	Mountpoint string
	Size, Used float64 // bytes
}

// Ratio is the share that is used.
func (f Filesystem) Ratio() float64 { return f.Used / f.Size }

// Level is what a row stands for.
type Level string

// The levels, from the top.
const (
	Namespace Level = "namespace"
	Workload  Level = "workload"
	Pod       Level = "pod"
	Container Level = "container"
)

// Row is a namespace, workload, pod or container.
type Row struct {
	Key         string // unique on the page, the same from refresh to refresh
	Level       Level
	Name        string
	Kind        string // a workload's type
	CPU, Memory Amount
	Children    []*Row
}

// Headroom is the least of the row's two resources, NaN when neither has a limit.
func (r *Row) Headroom() float64 { return least(r.CPU.Headroom, r.Memory.Headroom) }

// Amount is a resource's use against what was asked for and what is allowed. CPU
// is in cores, memory in bytes; NaN is none.
type Amount struct {
	Now, Request, Limit float64
	// Headroom is the share of the limit that is left; for a group the least of
	// its containers': the first to reach its limit is what matters. It can be
	// below 0 for a moment.
	Headroom float64
	Spark    []float64 // the last hour as far as there is one, oldest first; NaN where nothing was measured
}

// Exporter is the state of one of the process's exporters.
type Exporter struct {
	Name    string
	Up      bool
	Series  float64
	Took    time.Duration // its last scrape
	Sources []source.Status
}

func none() Amount {
	return Amount{Now: math.NaN(), Request: math.NaN(), Limit: math.NaN(), Headroom: math.NaN()}
}

// least is the smaller number; NaN only when both are.
func least(a, b float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	}
	return min(a, b)
}
