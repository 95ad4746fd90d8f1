package client

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// Object is something to be sent to others: a file.
type Object struct {
	Name string // of a file, without a path
	MIME string
	Size uint64 // bytes
	// Source is read from several goroutines, also after what was sent has got lost.
	Source io.ReaderAt
	// To says to whom it is offered, of those who are there and those who come; nil means everybody. It calls nothing of the Room.
	To func(signaling.Member) bool
	// Wait is how long somebody is waited for who accepts.
	Wait time.Duration
}

// States of a Receiver, besides the reasons of a cancel.
const (
	StateOffered  = "offered"
	StateAccepted = "accepted"
	StateReceived = "received"
	StateRefused  = "refused" // by the relay
	stateAdrift   = "adrift"  // the relay was started anew: the receiver will come under another id
)

// Receiver is one member to whom an object was offered.
type Receiver struct {
	Member, Name string
	State        string // offered, accepted, received, refused, or the reason of a cancel
	Why          string // of refused: in words
	Bytes        uint64 // consumed there
	Accepted     bool   // it was accepted once
}

// Sending is an object on its way to others. It goes on over reconnects, and over a relay that is started anew.
type Sending struct {
	room   *Room
	object Object
	id     string
	begun  time.Time

	// Guarded by Room.mu.
	ends   []*receiverEnd
	sum    string // SHA-256, once it is known
	failed error  // of Source
	over   bool
}

// receiverEnd is one receiver's stream. What is not said otherwise is guarded by Room.mu.
type receiverEnd struct {
	Receiver
	req      int64
	stream   uint32 // 0: not known
	fresh    bool   // not accepted yet: what was consumed is not known
	turn     uint16
	pos      uint64 // what is queued next
	consumed uint64
	finished bool // the hash was sent, in this turn
	queue    *relay.UplinkObject
	feeding  bool      // its goroutine runs
	until    time.Time // adrift: it is expected back until then
}

const (
	feedAhead  = 64 << 10         // bytes of a stream that wait in the uplink
	adriftTime = 30 * time.Second // receivers and senders are expected back after the relay was started anew
	maxSending = 64               // objects at a time
	hashPiece  = 256 << 10
)

func (e *receiverEnd) over() bool {
	return e.State != StateOffered && e.State != StateAccepted && e.State != stateAdrift
}

// Offer begins to send an object. It ends with Sending.Wait or Cancel.
func (r *Room) Offer(o Object) (*Sending, error) {
	s := &Sending{room: r, object: o, id: rand.Text(), begun: time.Now()}
	if err := s.offer("").CheckObject(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.leaving || r.ctx.Err() != nil:
		return nil, ErrClosed
	case len(r.sendings) >= maxSending:
		return nil, ErrBusy
	}
	r.sendings = append(r.sendings, s)
	for _, m := range r.members {
		s.offerTo(m.info)
	}
	s.run(s.hash)
	r.wake()
	return s, nil
}

func (s *Sending) offer(to string) *signaling.Offer {
	return &signaling.Offer{Type: "offer", Object: s.id, To: to, Name: s.object.Name, Size: s.object.Size, MIME: s.object.MIME}
}

// offerTo offers to a member that is there, or is there again. r.mu is held.
func (s *Sending) offerTo(m signaling.Member) {
	if s.over || s.object.To != nil && !s.object.To(m) {
		return
	}
	i := slices.IndexFunc(s.ends, func(e *receiverEnd) bool { return e.Member == m.ID })
	switch {
	case i >= 0 && s.ends[i].State != signaling.CancelLeft && s.ends[i].State != stateAdrift:
		return
	case i >= 0:
		s.ends[i].State = StateOffered
	case len(s.ends) >= signaling.MaxMembers:
		return
	default:
		i = len(s.ends)
		s.ends = append(s.ends, &receiverEnd{Receiver: Receiver{Member: m.ID, Name: m.Name, State: StateOffered}})
	}
	s.send(s.ends[i])
}

