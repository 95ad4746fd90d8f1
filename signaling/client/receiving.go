package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// Sink takes the bytes of an object, in order, from one goroutine. The sender waits for a slow one.
type Sink interface {
	io.Writer
	// Close is called once: with nil when all is there and the hash is right, and else with why it is not. The sender
	// is told of success when it has returned nil.
	Close(why error) error
}

// Receiving is an object that comes.
type Receiving struct {
	From   signaling.Member // without Tracks
	Object signaling.Offered

	room *Room
	sink Sink
	sum  hash.Hash     // of the goroutine that writes
	more chan struct{} // has room for one: something has changed
	done chan struct{} // closed when it is over
	err  error         // why it failed; read after done

	// Guarded by Room.mu.
	stream   uint32
	live     bool     // accepted in this session
	queue    [][]byte // taken and not written
	taken    uint64   // the offset that comes next
	consumed uint64   // written to the sink
	credited uint64
	sha256   string
	ending   error // it was cancelled
}

const (
	creditEvery  = 64 << 10
	maxReceiving = 256 // objects that are known, finished ones included
)

// ErrMismatch says that what came is not what was sent.
var ErrMismatch = errors.New("what came is not what was sent: the hashes differ")

// CancelledError says that the sender, or the relay, gave the object up.
type CancelledError struct{ Reason string }

func (e *CancelledError) Error() string {
	switch e.Reason {
	case signaling.CancelFailed:
		return "the sender could not read it"
	}
	return "the sender has given up: " + e.Reason
}

// Progress is how many bytes were written to the sink.
func (rc *Receiving) Progress() uint64 {
	rc.room.mu.Lock()
	defer rc.room.mu.Unlock()
	return rc.consumed
}

// Done is closed when all is there or it has failed.
func (rc *Receiving) Done() <-chan struct{} { return rc.done }

// Result is the hash in hexadecimal, or why it failed, once Done is closed.
func (rc *Receiving) Result() (sha string, err error) {
	<-rc.done
	rc.room.mu.Lock()
	defer rc.room.mu.Unlock()
	return rc.sha256, rc.err
}

// Cancel gives the object up.
func (rc *Receiving) Cancel() { rc.end(&CancelledError{signaling.CancelCancelled}) }

// end has the goroutine that writes stop.
func (rc *Receiving) end(why error) {
	rc.room.mu.Lock()
	if rc.ending == nil {
		rc.ending = why
	}
	rc.room.mu.Unlock()
	rc.poke()
}

func (rc *Receiving) poke() {
	select {
	case rc.more <- struct{}{}:
	default:
	}
}

func (rc *Receiving) isOver() bool {
	select {
	case <-rc.done:
		return true
	default:
		return false
	}
}

// offered takes an offer: of something that is known it goes on where it is.
func (r *Room) offered(m *signaling.Offered) {
	r.mu.Lock()
	i := slices.IndexFunc(r.receivings, func(rc *Receiving) bool { return rc.Object.Object == m.Object })
	if i >= 0 {
		r.receivings[i].again(m)
		r.mu.Unlock()
		r.wake()
		return
	}
	var from signaling.Member
	if sender := r.find(m.From); sender != nil {
		from = sender.info
	}
	room := r.roomForOne()
	r.mu.Unlock()
	rc := &Receiving{From: from, Object: *m, room: r, sum: sha256.New(), more: make(chan struct{}, 1), done: make(chan struct{})}
	if room && r.opts.OnOffer != nil {
		rc.sink = r.opts.OnOffer(rc)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if rc.sink == nil {
		r.control = append(r.control, &signaling.Cancel{Type: "cancel", Stream: m.Stream, Reason: signaling.CancelDeclined})
	} else {
		r.receivings = append(r.receivings, rc)
		r.porters.Go(rc.write)
		rc.accept(m.Stream)
	}
	r.wake()
}

// roomForOne makes room for another object by forgetting one that is over. r.mu is held.
func (r *Room) roomForOne() bool {
	if len(r.receivings) < maxReceiving {
		return true
	}
	i := slices.IndexFunc(r.receivings, (*Receiving).isOver)
	if i >= 0 {
		r.receivings = slices.Delete(r.receivings, i, i+1)
	}
	return i >= 0
}

// again accepts what is known, unless it has failed, or comes already, or somebody else offers it: the sender may have another
// id by now, but not another name. r.mu is held.
func (rc *Receiving) again(m *signaling.Offered) {
	o := rc.Object
	from := rc.room.find(m.From)
	same := m.From == o.From || from != nil && from.info.Name == rc.From.Name
	if rc.live || !same || o.Name != m.Name || o.Size != m.Size || rc.isOver() && rc.err != nil || rc.ending != nil {
		rc.room.control = append(rc.room.control, &signaling.Cancel{Type: "cancel", Stream: m.Stream, Reason: signaling.CancelDeclined})
		return
	}
	rc.Object.From = m.From
	rc.accept(m.Stream)
}

// accept takes a stream from where the writing is. r.mu is held.
func (rc *Receiving) accept(stream uint32) {
	for _, piece := range rc.queue {
		rc.taken -= uint64(len(piece))
	}
	rc.queue = nil
	rc.stream, rc.live, rc.credited = stream, true, rc.taken
	rc.room.streams[stream] = rc
	rc.room.control = append(rc.room.control, &signaling.Accept{Type: "accept", Stream: stream, Offset: rc.taken})
	if rc.isOver() {
		rc.live = false // the sender has not heard of its end: it goes through it again
	}
}

// objectData takes a chunk.
func (r *Room) objectData(data []byte) error {
	c, err := media.ParseObject(data)
	if err != nil {
		return wrong("%v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.lentOn(c.Stream); l != nil {
		return l.take(&c, data)
	}
	rc := r.streams[c.Stream]
	if rc == nil || c.Offset != rc.taken || rc.isOver() {
		return nil // the relay is ahead of us
	}
	if end := c.Offset + uint64(len(c.Payload)); end > rc.Object.Size || end > rc.consumed+relay.ObjectWindow+media.MaxChunkPayload {
		return wrong("stream %d: bytes up to %d, beyond its credit or size", c.Stream, end)
	}
	rc.queue = append(rc.queue, c.Payload)
	rc.taken += uint64(len(c.Payload))
	rc.poke()
	return nil
}

// receivingControl takes what concerns an object that comes.
func (r *Room) receivingControl(msg any) (taken bool) {
	switch m := msg.(type) {
	case *signaling.Offered:
		if m.From == "" {
			r.lentOffered(m)
		} else {
			r.offered(m)
		}
		return true
	case *signaling.Finish:
		r.mu.Lock()
		rc := r.streams[m.Stream]
		if rc == nil {
			r.mu.Unlock()
			return true
		}
		if rc.isOver() { // once more, for a sender that has not heard it
			r.control = append(r.control, &signaling.Received{Type: "received", Stream: m.Stream})
		} else {
			rc.sha256 = m.SHA256
		}
		r.mu.Unlock()
		r.wake()
		rc.poke()
		return true
	case *signaling.Cancel:
		r.mu.Lock()
		if l := r.lentOn(m.Stream); l != nil {
			l.cancelled(m.Reason)
		}
		rc := r.streams[m.Stream]
		delete(r.streams, m.Stream)
		if rc != nil {
			rc.live = false
		}
		r.mu.Unlock()
		switch {
		case rc == nil:
		case m.Reason == signaling.CancelLeft:
			rc.poke() // it may come back, as another member
		default:
			rc.end(&CancelledError{m.Reason})
		}
		return true
	}
	return false
}

// streamsGone forgets the numbers of a connection that is over.
func (r *Room) streamsGone() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.streams)
	r.lentsGone()
	for _, rc := range r.receivings {
		rc.poke()
	}
}

