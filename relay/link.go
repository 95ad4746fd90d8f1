package relay

import (
	"time"

	"landline/media"
	"landline/relay/rate"
)

// A gate that closed may open by a catch-up when the receiver has taken all but a little of what was sent,
// and the whole group fits into a second of what the link takes, where that is known.
const gateRest = 300 * time.Millisecond

func (s *Subscriber) carries(f *feed, now time.Duration) bool {
	g := f.layer.group.Load()
	if g == nil || g.over() || now-f.closedAt < gateRest || s.link.InFlight() > s.link.Window()/4 {
		return false
	}
	c := s.link.Capacity(now)
	return c == 0 || g.bytes <= c
}

// ready reports whether the receiver keeps up, so that a gate may open: it has taken half of what may be under way, or nothing has
// waited for a while and its acks come. With a small window sound alone is half of that between two acks, and key frames
// may come in step with them: by the first rule alone the gate would then stay closed for minutes.
func (s *Subscriber) ready(now time.Duration) bool {
	return s.link.InFlight() <= s.link.Window()/2 || !s.link.Busy(now) && s.link.Silence(now) < 2*rate.AckEvery+s.link.RTT()
}

// soundInTime reports whether the sound that goes next may go though the window is full: it has waited for half of its time, and arrives within
// the other half. The window keeps pictures and objects from piling up on the path. Sound comes behind those under way all the same, and if it waits until
// they are through, only later: so what a key frame has put on a path that turns out to be slow costs no sound that fits, and none
// comes later than it may be sent. For a while it waits, since most windows have room soon, and pictures need that room as well. Sound
// alone keeps to the window.
func (s *Subscriber) soundInTime(now time.Duration) bool {
	ahead, known := s.link.Ahead(now)
	if _, acked := s.link.Total(); !known || acked >= s.behind {
		return false
	}
	f := s.pick()
	if f == nil || f.video() {
		return false
	}
	age, most := f.age(now), min(f.maxAge, f.class.MaxAge())
	return age > most/2 && age+ahead <= most
}

// One write hands over so much time of a slow receiver's rate, so that audio can overtake what a socket does not take
// at once.
const batchTime = 15 * time.Millisecond

// batch is how many bytes one Pull may give.
func (s *Subscriber) batch(now time.Duration) int {
	if c := s.link.Capacity(now); c > 0 {
		return min(batchBytes, max(rate.MinChunk, share(c, batchTime)))
	}
	return batchBytes
}

func share(bytesPerSecond int, d time.Duration) int {
	return int(int64(bytesPerSecond) * int64(d) / int64(time.Second))
}

// A chunk that would hold everything else up for so long is split.
const chunkTime = 50 * time.Millisecond

// tooLong reports whether a chunk must be split for this receiver.
func (s *Subscriber) tooLong(it *item, now time.Duration) bool {
	if it.kind != media.KindChunk || len(it.Data) <= splitSize+media.FirstHeaderSize {
		return false
	}
	c := s.link.Capacity(now)
	return c > 0 && len(it.Data) > share(c, chunkTime)
}

// On a thin link every message costs: what TCP and IP put in front of it is as long as an Opus packet. Audio is sent
// there in groups of 40 to 60 ms.
const (
	thinLink   = 200_000 / 8 // bytes a second
	gatherTime = 40 * time.Millisecond
)

// gather decides whether audio waits for more audio to go with it, and sees to it that it does not wait longer.
func (s *Subscriber) gather(now time.Duration) {
	s.gathering = false
	if c := s.link.Capacity(now); c == 0 || c >= thinLink {
		return
	}
	oldest := time.Duration(-1)
	for _, f := range s.feeds {
		if !f.video() && f.queue.len() > 0 {
			if f.ended {
				return
			}
			oldest = max(oldest, now-f.queue.first().at)
		}
	}
	if oldest < 0 || oldest >= gatherTime {
		return
	}
	s.gathering = true
	if s.gatherTimer == nil {
		s.gatherTimer = time.AfterFunc(gatherTime-oldest, func() { s.notify(true) })
	} else {
		s.gatherTimer.Reset(gatherTime - oldest)
	}
}

// AddSent counts payload bytes that the session sent besides what Pull returned and acks: replies, encoded events.
func (s *Subscriber) AddSent(n int) {
	s.mu.Lock()
	s.link.Sent(n, s.now())
	s.mu.Unlock()
}

// AddSentAck counts the payload bytes of an ack that the session sent.
func (s *Subscriber) AddSentAck(n int) {
	s.mu.Lock()
	s.link.SentAck(n)
	s.mu.Unlock()
}

// Acked takes the receiver's acknowledgement: payload bytes received on this connection, and when the last of them came
// by the receiver's clock. It reports false for a number that goes back, or is more than was sent.
func (s *Subscriber) Acked(bytes uint64, came time.Duration) bool {
	ok, wake := s.takeAck(bytes, came, s.now())
	if wake {
		s.notify(true)
	}
	return ok
}

func (s *Subscriber) takeAck(bytes uint64, came, now time.Duration) (ok, wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if came == 0 {
		came = now // of a receiver without a clock: the way of the ack counts as well
	}
	if !s.link.Acked(bytes, came, now) {
		return false, false
	}
	return true, s.something() && s.wake(true)
}

// AckEvery is the time between acks that the receiver is to be asked for: a short one while something has waited for room in
// the last 5 s, or the link is thought to carry less than is asked for: only then does it show early that it carries more.
func (s *Subscriber) AckEvery() time.Duration {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limited {
		return rate.AckEveryBusy
	}
	return s.link.AckEvery(now)
}