// send sends the offer to one receiver. r.mu is held.
func (s *Sending) send(e *receiverEnd) {
	s.room.req++
	e.req = s.room.req
	m := s.offer(e.Member)
	m.Req = e.req
	s.room.control = append(s.room.control, m)
}

// run starts a goroutine of the object, which fails alone. r.mu is held.
func (s *Sending) run(f func()) {
	r := s.room
	r.porters.Go(func() {
		err := r.guard(func() error {
			f()
			return nil
		})
		if err != nil {
			r.mu.Lock()
			s.fail(err)
			r.mu.Unlock()
			r.moved()
		}
	})
}

// hash reads the whole object once.
func (s *Sending) hash() {
	h := sha256.New()
	src := io.NewSectionReader(s.object.Source, 0, int64(s.object.Size))
	var n, total int64
	var err error
	for total < int64(s.object.Size) && err == nil && !s.ended() {
		n, err = io.CopyN(h, src, min(hashPiece, int64(s.object.Size)-total))
		total += n
	}
	r := s.room
	r.mu.Lock()
	if err != nil {
		s.fail(fmt.Errorf("%s: %w", s.object.Name, err))
	} else {
		s.sum = hex.EncodeToString(h.Sum(nil))
	}
	r.mu.Unlock()
	r.moved()
}

// ended reports whether nobody waits for the object any more.
func (s *Sending) ended() bool {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	return s.over || s.room.ctx.Err() != nil
}

// fail ends all streams, since the object cannot be read. r.mu is held.
func (s *Sending) fail(err error) {
	if s.failed == nil {
		s.failed = err
		for _, e := range s.ends {
			s.end(e, signaling.CancelFailed)
		}
	}
}

// end gives one receiver's stream up, and tells the relay. r.mu is held.
func (s *Sending) end(e *receiverEnd, reason string) {
	if e.over() {
		return
	}
	e.State = reason
	e.close()
	if e.stream != 0 {
		s.room.control = append(s.room.control, &signaling.Cancel{Type: "cancel", Stream: e.stream, Reason: reason})
		s.room.wake()
	}
}

func (e *receiverEnd) close() {
	if e.queue != nil {
		e.queue.Close()
		e.queue = nil
	}
}

// feed is the goroutine of one stream: it reads the object ahead of the uplink, as far as the credit allows.
func (s *Sending) feed(e *receiverEnd) {
	buf := make([]byte, media.MaxChunkPayload)
	for {
		c, size, ok := s.next(e)
		if !ok {
			return
		}
		c.Payload = buf[:size]
		n, err := s.object.Source.ReadAt(c.Payload, int64(c.Offset))
		r := s.room
		r.mu.Lock()
		switch {
		case n < len(c.Payload):
			s.fail(fmt.Errorf("%s: %w", s.object.Name, errors.Join(io.ErrUnexpectedEOF, err)))
		case e.queue != nil && e.turn == c.Turn && e.stream == c.Stream && e.pos == c.Offset:
			e.queue.Write(&c)
			e.pos += uint64(n)
		}
		r.mu.Unlock()
		r.wake()
	}
}

// next waits until a chunk may be read, and tells which, and its size; ok is false when the stream is over.
func (s *Sending) next(e *receiverEnd) (c media.ObjectChunk, size uint64, ok bool) {
	r := s.room
	for {
		r.mu.Lock()
		changed := r.changed
		over := e.over() || s.over || r.ctx.Err() != nil
		n := min(media.MaxChunkPayload, s.object.Size-e.pos)
		ready := e.queue != nil && n > 0 && e.pos+n <= e.consumed+relay.ObjectWindow && e.queue.Waiting() < feedAhead
		if ready {
			c = media.ObjectChunk{Stream: e.stream, Turn: e.turn, Offset: e.pos, Last: e.pos+n == s.object.Size}
		}
		s.finish(e)
		if over {
			e.feeding = false
		}
		r.mu.Unlock()
		if over || ready {
			return c, n, !over
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
		}
	}
}

