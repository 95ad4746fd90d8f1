package rtp

import (
	"time"

	"github.com/pion/rtp"
)

// Caps of the reorder buffer.
const (
	orderPackets = 1024 // how far ahead of a missing packet others are held
	orderLate    = 64   // packets in a row that come from far behind: the sender has begun anew
)

// order puts packets back into the order of their numbers. It holds what comes behind a missing packet for a time.
type order struct {
	wait  time.Duration
	begun bool
	next  uint16
	held  int
	ring  [orderPackets]*rtp.Packet
	came  [orderPackets]time.Duration // when each of ring did
	late  int
	jump  int    // packets known to be lost, not told yet
	top   uint16 // the newest number that came
	asking
}

// push takes a packet. One that came before, or comes too late, is ignored.
func (o *order) push(p *rtp.Packet, now time.Duration) {
	if !o.begun {
		o.begun, o.next = true, p.SequenceNumber
	}
	ahead := int(int16(p.SequenceNumber - o.next))
	switch {
	case ahead < 0:
		if o.late++; o.late < orderLate || ahead > -orderPackets {
			return
		}
		o.restart(p.SequenceNumber)
	case ahead >= orderPackets:
		o.restart(p.SequenceNumber)
	}
	o.late = 0
	slot := &o.ring[p.SequenceNumber%orderPackets]
	if *slot != nil {
		return
	}
	*slot = p
	if o.held == 0 || int16(p.SequenceNumber-o.top) > 0 {
		o.top = p.SequenceNumber
	}
	o.asking.arrived(p.SequenceNumber, now)
	o.came[p.SequenceNumber%orderPackets] = now
	o.held++
}

// restart goes on at another number; what is held is given up.
func (o *order) restart(at uint16) {
	o.jump += max(1, int(at-o.next)%orderPackets)
	clear(o.ring[:])
	clear(o.times[:])
	o.held, o.next = 0, at
}

// pop gives the next packet, or how many are lost in front of it; neither where the next one is waited for.
func (o *order) pop(now time.Duration) (p *rtp.Packet, lost int) {
	if o.jump > 0 {
		lost, o.jump = o.jump, 0
		return nil, lost
	}
	if o.held == 0 {
		return nil, 0
	}
	if gap := o.gap(); gap > 0 {
		if now-o.came[(o.next+uint16(gap))%orderPackets] < o.patience(o.wait) {
			return nil, 0
		}
		for range gap {
			o.forget(o.next)
			o.next++
		}
		return nil, gap
	}
	slot := &o.ring[o.next%orderPackets]
	p, *slot = *slot, nil
	o.held--
	o.next++
	return p, 0
}

// gap counts the packets that are missing in front of the first that is held.
func (o *order) gap() (n int) {
	for o.ring[(o.next+uint16(n))%orderPackets] == nil {
		n++
	}
	return n
}

// due is when a missing packet is given up.
func (o *order) due() (at time.Duration, waits bool) {
	if o.held == 0 {
		return 0, false
	}
	gap := o.gap()
	return o.came[(o.next+uint16(gap))%orderPackets] + o.patience(o.wait), gap > 0
}

// missing lists the packets that are to be asked for now.
func (o *order) missing(now time.Duration) (list []uint16) {
	if o.held == 0 {
		return nil
	}
	for seq := o.next; seq != o.top; seq++ {
		if o.ring[seq%orderPackets] == nil && o.asks(seq, now) {
			list = append(list, seq)
		}
	}
	return list
}
