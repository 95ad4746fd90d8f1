package rate

import "time"

const (
	// FirstWindow is what may be in flight before anything is known: what TCP itself begins with.
	FirstWindow = 16 << 10
	// MinWindow is two of the smallest chunks: one on its way, one to follow.
	MinWindow = 2 * MinChunk
	// MaxWindow bounds what is in flight on any path: 100 Mbit/s over 300 ms, and more.
	MaxWindow = 8 << 20
	// MinChunk is the least size of a chunk that is worth a message, in bytes.
	MinChunk = 1200

	// AckEvery is the time between acks that a receiver keeps by itself, AckEveryBusy what a sender asks for while
	// something has waited of late (see Busy).
	AckEvery     = 100 * time.Millisecond
	AckEveryBusy = 20 * time.Millisecond
	BusyFor      = 5 * time.Second

	lowDelay  = 25 * time.Millisecond  // under this the path takes more
	standing  = 35 * time.Millisecond  // the queue that a full link is kept at
	highDelay = 100 * time.Millisecond // over this it gets too much
	farDelay  = 250 * time.Millisecond // over this there is no doubt, at the first ack

	nearMinimum = 5 * time.Millisecond // a delay this small confirms the minimum
	probeAfter  = 10 * time.Second     // without one, the minimum is looked for again
	probeMost   = time.Second          // and so long, besides two round trips

	spanLeast = 50 * time.Millisecond  // between two acks that give a rate: less is noise
	spanMost  = 500 * time.Millisecond // more is a pause, which tells nothing

	gulp = 3 // messages acknowledged at once tell how far apart acks are: with fewer, the messages may be

	cutTo = 0.85 // of the delivered rate, when the delay is too high
)

type mode uint8

const (
	startup mode = iota
	steady
	drain
	probe
)

// Controller follows one connection. The zero value is not ready: see New. It is not safe for concurrent use.
type Controller struct {
	sent, acked uint64 // payload bytes of all messages on the connection
	quiet       uint64 // up to here all that is not acknowledged are acks, which nobody hurries to acknowledge
	marks       marks  // ends of the messages under way
	window      int
	mode        mode

	limited  bool          // something waited for room since the last ack
	waitedAt time.Duration // when something last did
	ackedAt  time.Duration // when the last ack came
	gap      time.Duration // between acks of several messages, smoothed: some receivers read in gulps

	// Delay, by the difference of the two clocks.
	based  bool
	base   time.Duration // of the quickest message
	lowAt  time.Duration // when the delay was last near base
	newMin time.Duration // the least since, by the two clocks
	newRTT time.Duration // and there and back
	was    bool          // something waited since, so that newMin has our own queue in it
	delay  time.Duration // of the newest acknowledged message, above base
	rtt    time.Duration // shortest of late
	high   int           // acks in a row that told of too high a delay
	passed passed

	// Rate, in bytes a second.
	from   point
	rates  highest
	now    float64       // the newest sample
	full   time.Duration // when the link was last seen full
	filled bool          // it ever was

	trains *trains // nil: nobody asks

	round    uint64        // drain, probe: what is sent after this tells of the new window
	armed    bool          // probe: what was under way has come
	until    time.Duration // probe: no longer than this
	lowSince time.Duration // steady: since when the delay has been low though something waits; 0 = it has not
}

// point is where a rate sample begins.
type point struct {
	known bool
	bytes uint64
	came  time.Duration // by the receiver's clock
}

// passed tells when the queue on the path had let so many bytes through, by the clock of the sender and as if the way took no time.
type passed struct {
	bytes uint64
	at    time.Duration
}

// New makes a controller for a new connection.
func New() Controller { return Controller{window: FirstWindow, waitedAt: -BusyFor} }

// Sent notes a message of n payload bytes that was given to the socket.
func (c *Controller) Sent(n int, now time.Duration) {
	if c.marks.empty() {
		c.quiet = c.sent
	}
	if c.trains != nil {
		c.trains.sent(c.sent, now)
	}
	c.marks.push(c.sent, c.sent+uint64(n), now)
	c.sent += uint64(n)
}

// SentAck notes an ack of n payload bytes: the receiver counts it, and is in no hurry to acknowledge it.
func (c *Controller) SentAck(n int) { c.sent += uint64(n) }

// InFlight is what was sent and not acknowledged, in bytes. Acks alone are not in flight.
func (c *Controller) InFlight() int {
	if c.marks.empty() {
		return 0
	}
	return int(c.sent - max(c.acked, c.quiet))
}

// Room is how many bytes may be sent now, 0 where it is less than the smallest chunk.
func (c *Controller) Room() int {
	flying := c.InFlight()
	room := c.window - flying
	if c.mode == probe {
		return max(room, 0)
	}
	if room >= MinChunk || flying == 0 {
		return max(room, 1)
	}
	return 0
}

// Wait notes that something waits and there is no room.
func (c *Controller) Wait(now time.Duration) { c.limited, c.waitedAt = true, now }

// Busy reports whether something has waited of late, so that acks are wanted more often: in the last second, or where the
// path holds a queue still, in the last five.
func (c *Controller) Busy(now time.Duration) bool {
	ago := now - c.waitedAt
	return ago < BusyFor/5 || ago < BusyFor && c.delay >= lowDelay
}

// AckEvery is the time between acks to ask the receiver for.
func (c *Controller) AckEvery(now time.Duration) time.Duration {
	if c.Busy(now) {
		return AckEveryBusy
	}
	return AckEvery
}

