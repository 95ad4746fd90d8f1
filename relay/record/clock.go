package record

import (
	"time"

	"landline/relay"
)

// clockKey names a clock: a member may have another one once it has come again.
type clockKey struct {
	member string
	clock  relay.Clock
}

// clock leads from a member's clock to the relay's: all tracks of a clock keep together. The first frames of a member may be late, since a connection or an encoder
// takes a moment to get going; so what comes within holdTime waits, and the frame that was the least on its way tells.
type clock struct {
	seen    time.Time // when its first frame was looked at
	first   int64     // of that, the way from its timestamp to when it came, in µs
	least   int64     // of all that came until it was settled
	settled bool
}

// clock gives that of a track.
func (r *Recorder) clock(t *track) *clock {
	key := clockKey{t.member, t.info.Clock}
	c := r.clocks[key]
	if c == nil {
		if len(r.clocks) >= maxClocks {
			clear(r.clocks)
		}
		c = &clock{}
		r.clocks[key] = c
	}
	return c
}

const maxClocks = 4096

// came looks at a frame, by when it came to the relay and its timestamp. One that was sent before its time is no reason to have all others lie earlier than by holdTime.
func (c *clock) came(at time.Duration, us int64) {
	way := at.Microseconds() - us
	switch {
	case c.seen.IsZero():
		c.seen, c.first, c.least = time.Now(), way, way
	case !c.settled:
		c.least = max(min(c.least, way), c.first-holdTime.Microseconds())
	}
}
