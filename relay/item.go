package relay

import (
	"sync/atomic"
	"time"

	"landline/media"
)

// Message is one binary message as it goes to every receiver, unchanged.
type Message struct {
	// Data is the message: a chunk, Abandon, catch-up marker or End.
	Data []byte
	// Wire is Data with a transport's framing in front, when the publisher's transport prepared it;
	// otherwise nil. Both alias the same memory, which nobody writes to any more.
	Wire []byte
}

// item is a message in a track's order, shared by all queues that hold it.
type item struct {
	Message
	seq  uint64 // position in the track
	kind byte   // media.KindChunk, KindAbandon or KindEnd
	head media.ChunkHeader
	came time.Duration // from its publisher

	split atomic.Pointer[[]*item] // the same chunk in pieces, once a slow receiver needed them
}

// pieces gives the chunk in smaller ones (docs/protocol.md section 5.1). They are made once, for all slow receivers.
func (it *item) pieces() []*item {
	if p := it.split.Load(); p != nil {
		return *p
	}
	var pieces []*item
	payload := it.Data[it.head.Size():]
	for off := 0; off < len(payload); off += splitSize {
		end := min(off+splitSize, len(payload))
		h := it.head
		h.Offset += uint32(off)
		h.Last = h.Last && end == len(payload)
		m := Message{Data: append(h.Append(make([]byte, 0, h.Size()+end-off)), payload[off:end]...)}
		pieces = append(pieces, &item{Message: m, seq: it.seq, kind: it.kind, head: h, came: it.came})
	}
	it.split.Store(&pieces)
	return pieces
}

// controlItem is an Abandon or End as an item.
func controlItem(c media.Control) *item {
	return &item{Message: Message{Data: c.Append(nil)}, kind: c.Kind,
		head: media.ChunkHeader{Alias: c.Alias, Group: c.Group, Frame: c.Frame, Last: true}}
}

// begins reports whether the item starts a frame.
func (it *item) begins() bool { return it.kind == media.KindChunk && it.head.Offset == 0 }

// opensGroup reports whether the item starts a group.
func (it *item) opensGroup() bool { return it.begins() && it.head.Frame == 0 }

// entry is an item in one queue, with the time when it came.
type entry struct {
	*item
	at time.Duration
}

// fifo is a queue that keeps its memory while it is in use, and gives it back when it runs empty after
// having been large.
type fifo struct {
	buf  []entry
	head int
}

func (q *fifo) len() int      { return len(q.buf) - q.head }
func (q *fifo) first() *entry { return &q.buf[q.head] }
func (q *fifo) last() *entry  { return &q.buf[len(q.buf)-1] }

func (q *fifo) push(e entry) {
	if q.head > 32 && q.head*2 > len(q.buf) {
		n := copy(q.buf, q.buf[q.head:])
		clear(q.buf[n:])
		q.buf, q.head = q.buf[:n], 0
	}
	q.buf = append(q.buf, e)
}

// splitFirst puts the pieces of the first entry in its place, and returns by how many bytes of headers they are longer.
func (q *fifo) splitFirst() (longer int) {
	e := q.pop()
	pieces := e.pieces()
	buf := make([]entry, 0, len(pieces)+q.len())
	longer = -len(e.Data)
	for _, it := range pieces {
		buf = append(buf, entry{it, e.at})
		longer += len(it.Data)
	}
	q.buf, q.head = append(buf, q.buf[q.head:]...), 0
	return longer
}

func (q *fifo) pop() entry {
	e := q.buf[q.head]
	q.buf[q.head] = entry{}
	q.head++
	if q.head == len(q.buf) {
		q.head = 0
		if q.buf = q.buf[:0]; cap(q.buf) > 64 {
			q.buf = nil
		}
	}
	return e
}
