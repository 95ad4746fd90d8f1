package server

import "time"

// DefaultCoalesce is the Coalesce that docs/architecture.md gives figures for.
const DefaultCoalesce = 3 * time.Millisecond

// flow measures how close together the messages to one session come.
type flow struct {
	at  time.Duration // of the last batch
	gap time.Duration // between two messages, smoothed over some sixteen batches
}

// A session is dense when its messages are closer than this.
const denseGap = 2 * DefaultCoalesce

// note takes a batch of n messages, and reports whether the session is dense.
func (f *flow) note(n int, now time.Duration) bool {
	gap := min((now-f.at)/time.Duration(n), time.Second)
	f.at = now
	f.gap += (gap - f.gap) / 16
	return f.gap < denseGap
}
