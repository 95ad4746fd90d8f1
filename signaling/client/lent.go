package client

import (
	"context"
	"errors"
	"fmt"
	"io"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// Lent is a file of a recording that is watched alone: what a Room has whose Options.Room is signaling.RecordingRoom. It is read from any place on, and
// comes as fast as it is read; when nothing is read, nothing comes. Across reconnects it goes on where it was. One goroutine at a time reads.
type Lent struct {
	Name, MIME string
	Size       int64 // bytes
	Part       int   // which of the recording's files, from 1 on

	room *Room
	more chan struct{} // has room for one: something has changed

	// Guarded by Room.mu.
	stream   uint32      // 0: not offered on this connection
	used     bool        // it was read from
	queue    []lentPiece // taken and not read
	at, next uint64      // offset of the first byte of the queue, and of what comes next
	credited uint64
	failed   error
}

// lentCredit is how much is read until the relay hears of it: a third of its window, which is as much as is read of a file at a time. Hearing of it more often
// makes reads smaller, and is slower.
const lentCredit = relay.LoanWindow / 3

// maxLents is how many files a recording may have.
const maxLents = 64

// Lents waits for the files of the recording, in their order.
func (r *Room) Lents(ctx context.Context) ([]*Lent, error) {
	select {
	case <-r.lentAll:
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.lents, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-r.done:
		return nil, errors.Join(r.err, ErrClosed)
	}
}

// lentOffered takes a file, or again one that is known.
func (r *Room) lentOffered(m *signaling.Offered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lents {
		if l.Name != m.Object {
			continue
		}
		l.stream = m.Stream
		if l.used && l.failed == nil {
			l.accept()
		}
		return
	}
	if len(r.lents) == maxLents || m.Size > media.MaxObjectSize {
		return
	}
	l := &Lent{Name: m.Object, MIME: m.MIME, Size: int64(m.Size), Part: m.Part, room: r, more: make(chan struct{}, 1), stream: m.Stream}
	if r.lents = append(r.lents, l); len(r.lents) == m.Parts {
		close(r.lentAll)
	}
}

// lentOn finds the file of a stream. r.mu is held.
func (r *Room) lentOn(stream uint32) *Lent {
	for _, l := range r.lents {
		if l.stream == stream {
			return l
		}
	}
	return nil
}

// lentsGone forgets the numbers of a connection that is over. r.mu is held.
func (r *Room) lentsGone() {
	for _, l := range r.lents {
		l.stream = 0
	}
}

// accept has the relay go on from next. Room.mu is held.
func (l *Lent) accept() {
	l.credited = l.at
	l.room.control = append(l.room.control, &signaling.Accept{Type: "accept", Stream: l.stream, Offset: l.next})
	l.room.wake()
}

// lentPiece is a chunk, and how much of its message was passed.
type lentPiece struct {
	message []byte
	passed  int
}

func (p *lentPiece) rest() []byte { return p.message[p.passed:] }

// take takes a chunk, which is message parsed. Those of a place that was left are passed over, but one of them may go on where this place does, and end
// elsewhere than its own: what lies behind counts. Room.mu is held.
func (l *Lent) take(c *media.ObjectChunk, message []byte) error {
	end := c.Offset + uint64(len(c.Payload))
	if c.Offset > l.next || end <= l.next || !l.used {
		return nil
	}
	if end > uint64(l.Size) || end > l.at+2*relay.LoanWindow {
		return wrong("stream %d: bytes up to %d, beyond its credit or size", c.Stream, end)
	}
	l.queue = append(l.queue, lentPiece{message, media.ObjectHeaderSize + int(l.next-c.Offset)})
	l.next = end
	l.poke()
	return nil
}

func (l *Lent) poke() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// ReadAt reads len(p) bytes from off on. Where that is where the last reading ended, it is what has come already; elsewhere it takes a round trip.
func (l *Lent) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("%s: offset %d", l.Name, off)
	}
	want := p[:max(0, min(int64(len(p)), l.Size-off))]
	for n < len(want) {
		k, err := l.readSome(want[n:], uint64(off)+uint64(n))
		if n += k; err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readSome waits for bytes from offset on, and takes those that are there.
func (l *Lent) readSome(p []byte, offset uint64) (int, error) {
	r := l.room
	for {
		r.mu.Lock()
		n, err := l.took(p, offset)
		r.mu.Unlock()
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-l.more:
		case <-r.done:
			return 0, errors.Join(r.err, ErrClosed)
		}
	}
}

// took is readSome without waiting: it goes to the place, and copies what there is. Room.mu is held.
func (l *Lent) took(p []byte, offset uint64) (n int, err error) {
	if l.failed != nil {
		return 0, l.failed
	}
	if !l.used || offset != l.at {
		l.goTo(offset)
	}
	for n < len(p) && len(l.queue) > 0 {
		k := copy(p[n:], l.queue[0].rest())
		l.pass(k)
		n += k
	}
	if l.stream != 0 && l.at >= l.credited+lentCredit {
		l.credited = l.at
		l.room.control = append(l.room.control, &signaling.Credit{Type: "credit", Stream: l.stream, Offset: l.at})
		l.room.wake()
	}
	return n, nil
}

// pass leaves k bytes of the first piece behind.
func (l *Lent) pass(k int) {
	l.at += uint64(k)
	first := &l.queue[0]
	if first.passed += k; first.passed == len(first.message) {
		relay.ReuseObject(first.message)
		*first = lentPiece{}
		l.queue = l.queue[1:]
	}
}

// goTo goes to another place: within what has come already, or by asking the relay.
func (l *Lent) goTo(offset uint64) {
	if l.used && offset >= l.at && offset < l.next {
		for l.at < offset {
			l.pass(int(min(uint64(len(l.queue[0].rest())), offset-l.at)))
		}
		return
	}
	l.used, l.queue = true, nil
	l.at, l.next = offset, offset
	if l.stream != 0 {
		l.accept()
	}
}

// cancelled takes the relay's word that a file cannot be read. Room.mu is held.
func (l *Lent) cancelled(reason string) {
	l.failed = fmt.Errorf("%s: the relay gives no more of it: %s", l.Name, reason)
	l.poke()
}

// messageBuffer is empty memory for a message, of at least its length. That of the large chunks of objects is used again, but for those that go
// elsewhere than to a Lent.
func messageBuffer(msg []byte) []byte {
	const most = media.ObjectHeaderSize + media.MaxChunkPayload
	if len(msg) > most/2 && len(msg) <= most && msg[0] == media.KindObject {
		return relay.ObjectMemory(0)[:0]
	}
	return make([]byte, 0, len(msg))
}
