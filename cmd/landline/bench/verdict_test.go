package bench

import (
	"errors"
	"math"
	"testing"
)

func TestTwoFloorRunsAreCompared(t *testing.T) {
	for _, c := range []struct {
		name              string
		floors            []float64
		odd, even, differ float64
		noisy             bool
	}{
		{"none", nil, 0, 0, 0, false},
		{"one", []float64{5}, 5, 0, 0, false},
		{"all alike", []float64{5, 5, 5, 5, 5, 5}, 5, 5, 0, false},
		{"one was disturbed", []float64{5, 9, 5, 5.1, 5, 5.2}, 5, 5.2, 0.04, false},
		{"one of each was disturbed", []float64{5, 9, 5, 5.1, 9, 5.2}, 5, 5.2, 0.04, false},
		{"two of one were disturbed", []float64{5, 9, 5, 9, 5, 5.2}, 5, 9, 0.8, true},
		{"slower and slower", []float64{5, 5.1, 5.2, 5.3, 5.4, 5.5}, 5.2, 5.3, 5.3/5.2 - 1, false},
		{"slower and slower, fast", []float64{5, 6, 7, 8, 9, 10}, 7, 8, 8.0/7 - 1, true},
		{"just within", []float64{5, 5.49, 5, 5.49, 5, 5.49}, 5, 5.49, 0.098, false},
		{"just over", []float64{5, 5.51, 5, 5.51, 5, 5.51}, 5, 5.51, 0.102, true},
		{"seven", []float64{5, 7, 5, 5, 5, 5, 9}, 5, 5, 0, false},
	} {
		odd, even, differ := floorRuns(c.floors)
		if odd != c.odd || even != c.even || math.Abs(differ-c.differ) > 1e-9 || (differ > noisy) != c.noisy {
			t.Errorf("%s: %g and %g differ by %.4f; want %g, %g, %.4f and noisy %v", c.name, odd, even, differ, c.odd, c.even, c.differ, c.noisy)
		}
	}
	if got := spread([]float64{4, 5, 6}); got != 0.4 || spread(nil) != 0 {
		t.Errorf("a spread of %g", got)
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
	for _, f := range []float64{5, 5.2, 5.1, 5.2, 9, 5.1} {
		r.report.Pairs = append(r.report.Pairs, Pair{ServerUs: 6, FloorUs: f, Ratio: 6 / f})
	}
	if err := r.verdict(); err != nil || r.report.Ratio == nil || math.Abs(*r.report.Ratio-(6/5.1+6/5.2)/2) > 1e-9 || r.report.TooNoisy {
		t.Errorf("%v: %+v", err, r.report)
	}
	r.report = &Report{}
	for _, f := range []float64{5, 7, 5, 7, 9, 8} {
		r.report.Pairs = append(r.report.Pairs, Pair{ServerUs: 6, FloorUs: f, Ratio: 6 / f})
	}
	if err := r.verdict(); !errors.Is(err, ErrTooNoisy) || r.report.Ratio != nil || !r.report.TooNoisy || *r.report.FloorUs != 7 || r.report.FloorSpread == 0 {
		t.Errorf("%v: %+v", err, r.report)
	}
}
