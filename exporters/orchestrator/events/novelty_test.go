package events

import (
	"testing"
	"time"
)

func TestWhatHasDepartedIsRememberedForATimeAndWithinABound(t *testing.T) {
	d := departed[int, string]{keep: time.Minute, most: 3}
	begin := time.Unix(1_700_000_000, 0)
	known := func(k int) bool { _, ok := d.get(k); return ok }
	d.add(1, "one", begin)
	d.add(2, "two", begin.Add(70*time.Second))
	if v, ok := d.get(1); !ok || v != "one" || !known(2) {
		t.Error("one is forgotten before two generations have passed")
	}
	d.add(3, "three", begin.Add(140*time.Second))
	if known(1) || !known(2) || !known(3) {
		t.Error("after two generations one is known, or the others are not")
	}
	d.add(4, "four", begin.Add(time.Hour))
	if known(2) || known(3) || !known(4) {
		t.Error("what departed an hour ago is known")
	}
	for i := 5; i < 100; i++ {
		d.add(i, "many", begin.Add(time.Hour))
	}
	if n := len(d.young) + len(d.old); n > 2*d.most || !known(99) {
		t.Errorf("%d are remembered", n)
	}
}
