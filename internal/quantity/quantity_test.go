package quantity

import (
	"math"
	"testing"
)

func TestQuantitiesAreInTheirBaseUnit(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "250m": 0.25, "1.5": 1.5, "64Mi": 64 << 20, "2k": 2000, "1e3": 1000, "110": 110, "-1": -1} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%s is %v (%v), want %v", text, got, err, want)
		}
	}
}

func TestWhatNobodyHonestWritesIsRefusedAtOnce(t *testing.T) {
	for _, text := range []string{"", "x", "1e-999999999", "1E99999", "1 Gi", "NaN", "e700"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"1", "250m", "64Mi", "1e3", "-1E", "1e-99", "9223372036854775808Ei", "e700"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := Parse(text); math.IsNaN(v) || math.IsInf(v, 0) || err != nil && v != 0 {
			t.Errorf("%q is %v (%v)", text, v, err)
		}
	})
}
