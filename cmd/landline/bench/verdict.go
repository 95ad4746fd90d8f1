package bench

import "slices"

// Pair is a slice of the relay and the slice of the floor that was measured next to it, in µs of processor time for
// each frame delivered.
type Pair struct {
	ServerUs float64 `json:"server_us"`
	FloorUs  float64 `json:"floor_us"`
	Ratio    float64 `json:"ratio"`
}

const (
	// minPairs is how many pairs there are. While they are too noisy another is added, up to maxPairs.
	minPairs = 6
	maxPairs = 9
	// noisy is by how much two runs of the floor may differ.
	noisy = 0.10
)

// floorRuns takes the floor's slices for two runs of it, one of every other slice, so that both saw the same minute, and
// tells the median of each, and by how much they differ, as a share of the lower.
//
// It is the question that matters: would the same have come out had it been measured again? That single slices differ
// by more does not answer it. On a machine that does other things as well a disturbed slice is the rule, and a median
// of three is not moved by one; and where the machine grows slower bit by bit, both halves of a pair do. By how much
// all slices differ is told beside.
func floorRuns(floors []float64) (odd, even, differ float64) {
	var runs [2][]float64
	for i, f := range floors {
		runs[i%2] = append(runs[i%2], f)
	}
	odd, even = median(runs[0]), median(runs[1])
	if low := min(odd, even); low > 0 {
		differ = max(odd, even)/low - 1
	}
	return odd, even, differ
}

// spread tells by how much values differ, as a share of their median.
func spread(values []float64) float64 {
	mid := median(values)
	if mid <= 0 {
		return 0
	}
	return (slices.Max(values) - slices.Min(values)) / mid
}

// median is the middle value, or the mean of the middle two; 0 of none.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// column takes one value of each pair.
func column(pairs []Pair, of func(Pair) float64) (values []float64) {
	for _, p := range pairs {
		values = append(values, of(p))
	}
	return values
}

func floorUs(p Pair) float64  { return p.FloorUs }
func serverUs(p Pair) float64 { return p.ServerUs }
func ratio(p Pair) float64    { return p.Ratio }
