package relay

import (
	"sync"

	"landline/media"
)

// LoanWindow is how many bytes beyond what was consumed the relay sends of an object of its own.
const LoanWindow = 768 << 10

// Loan is an object of the relay's own that a member reads as it likes: from any place on, as fast as it consumes. Whoever lends it
// waits for what is wanted, and puts it there, in one goroutine.
type Loan struct {
	st   *stream
	more chan struct{} // has room for one: something has changed
	over chan struct{} // closed when nothing is wanted any more
}

// Lend offers a member objects of the relay's own, all or none of them. ErrGone if the member has left.
func (m *Member) Lend(list []Object) (loans []*Loan, err error) {
	r := m.room
	r.change(func(wakes *[]*Subscriber) {
		switch {
		case m.left:
			err = ErrGone
		case len(r.streams)+len(list) > maxStreams || len(list)+r.count(func(st *stream) bool { return st.to == m }) > maxStreamsTo:
			err = ErrTooManyStreams
		}
		if err != nil {
			return
		}
		for _, o := range list {
			l := &Loan{more: make(chan struct{}, 1), over: make(chan struct{})}
			l.st = r.openStream(nil, o, m, wakes)
			l.st.loan = l
			loans = append(loans, l)
		}
	})
	return loans, err
}

// Wait blocks until something is wanted: most bytes from offset on at most, a whole chunk or the rest of the object at least. It reports false when the
// loan is over. A turn is a stretch that the member reads; Put wants it back.
func (l *Loan) Wait() (turn uint16, offset uint64, most int, ok bool) {
	for {
		if turn, offset, most = l.st.wanted(); most > 0 {
			return turn, offset, most, true
		}
		select {
		case <-l.more:
		case <-l.over:
			return 0, 0, 0, false
		}
	}
}

// objectMemory is memory for any chunk of an object. Who reads as fast as it comes takes tens of thousands a second.
type objectMemory [media.ObjectHeaderSize + media.MaxChunkPayload]byte

var objectMemories = sync.Pool{New: func() any { return new(objectMemory) }}

// ObjectMemory is memory for a chunk of n bytes of payload, with room for its header in front.
func ObjectMemory(n int) []byte {
	return objectMemories.Get().(*objectMemory)[:media.ObjectHeaderSize+n]
}

// ReuseObject takes back the memory of a message of media.KindObject that nobody reads any more: each has one receiver alone.
func ReuseObject(data []byte) {
	if cap(data) == len(objectMemory{}) {
		objectMemories.Put((*objectMemory)(data[:cap(data)]))
	}
}

// Put hands over what Wait told of, in pieces of one chunk each, made by ObjectMemory, which become the relay's; the header is Put's to fill in.
// Where the member has gone to another place meanwhile they are forgotten.
func (l *Loan) Put(turn uint16, offset uint64, pieces [][]byte) {
	messages := make([]Message, 0, len(pieces))
	end := offset
	for _, p := range pieces {
		n := uint64(len(p) - media.ObjectHeaderSize)
		c := media.ObjectChunk{Turn: turn, Stream: l.st.number, Offset: end, Last: end+n == l.st.object.Size}
		c.Append(p[:0])
		messages = append(messages, Message{Data: p})
		end += n
	}
	if sub := l.st.fill(turn, offset, end, messages); sub != nil && sub.bulkReady() {
		sub.notify(false)
	}
}

// Cancel ends the loan, and tells the member why.
func (l *Loan) Cancel(reason string) {
	room := l.st.to.room
	room.change(func(wakes *[]*Subscriber) {
		if room.streams[l.st.number] == l.st {
			room.cancel(l.st, l.st.to, reason, wakes)
		}
	})
}

// Done is closed when the loan is over.
func (l *Loan) Done() <-chan struct{} { return l.over }

// poke has whoever lends look again.
func (l *Loan) poke() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// wanted is what the receiver of a loan may be sent now.
func (st *stream) wanted() (turn uint16, offset uint64, most int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.open || st.over {
		return 0, 0, 0
	}
	left := st.object.Size - st.next
	room := min(st.consumed+LoanWindow-st.next, left)
	if room < media.MaxChunkPayload && room < left {
		return 0, 0, 0 // no crumbs
	}
	return st.turn, st.next, int(room)
}

// fill queues what was asked for by wanted, if it still is, and returns who is to be told.
func (st *stream) fill(turn uint16, offset, end uint64, messages []Message) *Subscriber {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.open || st.over || turn != st.turn || offset != st.next {
		return nil
	}
	st.next = end
	for _, m := range messages {
		st.push(m)
	}
	return st.sub
}

// pause sends nothing of a loan until it is accepted again.
func (st *stream) pause() {
	if st.by != nil {
		st.by.removeBulk(&st.bulk)
		st.by = nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.clear()
	st.open = false
}
