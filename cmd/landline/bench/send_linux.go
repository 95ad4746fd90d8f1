package bench

// slice is a stretch of publishing.
type slice struct {
	from, until int64
	count       sentCount
	waiting     int // tracks that have frames to come
}

// send publishes a slice.
func (w *worker) send(o *sendOrder) {
	s := &slice{from: o.From, until: o.From + o.Length, count: newSentCount(w.plan.Rooms)}
	w.slice = s
	w.keyAsked = 0
	for i, out := range w.outlets {
		out.begin()
		s.waiting++
		w.planFrame(s, i)
	}
	if s.waiting == 0 {
		w.sent(s)
	}
}

func newSentCount(rooms int) sentCount {
	return sentCount{Audio: make([]uint64, rooms), Video: make([]uint64, rooms)}
}

// planFrame puts a track's next frame into the agenda, if there is one in the slice.
func (w *worker) planFrame(s *slice, i int) {
	due := s.from + w.outlets[i].due()
	if w.trackOver(s, due) {
		return
	}
	w.agenda.add(due, func(int64) {
		if w.trackOver(s, due) {
			return
		}
		w.sendFrame(s, i, due)
		w.planFrame(s, i)
	})
}

// trackOver reports whether a track has no frame at a moment any more. The last one of all ends the slice.
func (w *worker) trackOver(s *slice, due int64) bool {
	if due < s.until && !w.parting {
		return false
	}
	if s.waiting--; s.waiting == 0 {
		w.agenda.add(s.until, func(int64) { w.sent(s) })
	}
	return true
}

// sendFrame sends a frame of a member that is still there.
func (w *worker) sendFrame(s *slice, i int, due int64) {
	out, m := w.outlets[i], w.owner[i]
	if m.stage != inRoom {
		out.n++
		return
	}
	at := now()
	var frame []byte
	out.next(at, func(msg []byte) { frame = appendMasked(frame, opBinary, msg) })
	m.line.send(frame)
	s.count.Late.add(at - due)
	s.count.of(out)[out.room]++
}

func (c *sentCount) of(o *outlet) []uint64 {
	if o.audio {
		return c.Audio
	}
	return c.Video
}

func (w *worker) sent(s *slice) {
	s.count.KeyAsked = w.keyAsked
	w.answer(answer{Sent: &s.count})
}
