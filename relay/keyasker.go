package relay

import (
	"sync"
	"time"
)

// keyAsker coalesces key-frame requests of one layer: the first goes at once, then at most one per
// keyInterval; those of closed gates at most gatesPerMinute.
type keyAsker struct {
	mu      sync.Mutex
	last    time.Duration
	asked   bool // ever
	pending *time.Timer
	gates   [gatesPerMinute]time.Duration
	gate    int
}

const (
	keyInterval    = 500 * time.Millisecond
	gatesPerMinute = 10
)

// ask reports whether to send a request now. Otherwise later, if not nil, is to be called when the time has
// come (unless a key frame came).
func (k *keyAsker) ask(now time.Duration, gate bool, later func()) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pending != nil {
		return false
	}
	if gate {
		oldest := k.gates[k.gate]
		if oldest != 0 && now-oldest < time.Minute {
			return false
		}
		k.gates[k.gate] = max(now, 1)
		k.gate = (k.gate + 1) % gatesPerMinute
	}
	if k.asked && now-k.last < keyInterval {
		k.pending = time.AfterFunc(keyInterval-(now-k.last), later)
		return false
	}
	k.asked, k.last = true, now
	return true
}

// due is called when a put-off request comes due, and reports whether it still stands.
func (k *keyAsker) due(now time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pending == nil {
		return false
	}
	k.pending, k.last = nil, now
	return true
}

// came is called when a key frame came: what was put off is answered.
func (k *keyAsker) came() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pending != nil {
		k.pending.Stop()
		k.pending = nil
	}
}

// askKeyFrame passes the request of a closed gate on to the publisher, if it can make a key frame and has
// not been asked just now.
func (l *Layer) askKeyFrame() {
	if l.mayAsk(true) {
		l.askLater()
	}
}

// askNow does so for somebody who cannot wait: a join without a current group, a decoder that failed, another layer.
// Called under Room.mu.
func (l *Layer) askNow(wakes *[]*Subscriber) {
	if l.frames.Load() > 0 && l.mayAsk(false) {
		l.track.member.tellLocked(l.askEvent(), wakes)
	}
}

func (l *Layer) mayAsk(gate bool) bool {
	t := l.track
	if !t.info.Load().KeyOnRequest || t.class == ClassAudio {
		return false
	}
	return l.keys.ask(t.relay.now(), gate, func() {
		if l.keys.due(t.relay.now()) {
			l.askLater()
		}
	})
}

func (l *Layer) askLater() {
	l.track.room.change(func(wakes *[]*Subscriber) { l.track.member.tellLocked(l.askEvent(), wakes) })
}

func (l *Layer) askEvent() *Event {
	t := l.track
	t.relay.totals.Asks.Add(1)
	e := &Event{Kind: Feedback, Member: t.member.id, Track: TrackInfo{Offer: Offer{ID: t.info.Load().ID}}}
	if len(t.layers) > 1 {
		e.Layer = l.index + 1
	}
	return e
}
