package relay

import (
	"fmt"

	"landline/media"
)

// Object is something of known size that a member sends to others: a file.
type Object struct {
	ID   string // the sender's: the same when it is offered again
	Name string
	MIME string
	Size uint64 // bytes

	Part, Parts int // of what the relay lends: which of several this is, from 1 on; 0 = of a member
}

// ObjectEvent tells of one stream of an object.
type ObjectEvent struct {
	Object
	Stream uint32
	To     string
	Offset uint64 // accepted: where the sender goes on. Credit: what was consumed
	Turn   uint16
	SHA256 string

	Streams []StreamTo // offering: all that carry the object
}

// StreamTo is one stream of an object that was offered.
type StreamTo struct {
	Stream uint32
	To     string // member
}

// Limits of streams, which bound what the relay holds to ObjectWindow times maxStreams in a room.
const (
	// ObjectWindow is how many bytes beyond what was consumed a sender may send on a stream.
	ObjectWindow = 256 << 10

	maxStreams     = 512 // in a room
	maxStreamsFrom = 64  // of a member that sends
	maxStreamsTo   = 32  // of a member that receives

	creditStep = 16 << 10 // the sender is told of no less
)

// CreditError says that a sender sent more on a stream than its credit.
type CreditError struct {
	Stream uint32
	End    uint64 // offset behind the chunk
	Most   uint64 // offset up to which it may send
}

func (e *CreditError) Error() string {
	return fmt.Sprintf("stream %d: bytes up to %d, with credit up to %d", e.Stream, e.End, e.Most)
}

// stream carries an object from one member to another. What waits for the receiver is in bulk, guarded by bulk.mu with
// the other fields that the sender's data moves.
type stream struct {
	bulk
	number   uint32
	object   Object
	from, to *Member // from is nil for a loan
	loan     *Loan

	// Guarded by Room.mu.
	accepted bool
	sha256   string
	told     uint64      // the sender knows that so much was consumed
	by       *Subscriber // of the session that accepted

	// Guarded by bulk.mu.
	over     bool
	open     bool // accepted
	turn     uint16
	next     uint64 // offset that the sender sends next
	consumed uint64
	sub      *Subscriber
}

// write takes a chunk of the sender's, and returns who is to be told. What came under an earlier turn is ignored.
func (st *stream) write(c *media.ObjectChunk, m Message) (*Subscriber, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	behind := int16(c.Turn - st.turn)
	if st.over || behind < 0 {
		return nil, nil
	}
	end := c.Offset + uint64(len(c.Payload))
	switch {
	case !st.open || behind > 0:
		return nil, st.misplaced("data in turn %d, and it is turn %d", c.Turn, st.turn)
	case c.Offset != st.next:
		return nil, st.misplaced("offset %d follows %d", c.Offset, st.next)
	case end > st.object.Size, c.Last != (end == st.object.Size):
		return nil, st.misplaced("data up to %d of %d bytes", end, st.object.Size)
	case end > st.consumed+ObjectWindow:
		return nil, &CreditError{st.number, end, st.consumed + ObjectWindow}
	case !c.Last && len(c.Payload) < media.LeastObjectChunk:
		return nil, media.ErrWireSmall
	}
	st.next = end
	st.push(m)
	return st.sub, nil
}

func (st *stream) misplaced(format string, args ...any) error {
	return &OrderError{fmt.Sprintf("stream %d: %s", st.number, fmt.Sprintf(format, args...))}
}

// begin lets the sender send from an offset on, in a new turn. What waited is forgotten.
func (st *stream) begin(offset uint64, sub *Subscriber) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.clear()
	st.open, st.turn = true, st.turn+1
	st.next, st.consumed, st.sub = offset, offset, sub
}

// again begins a new turn where the sender is, and returns what to tell it.
func (st *stream) again() (next, consumed uint64) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.turn++
	return st.next, st.consumed
}

// consume notes what the receiver has consumed. It reports false for more than it was sent, and for less than before.
func (st *stream) consume(offset uint64) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.open || offset < st.consumed || offset > st.next-uint64(st.bytes) {
		return false
	}
	st.consumed = offset
	return true
}

// delivered reports whether all was sent to the receiver.
func (st *stream) delivered() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.open && st.next == st.object.Size && st.bytes == 0
}

func (st *stream) end() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.over = true
	st.clear()
}

// event makes what a member is told of the stream.
func (st *stream) event(kind EventKind) *Event {
	e := &Event{Kind: kind, Object: &ObjectEvent{Object: st.object, Stream: st.number, To: st.to.id, SHA256: st.sha256}}
	if st.from != nil {
		e.Member = st.from.id
	}
	return e
}

// tellSender tells who sends of what the receiver wants.
func (st *stream) tellSender(e *Event, wakes *[]*Subscriber) {
	if st.loan != nil {
		st.loan.poke()
		return
	}
	st.from.tellLocked(e, wakes)
}

// otherEnd is who is at the other end of a member's stream; nil where that is the relay itself.
func (st *stream) otherEnd(m *Member) *Member {
	if st.from == m {
		return st.to
	}
	return st.from
}

// acceptedEvent tells the sender where to go on.
func (st *stream) acceptedEvent(offset uint64) *Event {
	e := st.event(ObjectAccepted)
	st.mu.Lock()
	defer st.mu.Unlock()
	e.Object.Offset, e.Object.Turn = offset, st.turn
	return e
}

// creditEvent tells the sender what was consumed.
func (st *stream) creditEvent(offset uint64) *Event {
	st.told = offset
	e := st.event(ObjectCredit)
	e.Object.Offset = offset
	return e
}
