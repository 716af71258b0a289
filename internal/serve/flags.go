package serve

import (
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
	g.Flag("metric-allowlist", "Comma-separated regular expressions of the families to serve, anchored at both ends; empty for all.").
		StringVar(&f.allow)
	g.Flag("metric-denylist", "Comma-separated regular expressions of the families not to serve; wins over --metric-allowlist.").
		StringVar(&f.deny)
	g.Flag("series-budget", "Series to serve at the most; a family that does not fit is dropped whole and said to be. 0 is no limit.").
		Default(defaultBudget).IntVar(&f.budget)
	return &f
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
