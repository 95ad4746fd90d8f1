package record

import (
	"cmp"
	"slices"
	"time"

	"landline/media"
)

const (
	holdTime  = 300 * time.Millisecond // the first frames wait so long for earlier ones of other tracks, and for what tells more of their clock
	holdBytes = 16 << 20
)

// held is a frame that waits for its part to begin, or its clock to be settled. Its timestamp is the member's.
type held struct {
	track *track
	alias uint16
	clock *clock
	frame media.Frame
}

// at is the relay's time of the frame, in µs.
func (h *held) at() int64 { return h.frame.Timestamp + h.clock.least }

// put takes a frame.
func (r *Recorder) put(h held) {
	switch {
	case r.paused:
		r.lost(1)
		return
	case r.part != nil && h.clock.settled:
		r.write(h)
		return
	}
	if len(r.held) == 0 {
		r.heldAt = time.Now()
	}
	r.held = append(r.held, h)
	r.bytes += len(h.frame.Data)
}

// settle writes what has waited long enough: all of it where that begins a part, or what is of clocks that have been looked at for long enough.
func (r *Recorder) settle(now time.Time) {
	all := r.bytes > holdBytes
	if r.part == nil {
		if all = all || now.Sub(r.heldAt) >= holdTime; !all {
			return
		}
	}
	r.release(func(c *clock) bool { return all || now.Sub(c.seen) >= holdTime })
}

// release writes what is held by the clocks that are due.
func (r *Recorder) release(due func(*clock) bool) {
	var list, rest []held
	r.bytes = 0
	for _, h := range r.held {
		if due(h.clock) {
			list = append(list, h)
		} else {
			rest, r.bytes = append(rest, h), r.bytes+len(h.frame.Data)
		}
	}
	r.held = rest
	for _, h := range list {
		h.clock.settled = true
	}
	slices.SortStableFunc(list, func(a, b held) int { return cmp.Compare(a.at(), b.at()) })
	if len(list) == 0 || r.part == nil && !r.begin(list) {
		return
	}
	for _, h := range list {
		if r.takes(h.track, h.frame.Key) { // the part may have given way to another on the way
			r.put(h)
		}
	}
}
