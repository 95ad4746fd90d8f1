package client

import (
	"sync"
	"time"

	"landline/media"
	"landline/signaling"
)

// acks knows what is to be acknowledged (docs/protocol.md section 8). Bytes count once they were dealt with, so
// that a slow callback holds the relay back.
type acks struct {
	mu       sync.Mutex
	start    time.Time // of the receiver's clock
	interval time.Duration
	bytes    uint64
	at       time.Time // when the last of bytes came
	messages int
	fresh    bool   // anything but acks came since the last ack
	acked    uint64 // bytes in the last ack
	ackedAt  time.Time
}

func newAcks(now time.Time) acks { return acks{start: now, at: now, interval: signaling.AckEvery} }

// count takes a message that came at a time. It reports whether the writer must look at once: it does not know yet
// that an ack is due.
func (a *acks) count(n int, isAck bool, at time.Time) (look bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.bytes - a.acked
	a.bytes += uint64(n)
	if at.After(a.at) {
		a.at = at
	}
	a.messages++
	look = !isAck && (!a.fresh || a.first()) || before < signaling.AckAfter(a.bytes) && a.many()
	a.fresh = a.fresh || !isAck
	return look
}

// first reports whether the messages that came are the first of the connection: each is acknowledged at once.
func (a *acks) first() bool { return a.messages <= signaling.AckFirst }

// many reports whether so much has come that an ack is due at once.
func (a *acks) many() bool { return a.bytes-a.acked >= signaling.AckAfter(a.bytes) }

// due returns the ack to send now, or in how long there will be one; 0 means none in sight.
func (a *acks) due(now time.Time) (ack media.Ack, send bool, in time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.fresh && !a.many() {
		return ack, false, 0
	}
	next := a.ackedAt.Add(a.interval)
	if wait := next.Sub(now); wait > 0 && !a.first() && !a.many() {
		return ack, false, wait
	}
	a.fresh, a.acked, a.ackedAt = false, a.bytes, now
	return media.Ack{Bytes: a.bytes, Time: uint64(a.at.Sub(a.start).Microseconds())}, true, 0
}

// every changes the interval.
func (a *acks) every(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.interval = d
}
