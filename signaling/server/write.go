package server

import (
	"errors"
	"net"
	"os"
	"time"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// batch is what goes to a socket in one write. A shard keeps one and uses it again and again.
type batch struct {
	bufs [][]byte
	out  []relay.Out
	objs [][]byte // the messages of objects among them
	ack  [2 + media.AckSize]byte
}

// controlHeaders holds the frame headers of small binary messages.
var controlHeaders = func() (h [126][2]byte) {
	for n := range h {
		h[n] = [2]byte{signaling.OpBinary, byte(n)}
	}
	return h
}()

// fill collects everything that is ready for the session, in order: pong and ping, replies, the ack of what they answer, then what the
// Subscriber gives. It reports whether there is more, and whether this is the last.
func (ss *Session) fill(b *batch) (more, last bool) {
	b.bufs, b.out, b.objs = b.bufs[:0], b.out[:0], b.objs[:0]
	sent, acks, joined, last := ss.fillOwn(b)
	if !joined {
		return false, last
	}
	if sent > 0 { // in the order in which they go out
		ss.sub.AddSent(sent)
	}
	if acks > 0 {
		ss.sub.AddSentAck(acks)
	}
	b.out, more = ss.sub.Pull(b.out)
	now := ss.server.elapsed()
	if sent+acks > 0 || len(b.out) > 0 {
		ss.spoke.Store(int64(now)) // a browser does not see pings and pongs
	}
	events, live := 0, 0
	for i := range b.out {
		events += b.add(&b.out[i])
		if !ofObject(&b.out[i]) {
			live++
		}
	}
	if len(b.out) > 0 {
		ss.flow.note(live, now)
	}
	clear(b.out)
	if events > 0 {
		ss.sub.AddSent(events)
	}
	return more, false
}

// fillOwn collects what waits besides the Subscriber's, and returns how many payload bytes that is, those of an ack
// apart, and whether the session is in its room.
func (ss *Session) fillOwn(b *batch) (sent, acks int, joined, last bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.pong != nil {
		b.bufs = append(b.bufs, append(signaling.AppendFrameHeader(nil, signaling.OpPong, len(ss.pong)), ss.pong...))
		ss.pong = nil
	}
	if ss.pingDue {
		b.bufs = append(b.bufs, pingFrame)
		ss.pingDue = false
	}
	b.bufs = append(b.bufs, ss.replies...)
	sent += ss.replied
	ss.replies, ss.replied = nil, 0
	if ss.ackDue && ss.ending == nil {
		ss.ackDue, ss.unacked = false, 0
		b.ack[0], b.ack[1] = signaling.OpBinary, media.AckSize
		ack := media.Ack{Bytes: ss.bytes, Time: ss.at}
		ack.Append(b.ack[:2])
		b.bufs = append(b.bufs, b.ack[:])
		acks = media.AckSize
	}
	if ss.endFrame != nil {
		b.bufs = append(b.bufs, ss.endFrame)
		ss.endFrame = nil
		return sent, acks, false, true
	}
	if !ss.joined {
		ss.early += sent + acks
	}
	return sent, acks, ss.joined && ss.ending == nil, false
}

var pingFrame = []byte{signaling.OpPing, 0}

// add appends one thing to the batch and returns the payload bytes that Pull has not counted.
func (b *batch) add(o *relay.Out) int {
	switch {
	case o.Event != nil:
		frame, payload := encodeOnce(&o.Event.Encoded, func() any { return eventMessage(o.Event) })
		b.bufs = append(b.bufs, frame)
		return payload
	case o.Batch != nil:
		frame, payload := encodeOnce(&o.Batch.Encoded, func() any { return batchMessage(o.Batch) })
		b.bufs = append(b.bufs, frame)
		return payload
	case o.Wire != nil:
		b.bufs = append(b.bufs, o.Wire)
	case len(o.Data) <= 125:
		b.bufs = append(b.bufs, controlHeaders[len(o.Data)][:], o.Data)
	default:
		if ofObject(o) {
			b.objs = append(b.objs, o.Data)
		}
		b.bufs = append(b.bufs, signaling.AppendFrameHeader(nil, signaling.OpBinary, len(o.Data)), o.Data)
	}
	return 0
}

// flush writes what is ready, without blocking. It reports what remains to be written by a goroutine that may
// block, and whether there is more to pull.
func (ss *Session) flush(b *batch) (rest net.Buffers, more, last bool) {
	more, last = ss.fill(b)
	if len(b.bufs) == 0 {
		return nil, more, last
	}
	ss.server.stats.writes.Add(1)
	if ss.out.raw == nil {
		return b.copyOut(0), more, last
	}
	total := 0
	for _, buf := range b.bufs {
		total += len(buf)
	}
	n, err := ss.out.raw.writev(b.bufs)
	if err != nil {
		ss.cut()
		return nil, false, false
	}
	if n < total {
		ss.server.stats.partial.Add(1)
		rest = b.copyOut(n)
	} else {
		b.reuse()
	}
	clear(b.bufs)
	return rest, more, last
}

// ofObject reports whether a message is a piece of an object.
func ofObject(o *relay.Out) bool { return len(o.Data) > 0 && o.Data[0] == media.KindObject }

// reuse gives back the memory of what has gone out whole.
func (b *batch) reuse() {
	for _, data := range b.objs {
		relay.ReuseObject(data)
	}
	clear(b.objs)
}

// copyOut takes what is left of the batch after n bytes, so that the batch can be used again. Small buffers that
// belong to the batch are copied.
func (b *batch) copyOut(n int) net.Buffers {
	var rest net.Buffers
	for _, buf := range b.bufs {
		if n >= len(buf) {
			n -= len(buf)
			continue
		}
		if buf = buf[n:]; len(buf) <= len(b.ack) {
			buf = append([]byte(nil), buf...)
		}
		rest = append(rest, buf)
		n = 0
	}
	clear(b.bufs)
	return rest
}

// drain writes what a full socket would not take at once. It runs as a goroutine of its own; meanwhile the shard
// leaves the session alone. One that stands still is waited for.
func (ss *Session) drain(rest net.Buffers, more, last bool) {
	defer ss.shard.written(ss, more)
	ss.guard(func() {
		ss.standStill()
		err := ss.write(rest)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			ss.end(signaling.Closef(signaling.CloseTimeout, "the client took nothing for %s", ss.server.times.write))
		}
		if err != nil {
			ss.cut()
			return
		}
		if last {
			ss.hangUp()
		}
	})
}

