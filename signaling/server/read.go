package server

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// scratch holds buffers into which messages are read. They are in use only while a message comes in, so that an
// idle session costs none.
var scratch = sync.Pool{New: func() any { b := make([]byte, fullestFrame+1); return &b }}

// reader is what the goroutine that reads a session's socket keeps.
type reader struct {
	*Session
	bytes, messages, pings bucket
	texts, offers          bucket
	greeted                bool
	early                  int    // bytes of messages before joined
	proof                  uint64 // who has acknowledged so many bytes has got joined
	learnt                 bool   // and that was seen
	unknown                int    // chunks under unknown aliases
	acks                   stride
}

// read is the session's goroutine: it reads until the socket ends.
func (ss *Session) read() {
	r := &reader{Session: ss, bytes: newBucket(byteRate, 2*byteRate), messages: newBucket(messageRate, 2*messageRate),
		pings: newBucket(pingRate, pingBurst), texts: newBucket(textRate, 5*textRate), offers: newBucket(offerRate, offerBurst)}
	defer ss.finish()
	ss.guard(func() {
		ss.ws.SetReadLimit(signaling.MaxControl)
		ss.ws.SetPingHandler(r.ping)
		ss.ws.SetPongHandler(func(string) error { return r.pong() })
		ss.ws.SetCloseHandler(r.closed)
		_ = ss.out.conn.SetReadDeadline(time.Now().Add(ss.server.times.join))
		for {
			if err := r.next(); err != nil {
				ss.end(r.reason(err))
				return
			}
		}
	})
	ss.lastWords()
}

// finish is the end of the session.
func (ss *Session) finish() {
	ss.cut()
	ss.mu.Lock()
	if ss.cutter != nil {
		ss.cutter.Stop()
	}
	ss.mu.Unlock()
	ss.server.unregister(ss)
	close(ss.done)
}

// lastWords reads on after the session has ended, to nobody's use, so that the close frame is not lost in a
// reset: the client closes, or linger is over.
func (ss *Session) lastWords() {
	_ = ss.out.conn.SetReadDeadline(time.Now().Add(ss.server.times.linger))
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	for range lastReads {
		if _, err := ss.in.Conn.Read((*buf)[:cap(*buf)]); err != nil {
			return
		}
	}
}

// lastReads is enough for what a sender's and our own socket buffers hold.
const lastReads = 1024

// next reads one message and deals with it.
func (r *reader) next() error {
	kind, src, err := r.ws.NextReader()
	if err != nil {
		return err
	}
	buf := scratch.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= 4*fullestFrame {
			scratch.Put(buf)
		}
	}()
	msg, err := readMessage(src, *buf, signaling.MaxControl)
	*buf = msg
	if err != nil {
		return err
	}
	if err := r.budget(len(msg), kind == websocket.TextMessage); err != nil {
		return err
	}
	isAck := false
	if kind == websocket.BinaryMessage {
		isAck = len(msg) > 0 && msg[0] == media.KindAck
		err = r.binary(msg)
	} else {
		err = r.aside(msg)
	}
	if err == nil {
		r.received(len(msg), isAck)
	}
	return err
}

// aside deals with a control message in a goroutine of its own: JSON takes a deep stack, and a stack that has grown
// stays so, for as long as the session sits idle.
func (r *reader) aside(msg []byte) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = errPanicked // unless it comes to an end
		r.guard(func() { err = r.text(msg) })
	}()
	<-done
	return err
}

// errPanicked ends the reading of a session that guard has ended.
var errPanicked = errors.New("the session failed")

// budget holds a session that sends too much back, by not reading. Once the session is over, nothing that it
// said counts any more.
func (r *reader) budget(n int, text bool) error {
	r.mu.Lock()
	joined, ending := r.joined, r.ending
	r.mu.Unlock()
	if ending != nil {
		return ending
	}
	if !joined {
		if r.early += n; r.early > signaling.MaxBeforeJoin {
			return signaling.Closef(signaling.CloseJoinTimeout, "over %d bytes before joined", signaling.MaxBeforeJoin)
		}
	}
	wait := max(r.bytes.take(float64(r.in.wire)), r.messages.take(1))
	if r.in.wire = 0; text {
		wait = max(wait, r.texts.take(1))
	}
	r.rest(wait)
	return nil
}

// rest reads nothing for a while, or until the session is to end.
func (r *reader) rest(wait time.Duration) {
	if wait <= 0 {
		return
	}
	r.server.stats.throttled.Add(1)
	t := time.NewTimer(min(wait, time.Second))
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.over:
	}
}

// closed answers the client's close frame: with its own code, as RFC 6455 section 5.5.1 has it.
func (r *reader) closed(code int, _ string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.echo = closeFrameOf(code, "")
	return nil
}