// write is the goroutine of one object: it writes, counts and hashes what came.
func (rc *Receiving) write() {
	err := rc.room.guard(rc.writeAll)
	if closed := rc.room.guard(func() error { return rc.sink.Close(err) }); err == nil {
		err = closed
	}
	r := rc.room
	r.mu.Lock()
	rc.err = err
	if rc.live {
		r.control = append(r.control, rc.lastWord())
	}
	rc.live, rc.queue = false, nil
	close(rc.done)
	r.mu.Unlock()
	r.wake()
}

// lastWord is what the sender is told at the end. r.mu is held.
func (rc *Receiving) lastWord() any {
	if rc.err == nil {
		return &signaling.Received{Type: "received", Stream: rc.stream}
	}
	delete(rc.room.streams, rc.stream)
	reason := signaling.CancelFailed
	var cancelled *CancelledError
	if errors.As(rc.err, &cancelled) {
		reason = signaling.CancelCancelled
	} else if errors.Is(rc.err, ErrMismatch) {
		reason = signaling.CancelHash
	}
	return &signaling.Cancel{Type: "cancel", Stream: rc.stream, Reason: reason}
}

func (rc *Receiving) writeAll() error {
	for {
		piece, over, err := rc.nextPiece()
		if over || err != nil {
			return err
		}
		if _, err := rc.sink.Write(piece); err != nil {
			return err
		}
		rc.sum.Write(piece)
		rc.wrote(len(piece))
	}
}

// nextPiece waits for something to write; over means that all is there and right.
func (rc *Receiving) nextPiece() (piece []byte, over bool, err error) {
	adrift, was := time.NewTimer(adriftTime), false
	defer adrift.Stop()
	r := rc.room
	for {
		r.mu.Lock()
		switch {
		case rc.ending != nil:
			err = rc.ending
		case len(rc.queue) > 0:
			piece, rc.queue = rc.queue[0], rc.queue[1:]
		case rc.consumed == rc.Object.Size && rc.sha256 != "":
			if over = true; hex.EncodeToString(rc.sum.Sum(nil)) != rc.sha256 {
				err = ErrMismatch
			}
		}
		live := rc.live
		r.mu.Unlock()
		if piece != nil || over || err != nil {
			return piece, over, err
		}
		if live || was {
			adrift.Reset(adriftTime)
		}
		was = live
		select {
		case <-rc.more:
		case <-r.ctx.Done():
			return nil, false, ErrClosed
		case <-adrift.C:
			r.mu.Lock()
			lost := !rc.live
			r.mu.Unlock()
			if lost {
				return nil, false, fmt.Errorf("the sender has left, and did not come back within %v", adriftTime)
			}
		}
	}
}

// wrote counts what was written, and gives the sender credit for it.
func (rc *Receiving) wrote(n int) {
	r := rc.room
	r.mu.Lock()
	defer r.mu.Unlock()
	rc.consumed += uint64(n)
	if rc.live && rc.consumed >= rc.credited+creditEvery {
		rc.credited = rc.consumed
		r.control = append(r.control, &signaling.Credit{Type: "credit", Stream: rc.stream, Offset: rc.consumed})
		r.wake()
	}
}