// Silence is how long nothing has been acknowledged though something is under way.
func (c *Controller) Silence(now time.Duration) time.Duration {
	if c.marks.empty() {
		return 0
	}
	return now - max(c.ackedAt, c.marks.oldest())
}

// Ahead is how long what is under way holds up a message that is sent now, as far as that is known: not before the first rate, not while
// the path is probed, and not when an ack is overdue.
func (c *Controller) Ahead(now time.Duration) (d time.Duration, known bool) {
	if c.now == 0 || c.mode == probe || c.Silence(now) > c.AckEvery(now)+c.rtt {
		return 0, false
	}
	takes := time.Duration(float64(c.sent-c.passed.bytes)/c.now*1e6) * time.Microsecond
	return max(0, c.passed.at+takes-now), true
}

// between is the time between acks to reckon with.
func (c *Controller) between(now time.Duration) time.Duration { return max(c.AckEvery(now), c.gap) }

// Window is what may be in flight, in bytes.
func (c *Controller) Window() int { return c.window }

// Sent and acknowledged payload bytes.
func (c *Controller) Total() (sent, acked uint64) { return c.sent, c.acked }

// Delay is how much longer than the quickest the newest acknowledged message was under way.
func (c *Controller) Delay() time.Duration { return c.delay }

// RTT is the shortest time from sending to acknowledgement, 0 before one is known.
func (c *Controller) RTT() time.Duration { return c.rtt }

// Rate is the highest delivered rate of the last 2 s in which something waited, in bytes a second; 0 before one is known.
func (c *Controller) Rate() int { return int(c.rates.most()) }

// Capacity is the rate of a link that was seen full in the last 10 s, in bytes a second; 0 where it was not: then
// Rate only tells what there was to send.
func (c *Controller) Capacity(now time.Duration) int {
	if !c.filled || now-c.full > probeAfter {
		return 0
	}
	return c.Rate()
}

// Acked takes the receiver's acknowledgement: all payload bytes so far, and when the last of them came by the receiver's
// clock. It reports false for a number that goes back, or is more than was sent.
func (c *Controller) Acked(total uint64, came, now time.Duration) bool {
	if total < c.acked || total > c.sent {
		return false
	}
	newly := int(total - c.acked)
	c.acked = total
	newest, messages := c.marks.pop(total)
	if messages == 0 {
		return true // of acks alone
	}
	if newest.end != total {
		// The last that came is an ack of ours, or in the middle of a mark: its time tells nothing of how long the message before it
		// was under way.
		c.measured(total, came, c.limited, now)
		c.ackedAt = now
		return true
	}
	limited := c.limited
	c.limited = false
	if limited && messages >= gulp {
		c.gap += (min(now-c.ackedAt, AckEvery) - c.gap) / 8
	}
	c.timed(came-newest.at, now-newest.at, limited, now)
	c.passed = passed{total, newest.at + c.delay}
	if c.trains != nil {
		c.trains.came(newest, c.delay, now)
	}
	c.measured(total, came, limited, now)
	c.ackedAt = now
	c.steer(newly, limited, now)
	return true
}

// timed takes how long the newest acknowledged message was under way: by both clocks, and there and back by ours.
func (c *Controller) timed(oneWay, rtt time.Duration, limited bool, now time.Duration) {
	if !c.based || oneWay < c.base {
		c.based, c.base = true, oneWay
	}
	c.delay = oneWay - c.base
	c.newMin, c.newRTT = min(c.newMin, oneWay), min(c.newRTT, rtt)
	if rtt = max(rtt-c.delay, 1); c.rtt == 0 || rtt < c.rtt {
		c.rtt = rtt
	}
	if c.mode == probe {
		return
	}
	if c.delay < nearMinimum {
		c.confirm(now)
		return
	}
	c.was = c.was || limited
	if now-c.lowAt < probeAfter {
		return
	}
	if !c.was {
		c.rebase(c.newMin, c.newRTT, now) // nothing of ours stood in the way: the path itself is slower, or a clock drifts
		return
	}
	c.mode, c.armed, c.until = probe, false, now+probeMost+2*c.rtt
	c.window = max(MinChunk/2, int(c.rates.most()*seconds(c.rtt)/2)) // voice goes on also on a thin link
}

// confirm notes that the minimum still holds.
func (c *Controller) confirm(now time.Duration) {
	c.lowAt, c.was = now, false
	c.newMin, c.newRTT = c.base+time.Hour, time.Hour
}

// rebase sets the minimum anew.
func (c *Controller) rebase(oneWay, rtt, now time.Duration) {
	c.delay = max(0, c.delay-(oneWay-c.base))
	c.base, c.rtt = oneWay, max(rtt, 1)
	c.confirm(now)
}

// measured takes a rate sample, where the last one is long enough ago. What was not limited by the path does not
// age what was.
func (c *Controller) measured(total uint64, came time.Duration, limited bool, now time.Duration) {
	if limited {
		c.rates.pass(now - c.ackedAt)
	}
	span := came - c.from.came
	if c.from.known && span < spanLeast && span >= 0 {
		return
	}
	if c.from.known && span > 0 && span <= spanMost {
		c.now = float64(total-c.from.bytes) / seconds(span)
		c.rates.add(c.now)
	}
	c.from = point{true, total, came}
}

func seconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e6 }
