package client

import (
	"sync"
	"time"

	"landline/signaling"
)

// inboxBytes bounds what was read and not yet delivered. A relay keeps less than this in flight, so that it is not
// reached but by one that does not mind acknowledgement.
const inboxBytes = 4 << 20

// arrival is one message on its way to the callbacks.
type arrival struct {
	from *session
	at   time.Time
	size int // of the message, to be acknowledged
	msg  any // control; nil for a binary message
	data []byte
}

// inbox is a queue bounded in bytes: put waits while it is full, take while it is empty.
type inbox struct {
	mu      sync.Mutex
	changed sync.Cond
	queue   []arrival
	bytes   int
	last    bool // nothing more is put
}

func newInbox() *inbox {
	b := &inbox{}
	b.changed.L = &b.mu
	return b
}

func (b *inbox) put(a arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.bytes > inboxBytes && !b.last {
		b.changed.Wait()
	}
	if b.last {
		return
	}
	b.queue = append(b.queue, a)
	b.bytes += a.size
	b.changed.Broadcast()
}

// post puts a message of our own, and never waits.
func (b *inbox) post(a arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.last {
		b.queue = append(b.queue, a)
		b.changed.Broadcast()
	}
}

// offer puts a frame, or in its place, where there is no room, the word that its group is broken.
func (b *inbox) offer(a arrival) {
	b.mu.Lock()
	full := b.bytes > inboxBytes
	if !full {
		b.bytes += a.size
	}
	b.mu.Unlock()
	if f, ok := a.msg.(sideFrame); ok && full {
		f.SideFrame = signaling.SideFrame{}
		a.size, a.msg = 0, f
	}
	b.post(a)
}

// take returns all that waits; none when the inbox is finished and empty.
func (b *inbox) take(into []arrival) []arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) == 0 && !b.last {
		b.changed.Wait()
	}
	into = append(into, b.queue...)
	clear(b.queue)
	b.queue = b.queue[:0]
	return into
}

// done makes room for n bytes that were delivered.
func (b *inbox) done(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes -= n
	b.changed.Broadcast()
}

// finish ends the queue; what is in it is still taken, unless discard is set.
func (b *inbox) finish(discard bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = true
	if discard {
		b.queue = nil
	}
	b.changed.Broadcast()
}