// write blocks until all is written, or the socket has taken nothing for times.write. A deadline that has passed
// would fail writes that do not wait as well, so none is left behind.
func (ss *Session) write(rest net.Buffers) error {
	conn, wait := ss.out.conn, ss.server.times.write
	defer func() { _ = conn.SetWriteDeadline(time.Time{}) }()
	if ss.out.raw == nil {
		return writeCoalesced(conn, rest, wait)
	}
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(wait))
		n, err := rest.WriteTo(conn)
		if err == nil || n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// coalesce is how much goes into one TLS record.
const coalesce = 16 << 10

// writeCoalesced copies what is ready into buffers of one TLS record each and writes them; wait is for each.
func writeCoalesced(conn net.Conn, rest net.Buffers, wait time.Duration) error {
	buf := make([]byte, 0, min(coalesce, size(rest)))
	for _, part := range rest {
		for len(part) > 0 {
			n := min(len(part), coalesce-len(buf))
			buf = append(buf, part[:n]...)
			part = part[n:]
			if len(buf) == coalesce {
				_ = conn.SetWriteDeadline(time.Now().Add(wait))
				if _, err := conn.Write(buf); err != nil {
					return err
				}
				buf = buf[:0]
			}
		}
	}
	if len(buf) == 0 {
		return nil
	}
	_ = conn.SetWriteDeadline(time.Now().Add(wait))
	_, err := conn.Write(buf)
	return err
}

func size(bufs net.Buffers) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}

// hangUp is called when the close frame was written: the client has until times.linger is over to answer.
func (ss *Session) hangUp() {
	if half, ok := ss.out.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
