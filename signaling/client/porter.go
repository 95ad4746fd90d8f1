package client

import (
	"slices"
	"time"

	"landline/signaling"
)

// sendingControl takes what concerns an object that is sent, and reports whether it did.
func (r *Room) sendingControl(msg any) (taken bool) {
	if taken = r.noteSending(msg); taken {
		r.wake()
		r.moved()
	}
	return taken
}

func (r *Room) noteSending(msg any) (taken bool) {
	r.mu.Lock()
	defer r.mu.Unlock() // also if it panics: the Room must still end
	switch m := msg.(type) {
	case *signaling.Offering:
		taken = true
		for _, to := range m.Streams {
			if s, e := r.endOf(func(s *Sending, e *receiverEnd) bool { return s.id == m.Object && e.Member == to.To }); e != nil && !e.over() {
				s.told(e, to.Stream)
			} else {
				r.control = append(r.control, &signaling.Cancel{Type: "cancel", Stream: to.Stream, Reason: signaling.CancelCancelled})
			}
		}
	case *signaling.Accepted:
		taken = true
		if s, e := r.endOf(func(s *Sending, e *receiverEnd) bool { return s.id == m.Object && e.Member == m.To }); e != nil {
			s.accepted(e, m)
		}
	case *signaling.Credit:
		taken = true
		if s, e := r.endOn(m.Stream); e != nil && m.Offset <= s.object.Size {
			e.consumed = max(e.consumed, m.Offset)
			e.Bytes = max(e.Bytes, e.consumed)
		}
	case *signaling.Received:
		taken = true
		if s, e := r.endOn(m.Stream); e != nil {
			e.State, e.Bytes = StateReceived, s.object.Size
			e.close()
		}
	case *signaling.Cancel:
		if _, e := r.endOn(m.Stream); e != nil {
			taken = true
			e.State = m.Reason
			e.close()
		}
	case *signaling.Error:
		if _, e := r.endOf(func(_ *Sending, e *receiverEnd) bool { return m.Req != 0 && e.req == m.Req && !e.over() }); e != nil {
			taken = true
			if e.State, e.Why = StateRefused, m.Text; m.Code == signaling.ErrNoSuchMember {
				e.State = signaling.CancelLeft
			}
		}
	}
	return taken
}

// told notes the number of a stream that is offered.
func (s *Sending) told(e *receiverEnd, stream uint32) {
	if e.stream != stream {
		e.close()
		e.stream, e.fresh = stream, true
	}
}

func (r *Room) endOf(which func(*Sending, *receiverEnd) bool) (*Sending, *receiverEnd) {
	for _, s := range r.sendings {
		for _, e := range s.ends {
			if which(s, e) {
				return s, e
			}
		}
	}
	return nil, nil
}

// endOn finds the receiver of a stream that is not over.
func (r *Room) endOn(stream uint32) (*Sending, *receiverEnd) {
	return r.endOf(func(_ *Sending, e *receiverEnd) bool { return e.stream == stream && !e.over() })
}

// offerToNewcomer offers what is being sent to a member that has come.
func (r *Room) offerToNewcomer(m signaling.Member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sendings {
		s.offerTo(m)
	}
	r.wake()
}

// receiverLeft notes that a member is gone.
func (r *Room) receiverLeft(id string) {
	r.mu.Lock()
	for _, s := range r.sendings {
		for _, e := range s.ends {
			if e.Member == id && !e.over() && e.State != stateAdrift {
				e.State = signaling.CancelLeft
				e.close()
			}
		}
	}
	r.mu.Unlock()
	r.moved()
}

// objectsReconnected offers again what is being sent, and stops what was received until it is offered again. Numbers of
// streams mean nothing to a relay that was started anew, so what waits to be sent about them is dropped. r.mu is held.
func (r *Room) objectsReconnected(j *signaling.Joined) {
	r.control = slices.DeleteFunc(r.control, func(m any) bool {
		switch m.(type) {
		case *signaling.Offer, *signaling.Accept, *signaling.Credit, *signaling.Finish, *signaling.Received, *signaling.Cancel:
			return true
		}
		return false
	})
	for _, s := range r.sendings {
		s.reconnected(j)
	}
	for _, rc := range r.receivings {
		rc.live = false
	}
}

// reconnected starts all streams over. r.mu is held.
func (s *Sending) reconnected(j *signaling.Joined) {
	var kept []*receiverEnd
	for _, e := range s.ends {
		e.close()
		switch {
		case !j.Resumed:
			e.stream, e.until = 0, time.Now().Add(adriftTime)
			if e.State == StateAccepted {
				e.State = stateAdrift
			}
			if e.State != StateOffered {
				kept = append(kept, e)
			}
			continue
		case !e.over():
			s.send(e)
		}
		kept = append(kept, e)
	}
	s.ends = kept
	if !j.Resumed {
		for _, m := range j.Members {
			s.offerTo(m)
		}
	}
}
