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
	minPairs = 5
	maxPairs = 8
	// noisy is by how much of their median the floor's slices may differ.
	noisy = 0.10
)

// spreads tells by how much the floor's slices differ, as a share of their median: the middle ones, which is what is
// judged, and all.
//
// The middle ones are those that remain without the highest and the lowest quarter, rounded down: three of five, four
// of eight. On a machine that does other things as well, a single slice that was disturbed is the rule and says
// nothing, because a median is told of all of them; when the middle ones differ, so might the median.
func spreads(floors []float64) (middle, all float64) {
	if len(floors) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(floors))
	n := len(sorted)
	cut := n / 4
	mid := median(sorted)
	if mid <= 0 {
		return 0, 0
	}
	return (sorted[n-1-cut] - sorted[cut]) / mid, (sorted[n-1] - sorted[0]) / mid
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
