package rtp

import "time"

// How missing packets are asked for again.
const (
	askFirst = 100 * time.Millisecond // between two requests while no round trip is known
	askLeast = 30 * time.Millisecond
	askMost  = 250 * time.Millisecond
	askTimes = 5  // requests that may be lost, or their answers, before a packet is given up, where there is time for that
	askLimit = 12 // requests for one packet
)

// asking is what was asked for of a stream. The time between two requests follows the round trip: sooner the other side would answer twice, or
// not at all, and later the wait would end after fewer requests.
type asking struct {
	first [orderPackets]time.Duration // when a packet that is missing was asked for first
	last  [orderPackets]time.Duration
	times [orderPackets]uint8
	trip  time.Duration // 0: not known
}

// every is the time between two requests for one packet.
func (a *asking) every() time.Duration {
	if a.trip == 0 {
		return askFirst
	}
	return min(max(a.trip*5/4+10*time.Millisecond, askLeast), askMost)
}

// patience is how long a missing packet is waited for, at the least for a time and at most for twice that.
func (a *asking) patience(least time.Duration) time.Duration {
	if a.trip == 0 {
		return least
	}
	return min(max(askTimes*a.every(), least), 2*least)
}

// asks notes a request for a packet, and reports whether it is time for one.
func (a *asking) asks(seq uint16, now time.Duration) bool {
	i := seq % orderPackets
	if a.times[i] >= askLimit || a.times[i] > 0 && now-a.last[i] < a.every() {
		return false
	}
	if a.times[i] == 0 {
		a.first[i] = now
	}
	a.times[i]++
	a.last[i] = now
	return true
}

// arrived learns from a packet how long the round trip is. Which request it answers is not known: the shortest time counts, and longer ones little.
func (a *asking) arrived(seq uint16, now time.Duration) {
	i := seq % orderPackets
	if a.times[i] == 0 {
		return
	}
	switch took := max(now-a.first[i], time.Millisecond); {
	case a.trip == 0, took < a.trip:
		a.trip = took
	default:
		a.trip += (took - a.trip) / 16
	}
	a.times[i] = 0
}

// forget is told of a packet that was given up.
func (a *asking) forget(seq uint16) { a.times[seq%orderPackets] = 0 }
