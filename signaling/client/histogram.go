package client

import (
	"math/bits"
	"time"
)

// histogram counts durations to within 1.6 %, from 1 µs to hours, in a fixed space. Negative ones, which clocks that
// disagree bring about, count as 0.
type histogram struct {
	n      uint64
	counts [64 * (histOctaves + 1)]uint32
}

const (
	histSteps   = 64 // per doubling, a power of two
	histShift   = 6  // log2 of histSteps
	histOctaves = 30
)

func (h *histogram) add(d time.Duration) {
	us := uint64(max(d.Microseconds(), 0))
	h.n++
	h.counts[min(bucketOf(us), len(h.counts)-1)]++
}

func bucketOf(us uint64) int {
	if us < histSteps {
		return int(us)
	}
	shift := bits.Len64(us) - histShift - 1
	return shift*histSteps + int(us>>shift)
}

// bottom is the smallest number of µs in a bucket.
func bottom(bucket int) uint64 {
	if bucket < 2*histSteps {
		return uint64(bucket)
	}
	shift := bucket/histSteps - 1
	return uint64(bucket-shift*histSteps) << shift
}

// quantile is the least duration that a fraction q of all do not exceed; 0 of none.
func (h *histogram) quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	want := max(uint64(q*float64(h.n)+0.5), 1)
	var seen uint64
	for b, n := range h.counts {
		if seen += uint64(n); seen >= want {
			return time.Duration(bottom(b)) * time.Microsecond
		}
	}
	return time.Duration(bottom(len(h.counts)-1)) * time.Microsecond
}
