package rate

import "time"

// trains looks at messages that were sent close together: all that was sent from one moment on has come through by the time
// the newest of it has, so the path carries that much in the time between. It is how a path shows that it carries more than is sent
// over it.
type trains struct {
	starts [16]start // of the last bursts, a ring
	next   int
	shown  float64       // bytes a second
	at     time.Duration // when that was seen
}

type start struct {
	bytes uint64 // sent before
	at    time.Duration
}

const (
	trainGap   = 15 * time.Millisecond // between two starts that are looked at
	trainLeast = 6 << 10               // fewer bytes tell of noise
	trainTime  = 10 * time.Millisecond // as does less time
	trainFor   = 10 * time.Second      // so long it is believed
)

// sent notes that a message goes out behind so many bytes.
func (t *trains) sent(before uint64, now time.Duration) {
	if last := t.starts[(t.next+len(t.starts)-1)%len(t.starts)]; now-last.at >= trainGap {
		t.starts[t.next] = start{before, now}
		t.next = (t.next + 1) % len(t.starts)
	}
}

// came takes the newest message that is acknowledged: where it ends, when it was sent, and how much longer than the quickest it was
// under way.
func (t *trains) came(newest mark, delay, now time.Duration) {
	if now-t.at > trainFor {
		t.shown = 0
	}
	for _, s := range t.starts {
		if s.at == 0 || s.at > newest.at || newest.end < s.bytes+trainLeast {
			continue
		}
		if took := max(newest.at-s.at+delay, trainTime); float64(newest.end-s.bytes)/seconds(took) >= t.shown {
			t.shown, t.at = float64(newest.end-s.bytes)/seconds(took), now
		}
	}
}

// Watch says whether Shown is of interest.
func (c *Controller) Watch(on bool) {
	if !on {
		c.trains = nil
	} else if c.trains == nil {
		c.trains = &trains{}
	}
}

// Shown is the highest rate that the path was seen to carry for a moment in the last 10 s while it was watched, in bytes a second, also
// where it was not full; 0 before it had to carry anything.
func (c *Controller) Shown(now time.Duration) int {
	if c.trains == nil || now-c.trains.at > trainFor {
		return 0
	}
	return int(c.trains.shown)
}
