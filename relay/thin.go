package relay

import (
	"time"

	"landline/media"
)

// thin is a feed's leaving out of frames of upper temporal layers. Nothing depends on those but others of them.
type thin struct {
	on      bool
	since   time.Duration // when it went on
	late    time.Duration // when something waited for long last
	upperAt time.Duration // when a frame of an upper layer last came
	upper   bool          // ever
}

const (
	thinCalm  = 2 * time.Second        // without a frame that waits long before all come again
	thinHelps = 500 * time.Millisecond // so long, to see whether it is enough
	upperFor  = 2 * time.Second        // a track without upper frames for so long has none
)

// thins decides about a frame that begins: whether it is left out.
func (f *feed) thins(it *item, now time.Duration) bool {
	if f.source == nil || !f.video() || f.hold {
		return false
	}
	t := &f.thin
	if it.head.Temporal > 0 {
		t.upper, t.upperAt = true, now
	}
	if !t.upper {
		return false
	}
	if f.age(now) > f.half() && f.sub.link.Capacity(now) > 0 {
		t.late = now
		if !t.on {
			t.on, t.since = true, now
		}
	}
	if t.on && it.opensGroup() && now-t.late >= thinCalm {
		t.on = false
	}
	return t.on && it.head.Temporal > 0
}

// thinning reports whether leaving out upper temporal layers is still to show what it is worth.
func (f *feed) thinning(now time.Duration) bool {
	t := &f.thin
	return t.upper && now-t.upperAt < upperFor && (!t.on || now-t.since < thinHelps)
}

// thinned leaves a frame out that begins.
func (f *feed) thinned() {
	f.skip = true
	f.drop(1, media.DropTemporal)
}