// finish tells the hash once all is queued. r.mu is held.
func (s *Sending) finish(e *receiverEnd) {
	if e.queue != nil && !e.finished && s.sum != "" && e.pos == s.object.Size {
		e.finished = true
		s.room.control = append(s.room.control, &signaling.Finish{Type: "finish", Stream: e.stream, SHA256: s.sum})
		s.room.wake()
	}
}

// accepted begins a turn of a stream. r.mu is held.
func (s *Sending) accepted(e *receiverEnd, m *signaling.Accepted) {
	if m.Offset > s.object.Size || e.over() {
		return
	}
	s.takeOver(e, m.Offset)
	if e.stream != m.Stream || e.fresh {
		e.stream, e.consumed, e.fresh = m.Stream, m.Offset, false
	}
	e.State, e.Accepted, e.turn, e.pos, e.finished = StateAccepted, true, m.Turn, m.Offset, false
	e.consumed = min(e.consumed, m.Offset)
	e.Bytes = max(e.Bytes, e.consumed)
	e.close()
	e.queue = s.room.uplink.AddObject()
	if !e.feeding {
		e.feeding = true
		s.run(func() { s.feed(e) })
	}
}

// takeOver forgets the receiver that has come back as e, under another id since the relay was started anew: the one of the same
// name that is missing, or that has it all already.
func (s *Sending) takeOver(e *receiverEnd, offset uint64) {
	s.ends = slices.DeleteFunc(s.ends, func(old *receiverEnd) bool {
		back := old != e && old.Name == e.Name && (old.State == stateAdrift || old.State == StateReceived && !old.until.IsZero() && offset == s.object.Size)
		if back {
			old.State = signaling.CancelLeft // ends its goroutine
		}
		return back
	})
}

// Receivers tells how far everybody is to whom the object was offered.
func (s *Sending) Receivers() (list []Receiver) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	for _, e := range s.ends {
		got := e.Receiver
		if got.State == stateAdrift {
			got.State = StateAccepted
		}
		list = append(list, got)
	}
	return list
}

// SHA256 is the hash of the object in hexadecimal, "" while it is not known.
func (s *Sending) SHA256() string {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	return s.sum
}

// Wait returns when all who accepted have it or have failed, and nobody is undecided or Object.Wait is over. Then the offer is
// taken back. Its error is one of ctx, of the Room or of reading the object: see Receivers for how it went.
func (s *Sending) Wait(ctx context.Context) error {
	defer s.Cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	r := s.room
	for {
		r.mu.Lock()
		settled, err, changed := s.settled(time.Now()), s.failed, r.changed
		r.mu.Unlock()
		if settled || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-r.done:
			return errors.Join(r.err, ErrClosed)
		}
	}
}

// settled reports whether nothing is to be waited for. r.mu is held.
func (s *Sending) settled(now time.Time) bool {
	open, got := false, false
	for _, e := range s.ends {
		switch {
		case e.State == StateAccepted:
			return false
		case e.State == stateAdrift && now.Before(e.until):
			return false
		case e.State == stateAdrift:
			e.State = signaling.CancelLeft
		}
		open = open || e.State == StateOffered
		got = got || e.State == StateReceived
	}
	return s.sum != "" && (got && !open || now.Sub(s.begun) >= s.object.Wait)
}

// Cancel takes the offer back, and gives up what is on its way. Who has not answered stays so in Receivers.
func (s *Sending) Cancel() {
	r := s.room
	r.mu.Lock()
	s.over = true
	for _, e := range s.ends {
		asked := e.State == StateOffered
		if s.end(e, signaling.CancelCancelled); asked {
			e.State = StateOffered
		}
	}
	r.sendings = slices.DeleteFunc(r.sendings, func(other *Sending) bool { return other == s })
	r.mu.Unlock()
	r.moved()
}
