package report

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestIntervalsNoFurtherApartThanTheGapAreOne(t *testing.T) {
	for name, c := range map[string]struct {
		gap  int64
		add  []interval
		want intervals
	}{
		"one after the other":                         {0, []interval{{0, 60}, {60, 120}}, intervals{{0, 120}}},
		"a gap as long as is allowed":                 {300, []interval{{0, 60}, {360, 420}}, intervals{{0, 420}}},
		"a second more":                               {300, []interval{{0, 60}, {361, 420}}, intervals{{0, 60}, {361, 420}}},
		"a replica's, which come after all of others": {60, []interval{{0, 60}, {600, 660}, {0, 60}, {600, 720}}, intervals{{0, 60}, {600, 720}}},
		"one that joins three":                        {0, []interval{{0, 10}, {20, 30}, {40, 50}, {10, 40}}, intervals{{0, 50}}},
		"one before all":                              {0, []interval{{20, 30}, {0, 10}}, intervals{{0, 10}, {20, 30}}},
		"one between two":                             {0, []interval{{0, 10}, {40, 50}, {20, 30}}, intervals{{0, 10}, {20, 30}, {40, 50}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got intervals
			for _, iv := range c.add {
				got = got.with(iv, c.gap)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestIntervalsAreTheSameInWhateverOrderTheyCome(t *testing.T) {
	for range 200 {
		const gap = 3
		all := make([]interval, 30)
		var covered [200]bool
		for i := range all {
			start := rand.Int64N(150)
			all[i] = interval{start, start + 1 + rand.Int64N(10)}
			for s := all[i].start; s < all[i].end; s++ {
				covered[s] = true
			}
		}
		var got intervals
		for _, iv := range all {
			got = got.with(iv, gap)
		}
		for i, iv := range got {
			if !covered[iv.start] || !covered[iv.end-1] || i > 0 && iv.start-got[i-1].end <= gap {
				t.Fatalf("of %v come %v", all, got)
			}
		}
		length := 0
		for _, c := range covered {
			if c {
				length++
			}
		}
		if n, _ := union(all); n != int64(length) {
			t.Fatalf("%v last for %d in all, want %d", all, n, length)
		}
	}
}

func TestAsManyAreAtOnceAsOverlap(t *testing.T) {
	for name, c := range map[string]struct {
		all    []interval
		length int64
		atOnce int
	}{
		"none":                         {nil, 0, 0},
		"one when the other has ended": {[]interval{{0, 10}, {10, 20}}, 20, 1},
		"two of three":                 {[]interval{{0, 10}, {5, 20}, {12, 15}}, 20, 2},
		"the same twice":               {[]interval{{0, 10}, {0, 10}}, 10, 2},
	} {
		if length, atOnce := union(c.all); length != c.length || atOnce != c.atOnce {
			t.Errorf("%s: %d, %d at once; want %d, %d", name, length, atOnce, c.length, c.atOnce)
		}
	}
}
