package impair

import (
	"math/rand/v2"
	"time"
)

// Air is one direction of a path for datagrams. The zero value passes everything on as it comes.
type Air struct {
	Loss  float64       // share that is lost, 0 to 1: each datagram by itself, whatever became of the one before
	Delay time.Duration // one way
}

// flow decides about the datagrams of one direction. What is lost depends on the seed and on how many there were, and on nothing else.
type flow struct {
	air         Air
	chance      *rand.Rand
	taken, lost uint64
}

// take decides about a datagram that came at a time: when it goes out, if at all.
func (f *flow) take(now time.Time) (at time.Time, passes bool) {
	f.taken++
	if f.chance.Float64() < f.air.Loss {
		f.lost++
		return time.Time{}, false
	}
	return now.Add(max(f.air.Delay, 0)), true
}
