package serve

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/loadline-exporters/loadline/internal/family"
)

// FlagGroup is what flags are added to: a kingpin application or command.
type FlagGroup interface {
	Flag(name, help string) *kingpin.FlagClause
}

// SeriesFlags are the flags by which an operator chooses what is served.
type SeriesFlags struct {
	compat, allow, deny string
	budget              int
}

// AddSeriesFlags adds them. The budget's default is the exporter's own.
func AddSeriesFlags(g FlagGroup, defaultBudget string) *SeriesFlags {
	var f SeriesFlags
	all := make([]string, 0, len(family.Compats))
	for _, c := range family.Compats {
		all = append(all, string(c))
	}
	g.Flag("compat", "Groups of families that keep the names of other exporters, to be served: any of "+strings.Join(all, ",")+
		". Leave out what node_exporter, cAdvisor, the kubelet or kube-state-metrics serve already.").
		Default(strings.Join(all, ",")).StringVar(&f.compat)
	g.Flag("metric-allowlist", "Comma-separated regular expressions (ECMAScript's) of the families to serve, anchored at both ends but for kube_*, "+
		"in whose names they may match anywhere, as kube-state-metrics has it; empty for all.").
		StringVar(&f.allow)
	g.Flag("metric-denylist", "Comma-separated regular expressions, as those of --metric-allowlist, of the families not to serve; wins over it.").
		StringVar(&f.deny)
	g.Flag("series-budget", "Series to serve at the most; a family that does not fit is dropped whole and said to be. 0 is no limit.").
		Default(defaultBudget).IntVar(&f.budget)
	return &f
}

// CollectorFlags are the flags that turn collectors on and off.
type CollectorFlags struct {
	on map[string]*bool
}

// AddCollectorFlags adds --collector.NAME and --no-collector.NAME for each of
// names. Those in off are off unless they are asked for.
func AddCollectorFlags(g FlagGroup, names, off []string) *CollectorFlags {
	f := CollectorFlags{on: make(map[string]*bool, len(names))}
	for _, name := range names {
		value := strconv.FormatBool(!slices.Contains(off, name))
		f.on[name] = g.Flag("collector."+name, "Run the collector "+name+".").Default(value).Bool()
	}
	return &f
}

// Enabled says whether a collector is on; one without a flag is, and so is every
// one where no flags were added.
func (f *CollectorFlags) Enabled(name string) bool {
	if f == nil {
		return true
	}
	on, ok := f.on[name]
	return !ok || *on
}

// Options returns what the flags say.
func (f *SeriesFlags) Options() GatherOptions {
	var compat []family.Compat
	for _, c := range split(f.compat) {
		compat = append(compat, family.Compat(c))
	}
	return GatherOptions{
		Filter: family.Filter{Compat: compat, Allow: split(f.allow), Deny: split(f.deny)},
		Budget: f.budget,
	}
}

func split(list string) []string {
	var out []string
	for _, part := range strings.Split(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
