//go:build linux

package bench

import (
	"time"

	"landline/media"
	"landline/signaling"
)

// ackGrain is to what acks are rounded up: one wake-up then serves all that are due by then.
const ackGrain = int64(time.Millisecond)

// count takes the payload bytes of a message, and sees to it that they are acknowledged. Each member keeps to a grid
// of its own, as real clients do, whose timers know nothing of each other: all receive a frame in the same
// millisecond, and their acks must not come in the same one.
func (m *member) count(n int, isAck bool, at int64) {
	if m.spec.Role == onFloor || m.spec.Role == frozen && m.stage == inRoom {
		return
	}
	m.got += uint64(n)
	m.cameAt = at
	m.fresh = m.fresh || !isAck
	if m.stage != inRoom {
		if m.stage == joining && m.got-m.ack >= signaling.AckAfter(m.got) {
			m.sendAck()
		}
		return
	}
	if m.got-m.ack >= signaling.AckAfter(m.got) {
		m.sendAck()
		return
	}
	m.planAck(at)
}

// planAck plans the next ack, if one will be due and is not planned.
func (m *member) planAck(at int64) {
	if !m.fresh || m.planned || m.spec.Role == frozen {
		return
	}
	m.planned = true
	wait := m.interval - (at+m.phase)%m.interval
	due := (at + wait + ackGrain - 1) / ackGrain * ackGrain
	epoch := m.epoch
	m.w.agenda.add(due, func(int64) {
		if m.epoch != epoch {
			return
		}
		m.planned = false
		if m.fresh {
			m.sendAck()
		}
	})
}

func (m *member) sendAck() {
	m.fresh, m.ack = false, m.got
	var room [2 + 4 + media.AckSize]byte
	ack := media.Ack{Bytes: m.got, Time: uint64(m.cameAt-m.start) / 1000}
	var msg [media.AckSize]byte
	m.line.send(appendMasked(room[:0], opBinary, ack.Append(msg[:0])))
}
