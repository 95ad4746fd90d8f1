package impair

import "time"

// Link is one direction of a path. The zero value passes everything on as it comes. Negative values count as 0.
type Link struct {
	Rate   int           // bytes a second; 0 = any
	Delay  time.Duration // one way
	Jitter time.Duration // at most so much more delay, by chance; order is kept
	// Buffer is how many bytes wait before the rate: the path takes them at once and pushes back when they are full. 0 is
	// hardly any: 20 ms of the rate.
	Buffer int
	// Slice is the most that is written at once: 1 to Slice bytes, by chance; 0 = any.
	Slice int
	// Hold and HoldFor keep what comes until so many bytes have come, or for so long, and then let go of all of it, as a
	// reverse proxy does that buffers. With both, whichever is first; a full Buffer ends it too.
	Hold    int
	HoldFor time.Duration
}

const (
	// slack is how late the proxy's own goroutines may be without a loss of rate: so much is made up for.
	slack = 50 * time.Millisecond
	// shortQueue is the queue of a link without a Buffer.
	shortQueue = 20 * time.Millisecond

	leastQueue  = 256      // bytes
	leastKernel = 2 << 10  // bytes, of which the kernel makes about half as much again
	leastPiece  = 64       // bytes, of one transmission
	mostPiece   = 64 << 10 // bytes, of one transmission or write
	anyRate     = 1 << 20  // bytes in flight where there is a delay, but no rate to tell how many
)

func (l Link) sane() Link {
	for _, n := range []*int{&l.Rate, &l.Buffer, &l.Slice, &l.Hold} {
		*n = max(*n, 0)
	}
	for _, d := range []*time.Duration{&l.Delay, &l.Jitter, &l.HoldFor} {
		*d = max(*d, 0)
	}
	return l
}

// in is how many bytes pass in a time.
func (l Link) in(d time.Duration) int { return int(float64(l.Rate) * d.Seconds()) }

// takes is how long the transmission of n bytes takes.
func (l Link) takes(n int) time.Duration {
	if l.Rate == 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(l.Rate) * float64(time.Second))
}

// queue is how many bytes may wait.
func (l Link) queue() int {
	switch {
	case l.Buffer > 0:
		return max(l.Buffer, l.Hold, leastQueue)
	case l.Rate > 0:
		return max(min(l.in(shortQueue), mostPiece), l.Hold, leastQueue)
	}
	return max(mostPiece, l.Hold)
}

// kernel is how many bytes the kernel's buffers shall hold: few against the queue, or those of any connection where a path without a
// rate has a Buffer. 0 leaves them to the kernel.
func (l Link) kernel() int {
	switch {
	case l.Rate > 0:
		return max(min(l.in(shortQueue)/2, mostPiece/2), leastKernel)
	case l.Buffer > 0:
		return 0
	}
	return mostPiece / 2
}

// piece is how many bytes are transmitted in one go: a millisecond's worth.
func (l Link) piece() int {
	if l.Rate == 0 {
		return mostPiece
	}
	return min(max(l.in(time.Millisecond), leastPiece), mostPiece)
}

// flight is how many bytes may be under way. More are only there when the receiver does not take them.
func (l Link) flight() int {
	switch {
	case l.Rate > 0:
		return l.in(l.Delay+l.Jitter+slack) + l.piece()
	case l.Delay+l.Jitter > 0:
		return anyRate
	}
	return mostPiece
}
