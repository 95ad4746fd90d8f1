package bench

import (
	"math"
	"testing"
)

func TestSpreads(t *testing.T) {
	for _, c := range []struct {
		name        string
		floors      []float64
		middle, all float64
		noisy       bool
	}{
		{"none", nil, 0, 0, false},
		{"all alike", []float64{5, 5, 5, 5, 5}, 0, 0, false},
		{"a little", []float64{5, 5.1, 5.2, 5.3, 5.4}, 0.2 / 5.2, 0.4 / 5.2, false},
		{"one was disturbed", []float64{5, 9, 5.1, 5.2, 5.05}, 0.15 / 5.1, 4 / 5.1, false},
		{"one on each side", []float64{3, 9, 5.1, 5.2, 5.05}, 0.15 / 5.1, 6 / 5.1, false},
		{"two were disturbed", []float64{5, 7, 5.1, 7.1, 5.05}, 1.95 / 5.1, 2.1 / 5.1, true},
		{"slower and slower", []float64{5, 5.5, 6, 6.5, 7}, 1.0 / 6, 2.0 / 6, true},
		{"two of eight", []float64{5, 7, 5.1, 7.1, 5.05, 5.1, 5.1, 5.1}, 0, 2.1 / 5.1, false},
		{"three of eight", []float64{5, 7, 5.1, 7.1, 7, 5.1, 5.1, 5.1}, 1.9 / 5.1, 2.1 / 5.1, true},
		{"nothing measured", []float64{0, 0, 0, 0, 0}, 0, 0, false},
	} {
		middle, all := spreads(c.floors)
		if math.Abs(middle-c.middle) > 1e-9 || math.Abs(all-c.all) > 1e-9 || (middle > noisy) != c.noisy {
			t.Errorf("%s: %.4f of the middle, %.4f of all; want %.4f, %.4f and noisy %v", c.name, middle, all, c.middle, c.all, c.noisy)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 100}, 3}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %g, want %g", c.values, got, c.want)
		}
	}
}

func TestARunThatIsTooNoisyTellsNoRatio(t *testing.T) {
	r := &run{report: &Report{}}
	for _, f := range []float64{5, 5.1, 5.2, 5.1, 9} {
		r.report.Pairs = append(r.report.Pairs, Pair{ServerUs: 6, FloorUs: f, Ratio: 6 / f})
	}
	if err := r.verdict(); err != nil || r.report.Ratio == nil || *r.report.Ratio != 6/5.1 || r.report.TooNoisy {
		t.Errorf("%v: %+v", err, r.report)
	}
	r.report = &Report{}
	for _, f := range []float64{5, 7, 8, 5, 9} {
		r.report.Pairs = append(r.report.Pairs, Pair{ServerUs: 6, FloorUs: f, Ratio: 6 / f})
	}
	if err := r.verdict(); err == nil || r.report.Ratio != nil || !r.report.TooNoisy || *r.report.FloorUs != 7 || r.report.SpreadAll == 0 {
		t.Errorf("%v: %+v", err, r.report)
	}
}
