package events

import (
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// novelty tells of an object that a list has, and nobody knew, whether it was made
// since the list before. A first list is where counting begins; of later ones, an
// object counts that was changed after everything that is known and made after the
// exporter's start. One that is told otherwise than by a list is always new.
type novelty struct {
	listed  bool
	began   int64  // in seconds since 1970
	highest uint64 // resource version of what is known
}

// list begins a list, and says what of it is new.
func (n *novelty) list() (isNew func(created int64, version uint64) bool) {
	before := *n
	n.highest = 0
	if !n.listed {
		n.listed, n.began = true, time.Now().Unix()
	}
	return func(created int64, version uint64) bool {
		return before.listed && created >= before.began && (version > before.highest || version == 0)
	}
}

// saw notes an object's resource version.
func (n *novelty) saw(version uint64) { n.highest = max(n.highest, version) }

// versionOf is an object's resource version; they ascend within a resource (KEP-5504).
// 0 is none: then the time of creation decides alone.
func versionOf(o metav1.Object) uint64 {
	v, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return v
}

// departed remembers what was there for some time, within a bound: two generations, of
// which the elder is forgotten when the younger is full or old.
type departed[K comparable, V any] struct {
	keep  time.Duration
	most  int
	since time.Time // the younger's beginning

	young, old map[K]V
}

func (d *departed[K, V]) add(k K, v V, now time.Time) {
	if d.young == nil || len(d.young) >= d.most || now.Sub(d.since) >= d.keep {
		if now.Sub(d.since) >= 2*d.keep {
			d.young = nil
		}
		d.old, d.young, d.since = d.young, map[K]V{}, now
	}
	d.young[k] = v
}

func (d *departed[K, V]) get(k K) (V, bool) {
	if v, ok := d.young[k]; ok {
		return v, true
	}
	v, ok := d.old[k]
	return v, ok
}
