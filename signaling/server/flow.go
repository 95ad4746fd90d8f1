package server

import "time"

// DefaultCoalesce is the Coalesce that docs/architecture.md gives figures for.
const DefaultCoalesce = 3 * time.Millisecond

// A session is dense when its messages are closer than this: there is a chance that two of them can share a write.
const denseGap = 20 * time.Millisecond

// flow measures how close together the live messages to one session come. Pieces of objects are none: they fill whole writes, and waiting would only slow
// them down.
type flow struct {
	batch time.Duration // when the last batch was
	at    time.Duration // the last that had live messages
	gap   time.Duration // between two of those, smoothed over some sixteen batches
}

// note takes a batch of n live messages.
func (f *flow) note(n int, now time.Duration) {
	f.batch = now
	if n == 0 {
		return
	}
	gap := min((now-f.at)/time.Duration(n), time.Second)
	f.at = now
	f.gap += (gap - f.gap) / 16
}

func (f *flow) dense() bool { return f.gap < denseGap }

// A shard is busy when it writes this many batches a second, which is some 5 % of a processor: below that, waiting for more
// to go with them saves nothing worth a delay.
const busyRate = 5_000

// load measures how much a shard writes.
type load struct {
	since  time.Duration
	served int
	busy   bool
}

const loadSpan = 100 * time.Millisecond

// note takes a batch that went out now.
func (l *load) note(now time.Duration) {
	l.served++
	if span := now - l.since; span >= loadSpan {
		l.busy = time.Duration(l.served)*time.Second > busyRate*span
		l.since, l.served = now, 0
	}
}
