package relay

import (
	"landline/media"
)

// porter is one end of streams: it sends the bytes of objects as it is told to, or takes and consumes them.
type porter struct {
	t    tester
	w    *world
	m    *Member
	pub  *Publisher
	sub  *Subscriber
	sent uint64 // by the relay, on this session

	out map[uint32]*sending
	in  map[uint32]*taking
}

type sending struct {
	data     []byte
	pos      uint64
	consumed uint64
	turn     uint16
	accepted bool
	over     string
}

type taking struct {
	object   Object
	got      []byte // what was consumed
	accepted bool
	sha      string
	over     string
}

func (w *world) porter(name string) *porter {
	w.t.Helper()
	m, err := w.relay.Join("room", Identity{ID: name, Name: name}, everything, func(bool) {})
	if err != nil {
		w.t.Fatal(err)
	}
	p := &porter{t: w.t, w: w, m: m, out: map[uint32]*sending{}, in: map[uint32]*taking{}}
	p.pub, p.sub = m.Handles()
	return p
}

// resume gives it a new session. As a sender it does not send until it has offered again.
func (p *porter) resume() {
	p.t.Helper()
	p.m.Lost(p.sub, nil)
	if err := p.m.Resume(everything, func(bool) {}); err != nil {
		p.t.Fatal(err)
	}
	p.pub, p.sub = p.m.Handles()
	p.sent = 0
	for _, s := range p.out {
		s.accepted = false
	}
	for _, s := range p.in {
		s.accepted = false
	}
}

func (p *porter) offer(id, to string, data []byte) []StreamTo {
	p.t.Helper()
	list, err := p.m.Offer(Object{ID: id, Name: id, Size: uint64(len(data))}, to, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, s := range list {
		if p.out[s.Stream] == nil {
			p.out[s.Stream] = &sending{data: data}
		}
	}
	return list
}

// pull takes so many batches, and acknowledges them.
func (p *porter) pull(batches int) {
	p.t.Helper()
	for ; batches > 0; batches-- {
		out, more := p.sub.Pull(nil)
		if len(out) == 0 && !more {
			return
		}
		for _, o := range out {
			n := len(o.Data)
			if o.Event != nil {
				n = 100
				p.sub.AddSent(n)
				p.event(o.Event)
			} else if o.Data[0] == media.KindObject {
				p.data(o.Data)
			}
			p.sent += uint64(n)
		}
		if !p.sub.Acked(p.sent, 0) {
			p.t.Fatal("ack refused")
		}
	}
}

func (p *porter) event(e *Event) {
	if e.Object == nil {
		return
	}
	n := e.Object.Stream
	switch e.Kind {
	case ObjectOffered:
		if p.in[n] == nil {
			p.in[n] = &taking{object: e.Object.Object}
		}
	case ObjectAccepted:
		s := p.out[n]
		s.accepted, s.pos, s.turn = true, e.Object.Offset, e.Object.Turn
		s.consumed = min(s.consumed, s.pos)
	case ObjectCredit:
		p.out[n].consumed = max(p.out[n].consumed, e.Object.Offset)
	case ObjectFinished:
		p.in[n].sha = e.Object.SHA256
	case ObjectReceived:
		p.out[n].over = "received"
	case ObjectCancelled:
		if s := p.out[n]; s != nil {
			s.over = e.Reason
		} else {
			p.in[n].over = e.Reason
		}
	}
}

func (p *porter) data(msg []byte) {
	p.t.Helper()
	c, err := media.ParseObject(msg)
	if err != nil {
		p.t.Fatal(err)
	}
	s := p.in[c.Stream]
	if s == nil || !s.accepted || c.Offset != uint64(len(s.got)) {
		p.t.Fatalf("stream %d: data at %d to one who has %d bytes", c.Stream, c.Offset, len(s.got))
	}
	s.got = append(s.got, c.Payload...)
	if c.Last != (len(s.got) == int(s.object.Size)) {
		p.t.Fatalf("last is %v at %d of %d", c.Last, len(s.got), s.object.Size)
	}
}

func (p *porter) accept(n uint32) {
	p.t.Helper()
	s := p.in[n]
	if err := p.m.Accept(n, uint64(len(s.got))); err != nil {
		p.t.Fatal(err)
	}
	s.accepted = true
}

// credit says that all was consumed that came.
func (p *porter) credit(n uint32) {
	p.t.Helper()
	if _, err := p.m.Credit(n, uint64(len(p.in[n].got))); err != nil {
		p.t.Fatal(err)
	}
}

// chunk is the next one of a stream, of at most so many bytes.
func (s *sending) chunk(n uint32, most int) []byte {
	end := min(s.pos+uint64(most), uint64(len(s.data)))
	c := media.ObjectChunk{Stream: n, Turn: s.turn, Offset: s.pos, Payload: s.data[s.pos:end], Last: end == uint64(len(s.data))}
	return c.Append(nil)
}

// send sends all that the credit allows, up to so many chunks.
func (p *porter) send(n uint32, size, chunks int) {
	p.t.Helper()
	s := p.out[n]
	for s.accepted && s.over == "" && s.pos < uint64(len(s.data)) && chunks > 0 {
		end := min(s.pos+uint64(size), uint64(len(s.data)))
		if end > s.consumed+ObjectWindow {
			return
		}
		if err := p.write(s.chunk(n, size)); err != nil {
			p.t.Fatal(err)
		}
		s.pos = end
		chunks--
	}
}

func (p *porter) write(msg []byte) error {
	c, err := media.ParseObject(msg)
	if err != nil {
		return err
	}
	return p.pub.Object(&c, Message{Data: msg})
}

const lots = 1 << 30

// carry moves an object until it is through.
func carry(t tester, from, to *porter, n uint32) {
	t.Helper()
	for range 10_000 {
		from.pull(lots)
		from.send(n, media.MaxChunkPayload, lots)
		if s := from.out[n]; s.over != "" {
			return
		} else if s.accepted && s.pos == uint64(len(s.data)) {
			if err := from.m.Finish(n, "sum"); err != nil {
				t.Fatal(err)
			}
		}
		to.pull(lots)
		if in := to.in[n]; in.accepted {
			to.credit(n)
			if in.sha != "" && len(in.got) == int(in.object.Size) {
				if err := to.m.Received(n); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Fatalf("it does not come to an end: %d of %d", len(to.in[n].got), to.in[n].object.Size)
}
