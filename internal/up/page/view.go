package page

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
)

// sparks are the sparklines, which change once a minute.
type sparks struct {
	at                  time.Time
	cpu, memory         map[place][]float64
	nodeCPU, nodeMemory map[place][]float64
}

func (a *asker) allSparks(ctx context.Context) sparks {
	s := sparks{
		at:  a.at.Truncate(sparkStep),
		cpu: a.sparks(ctx, queryCPU), memory: a.sparks(ctx, queryMemory),
		nodeCPU: a.sparks(ctx, queryNodeCPU), nodeMemory: a.sparks(ctx, queryNodeMemory),
	}
	s.trim()
	return s
}

// leastSpark is the shortest time, in steps, that a sparkline is drawn for.
const leastSpark = 10

// trim cuts off the time before anything was measured, of all alike: soon after
// the first start the lines would be dots at the right otherwise.
func (s *sparks) trim() {
	all := []map[place][]float64{s.cpu, s.memory, s.nodeCPU, s.nodeMemory}
	first := math.MaxInt
	for _, m := range all {
		for _, points := range m {
			i := slices.IndexFunc(points, func(v float64) bool { return !math.IsNaN(v) })
			if i >= 0 {
				first = min(first, i, max(len(points)-leastSpark, 0))
			}
		}
	}
	if first == math.MaxInt {
		return
	}
	for _, m := range all {
		for p, points := range m {
			m[p] = points[first:]
		}
	}
}

// rows makes the tree of namespaces, workloads, pods and containers.
func (a *asker) rows(ctx context.Context, sp sparks) []*Row {
	leaves := map[place]*Row{}
	leaf := func(p place) *Row {
		r, ok := leaves[p]
		if !ok {
			r = &Row{Level: Container, Name: p.container, CPU: none(), Memory: none()}
			r.CPU.Spark, r.Memory.Spark = sp.cpu[p], sp.memory[p]
			leaves[p] = r
		}
		return r
	}
	for _, s := range a.vector(ctx, queryMemory) {
		leaf(placeOf(s.Metric)).Memory.Now = s.F
	}
	for _, s := range a.vector(ctx, queryCPU) {
		leaf(placeOf(s.Metric)).CPU.Now = s.F
	}
	// Only what runs has a row: a limit outlives its container by a scrape.
	assign(leaves, a.vector(ctx, queryRequests), func(a *Amount) *float64 { return &a.Request })
	assign(leaves, a.vector(ctx, queryLimits), func(a *Amount) *float64 { return &a.Limit })
	for _, r := range leaves {
		r.CPU.Headroom = 1 - r.CPU.Now/r.CPU.Limit
		r.Memory.Headroom = 1 - r.Memory.Now/r.Memory.Limit
	}
	return tree(leaves)
}

func assign(leaves map[place]*Row, v promql.Vector, field func(*Amount) *float64) {
	for _, s := range v {
		r, ok := leaves[placeOf(s.Metric)]
		if !ok {
			continue
		}
		switch s.Metric.Get("resource") {
		case "cpu":
			*field(&r.CPU) = s.F
		case "memory":
			*field(&r.Memory) = s.F
		}
	}
}

// tree puts the containers below pods, workloads and namespaces.
func tree(leaves map[place]*Row) []*Row {
	byKey := map[string]*Row{}
	var top []*Row
	group := func(parent *Row, level Level, name, kind string) *Row {
		key := string(level) + "/" + name + "/" + kind
		if parent != nil {
			key = parent.Key + "/" + key
		}
		r, ok := byKey[key]
		if !ok {
			r = &Row{Key: key, Level: level, Name: name, Kind: kind}
			byKey[key] = r
			if parent == nil {
				top = append(top, r)
			} else {
				parent.Children = append(parent.Children, r)
			}
		}
		return r
	}
	for p, r := range leaves {
		pod := group(group(group(nil, Namespace, p.namespace, ""), Workload, p.workload, p.kind), Pod, p.pod, "")
		r.Key = pod.Key + "/container/" + p.container
		pod.Children = append(pod.Children, r)
	}
	for _, r := range top {
		r.sum()
	}
	sortRows(top)
	return top
}

// sum adds the children up, from the containers to the namespace. A group has a
// limit when all of its containers have one.
func (r *Row) sum() {
	if len(r.Children) == 0 {
		return
	}
	cpu, memory := make([]Amount, 0, len(r.Children)), make([]Amount, 0, len(r.Children))
	for _, c := range r.Children {
		c.sum()
		cpu, memory = append(cpu, c.CPU), append(memory, c.Memory)
	}
	sortRows(r.Children)
	r.CPU, r.Memory = total(cpu), total(memory)
}

