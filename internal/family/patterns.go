package family

import (
	"fmt"

	"github.com/dlclark/regexp2/v2"
)

// patterns are regular expressions that choose families by their names. They are those
// of ECMAScript, because kube-state-metrics' are. Its families they match anywhere in a
// name, as there; all others as a whole, as Prometheus does.
type patterns []pattern

type pattern struct{ anywhere, whole *regexp2.Regexp }

// compile compiles them; an error names the one that is wrong.
func compile(exprs []string) (patterns, error) {
	out := make(patterns, 0, len(exprs))
	for _, e := range exprs {
		anywhere, err := regexp2.Compile(e, regexp2.ECMAScript)
		if err != nil {
			return nil, fmt.Errorf("metric name pattern %q: %w", e, err)
		}
		whole, err := regexp2.Compile("^(?:"+e+")$", regexp2.ECMAScript)
		if err != nil {
			return nil, fmt.Errorf("metric name pattern %q: %w", e, err)
		}
		out = append(out, pattern{anywhere, whole})
	}
	return out, nil
}

// match says whether any of them chooses a family. Matching has no time limit, and
// without one it does not fail.
func (p patterns) match(f *Family) bool {
	for _, this := range p {
		expr := this.whole
		if f.Compat == Kube {
			expr = this.anywhere
		}
		if ok, err := expr.MatchString(f.Name); ok && err == nil {
			return true
		}
	}
	return false
}
