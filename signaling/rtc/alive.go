package rtc

import "time"

// alive finds out that packets do not come any more. Silence alone proves nothing: the other end may have nothing to send. So it
// states over the WebSocket how many packets it has sent.
type alive struct {
	own, peer, base uint64
	settled         bool      // base was stated late enough after the last packet
	since           time.Time // the last packet came
	grew            time.Time // the other end was seen to have sent more since
}

const (
	stateEvery = 200 * time.Millisecond // between two statements
	settleTime = 250 * time.Millisecond // until what is stated was sent after the last packet that came
	stoodTime  = 400 * time.Millisecond // without a packet
	lagTime    = 150 * time.Millisecond // that packets may come later than the word of them
	fewestLost = 5                      // packets that were sent meanwhile
)

// states takes the other end's count.
func (a *alive) states(peer uint64) { a.peer = max(a.peer, peer) }

// lost takes one's own count at a time, and reports whether packets were sent that did not come.
func (a *alive) lost(own uint64, now time.Time) bool {
	if own != a.own || a.since.IsZero() {
		a.own, a.since, a.settled = own, now, false
	}
	if !a.settled {
		a.base, a.settled = a.peer, now.Sub(a.since) >= settleTime
	}
	if a.peer == a.base {
		a.grew = now
	}
	return now.Sub(a.since) >= stoodTime && now.Sub(a.grew) >= lagTime && a.peer-a.base >= fewestLost
}