func total(parts []Amount) Amount {
	t := Amount{Headroom: math.NaN(), Now: math.NaN(), Request: math.NaN()}
	for _, p := range parts {
		t.Now, t.Request = plus(t.Now, p.Now), plus(t.Request, p.Request)
		t.Limit += p.Limit // NaN stays NaN
		t.Headroom = least(t.Headroom, p.Headroom)
		t.Spark = addSpark(t.Spark, p.Spark)
	}
	return t
}

// plus adds what is there.
func plus(a, b float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	}
	return a + b
}

func addSpark(sum, part []float64) []float64 {
	if sum == nil {
		return slices.Clone(part)
	}
	for i := range min(len(sum), len(part)) {
		sum[i] = plus(sum[i], part[i])
	}
	return sum
}

// sortRows sorts by the least headroom; what has no limit comes after, by the
// memory it uses.
func sortRows(rows []*Row) {
	slices.SortFunc(rows, func(a, b *Row) int {
		ha, hb := a.Headroom(), b.Headroom()
		switch {
		case math.IsNaN(ha) && !math.IsNaN(hb):
			return 1
		case !math.IsNaN(ha) && math.IsNaN(hb):
			return -1
		case !math.IsNaN(ha) && ha != hb:
			return cmp.Compare(ha, hb)
		case math.IsNaN(ha) && a.Memory.Now != b.Memory.Now:
			return -cmp.Compare(a.Memory.Now, b.Memory.Now)
		}
		return strings.Compare(a.Key, b.Key)
	})
}

func (a *asker) node(ctx context.Context, sp sparks) Node {
	n := Node{CPU: none(), Memory: none(), Load1: a.scalar(ctx, queryNodeLoad)}
	n.CPU.Now, n.CPU.Limit = a.scalar(ctx, queryNodeCPU), a.scalar(ctx, queryNodeCores)
	n.Memory.Now, n.Memory.Limit = a.scalar(ctx, queryNodeMemory), a.scalar(ctx, queryNodeMemoryAll)
	n.CPU.Headroom, n.Memory.Headroom = 1-n.CPU.Now/n.CPU.Limit, 1-n.Memory.Now/n.Memory.Limit
	n.CPU.Spark, n.Memory.Spark = sp.nodeCPU[place{}], sp.nodeMemory[place{}]
	for _, s := range a.vector(ctx, queryNodeUname) {
		n.Name, n.Kernel = s.Metric.Get("nodename"), s.Metric.Get("sysname")+" "+s.Metric.Get("release")
	}
	if boot := a.scalar(ctx, queryNodeBoot); !math.IsNaN(boot) {
		n.Up = a.at.Sub(time.UnixMilli(int64(boot * 1000)))
	}
	for _, s := range a.vector(ctx, queryPressure) {
		n.Pressure = append(n.Pressure, Pressure{s.Metric.Get("resource"), s.F})
	}
	n.Filesystems = a.filesystems(ctx)
	return n
}

// shownFilesystems is how many of the fullest file systems are shown.
const shownFilesystems = 4

func (a *asker) filesystems(ctx context.Context) []Filesystem {
	// A device that is mounted at several places is one file system: the one at
	// the shortest path stands for it.
	byDevice := map[string]Filesystem{}
	for _, s := range a.vector(ctx, queryFSSize) {
		device, mount := s.Metric.Get("device"), s.Metric.Get("mountpoint")
		if old, ok := byDevice[device]; !ok || len(mount) < len(old.Mountpoint) {
			byDevice[device] = Filesystem{Mountpoint: mount, Size: s.F, Used: math.NaN()}
		}
	}
	for _, s := range a.vector(ctx, queryFSAvail) {
		device := s.Metric.Get("device")
		if f, ok := byDevice[device]; ok && f.Mountpoint == s.Metric.Get("mountpoint") {
			f.Used = f.Size - s.F
			byDevice[device] = f
		}
	}
	var out []Filesystem
	for _, f := range byDevice {
		if !math.IsNaN(f.Used) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b Filesystem) int {
		return cmp.Or(-cmp.Compare(a.Ratio(), b.Ratio()), strings.Compare(a.Mountpoint, b.Mountpoint))
	})
	return out[:min(len(out), shownFilesystems)]
}