func (r *reader) ping(payload string) error {
	if err := r.pong(); err != nil {
		return err
	}
	r.mu.Lock()
	r.Session.pong = append(make([]byte, 0, len(payload)), payload...)
	r.mu.Unlock()
	r.shard.schedule(r.Session, true)
	return nil
}

// pong takes a pong, or the counting half of a ping.
func (r *reader) pong() error {
	r.in.wire = 0
	if r.pings.take(1) > 0 {
		return signaling.Closef(signaling.CloseFlood, "over %d pings or pongs a second", pingRate)
	}
	return nil
}

// reason turns what ended the reading into a close.
func (r *reader) reason(err error) *signaling.Closed {
	var closed *signaling.Closed
	var peer *websocket.CloseError
	var order *relay.OrderError
	var wire media.WireError
	switch {
	case errors.As(err, &closed):
		return closed
	case errors.As(err, &order):
		return signaling.Closef(signaling.CloseChunkOrder, "%s", order)
	case errors.As(err, &wire):
		return wireClose(wire)
	case creditClose(err) != nil:
		return creditClose(err)
	case errors.Is(err, errFragmentFlood):
		return signaling.Closef(signaling.CloseFlood, "%s", err)
	case errors.Is(err, websocket.ErrReadLimit):
		return signaling.Closef(signaling.CloseTooBig, "a message over %d bytes", signaling.MaxControl)
	case errors.As(err, &peer) && (peer.Code == websocket.CloseNormalClosure || peer.Code == websocket.CloseGoingAway):
		return signaling.Closef(signaling.CloseNormal, "the client closed")
	case errors.As(err, &peer) && peer.Code == websocket.CloseAbnormalClosure:
		return signaling.Closef(signaling.CloseBroken, "the connection ended in the middle of a message")
	case errors.As(err, &peer):
		return signaling.Closef(signaling.CloseBroken, "the client closed with %d", peer.Code)
	case r.seated() == nil && isTimeout(err):
		return signaling.Closef(signaling.CloseJoinTimeout, "no join within %s", r.server.times.join)
	case strings.HasPrefix(err.Error(), "websocket: "):
		return signaling.Closef(signaling.CloseProtocol, "%s", err)
	}
	return signaling.Closef(signaling.CloseBroken, "the connection broke: %s", err)
}

func wireClose(w media.WireError) *signaling.Closed {
	switch w {
	case media.ErrWireVersion:
		return signaling.Closef(signaling.CloseUnsupportedVersion, "%s", w)
	case media.ErrWireTooLarge:
		return signaling.Closef(signaling.CloseTooLarge, "%s", w)
	}
	return signaling.Closef(signaling.CloseBadChunk, "%s", w)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// binary deals with a binary message. msg is scratch: what is kept is copied.
func (r *reader) binary(msg []byte) error {
	kind, err := media.KindOf(msg)
	if err == media.ErrWireKind {
		return nil
	}
	if err != nil {
		return err
	}
	if r.sub == nil && kind != media.KindAck {
		return signaling.Closef(signaling.CloseBadMessage, "media before joined")
	}
	switch kind {
	case media.KindAck:
		ack, err := media.ParseAck(msg)
		if err != nil || r.sub == nil {
			return err // what little came before joined needs no acknowledgement
		}
		if !r.sub.Acked(ack.Bytes, ack.Came()) {
			return signaling.Closef(signaling.CloseBadChunk, "an ack for %d bytes, which goes back or was never sent", ack.Bytes)
		}
		if r.acks.to(ack.Bytes) {
			r.messages.giveBack(1)
		}
		if !r.learnt && ack.Bytes >= r.proof {
			r.learnt = true
			r.server.learnt(r.Session)
		}
		r.tellAckInterval()
		return nil
	case media.KindChunk:
		buf := make([]byte, signaling.Headroom+len(msg))
		copy(buf[signaling.Headroom:], msg)
		c, err := media.ParseChunk(buf[signaling.Headroom:])
		if err != nil {
			return err
		}
		return r.known(r.pub.Write(&c, relay.Message{Data: buf[signaling.Headroom:], Wire: signaling.FrameInPlace(buf)}))
	case media.KindObject:
		return r.objectData(msg)
	case media.KindCatchUp:
		return signaling.Closef(signaling.CloseBadChunk, "catch-up markers are the relay's")
	}
	c, err := media.ParseControl(msg)
	if err != nil {
		return err
	}
	return r.known(r.pub.Control(c))
}

// known forgives a number of chunks under unknown aliases.
func (r *reader) known(err error) error {
	if err != relay.ErrUnknownAlias {
		return err
	}
	r.server.stats.unknown.Add(1)
	if r.unknown++; r.unknown >= signaling.MaxUnknownAlias {
		return signaling.Closef(signaling.CloseFlood, "%d chunks under unknown aliases", r.unknown)
	}
	return nil
}
