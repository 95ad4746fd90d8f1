package client

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// maxMessage bounds one message from the relay. A roster of signaling.MaxMembers fits.
const maxMessage = 4 << 20

// maxPongs bounds the pings that wait for their answer; more are left unanswered.
const maxPongs = 8

// session is one WebSocket, from its handshake to its end.
type session struct {
	room   *Room
	conn   *websocket.Conn
	link   *link
	uplink *relay.Uplink
	acks   acks
	began  time.Time

	// Of the handshake and then of the writer.
	sent    uint64 // payload bytes of all messages
	out     []relay.Out
	asked   time.Duration // the time between acks that the relay was last asked for
	byeSent bool
	putAt   time.Time     // when the last put went out
	putWait time.Duration // and how long the next one waits for its turn; 0: it does not

	buf bytes.Buffer // of the reader

	mu    sync.Mutex
	pongs []string
	bye   *signaling.Bye // the relay is going away
	err   error          // why it ended
	over  chan struct{}  // closed when it ended
}

// run reads and writes until the session ends, and returns why.
func (s *session) run() error {
	var both sync.WaitGroup
	both.Go(func() { s.end(s.guard(s.read)) })
	both.Go(func() {
		s.end(s.guard(s.write))
		s.farewell()
		_ = s.conn.Close() // whatever it says, the connection is gone
	})
	both.Wait()
	return s.err
}

// end keeps the first reason.
func (s *session) end(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.over:
	default:
		s.err = why
		close(s.over)
	}
}

// panicked is the error of a goroutine that failed on what the relay sent. It ends the Room.
type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprintf("internal error: %v", p.value) }

func (s *session) guard(f func() error) error { return s.room.guard(f) }

func (r *Room) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.opts.Logger.Error("panic", "value", p, "stack", string(debug.Stack()))
			err = &panicked{p}
		}
	}()
	return f()
}

// read takes messages until the connection ends.
func (s *session) read() error {
	for {
		kind, data, err := s.next()
		if err != nil {
			return err
		}
		if kind == websocket.BinaryMessage {
			err = s.takeBinary(data)
		} else {
			err = s.takeText(data)
		}
		if err != nil {
			return err
		}
	}
}

// next reads one message. Its error is a *signaling.Closed.
func (s *session) next() (kind int, data []byte, err error) {
	kind, r, err := s.conn.NextReader()
	if err != nil {
		return 0, nil, closedBy(err)
	}
	s.buf.Reset()
	if _, err := s.buf.ReadFrom(r); err != nil {
		return 0, nil, closedBy(err)
	}
	data = s.buf.Bytes()
	return kind, append(messageBuffer(data), data...), nil
}

// closedBy turns the error of a socket into a close code: that of the relay, or 1006 for a lost connection.
func closedBy(err error) error {
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		code := signaling.CloseCode(closed.Code)
		return signaling.Closef(code, "%s", strings.TrimPrefix(closed.Text, code.Name()+": "))
	}
	if errors.Is(err, websocket.ErrReadLimit) {
		return signaling.Closef(websocket.CloseMessageTooBig, "the relay sent a message of over %d bytes", maxMessage)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return signaling.Closef(websocket.CloseAbnormalClosure, "nothing was heard for %v", signaling.DeadTimeout)
	}
	return signaling.Closef(websocket.CloseAbnormalClosure, "connection lost: %v", err)
}

// wrong is the error of a relay that breaks the protocol: coming back would not help.
func wrong(format string, args ...any) error {
	return signaling.Closef(websocket.CloseProtocolError, "the relay breaks the protocol: "+format, args...)
}

func (s *session) takeBinary(data []byte) error {
	now := time.Now()
	kind, err := media.KindOf(data)
	switch {
	case errors.Is(err, media.ErrWireKind):
		s.took(len(data), false, now)
	case err != nil:
		return wrong("%v", err)
	case kind == media.KindAck:
		ack, err := media.ParseAck(data)
		if err != nil {
			return wrong("%v", err)
		}
		s.took(len(data), true, now)
		if !s.uplink.Acked(ack.Bytes, ack.Came()) {
			return wrong("it acknowledged %d bytes, which were not sent", ack.Bytes)
		}
		s.room.acked(ack.Bytes)
	default:
		s.room.inbox.put(arrival{from: s, at: now, size: len(data), data: data})
	}
	return nil
}

// takeText deals with what concerns sending, and queues all that a callback shall see.
func (s *session) takeText(data []byte) error {
	now := time.Now()
	msg, err := signaling.Decode(data)
	if err != nil {
		return wrong("%v", err)
	}
	if s.room.sendingControl(msg) {
		s.took(len(data), false, now)
		return nil
	}
	switch m := msg.(type) {
	case nil:
		s.took(len(data), false, now)
		return nil
	case *signaling.AckInterval:
		s.acks.every(time.Duration(m.Ms) * time.Millisecond)
		s.took(len(data), false, now)
		return nil
	case *signaling.RTCAnswer:
		s.room.sideReply(m.Req, sideAnswer{sdp: m.SDP})
		s.took(len(data), false, now)
		return nil
	case *signaling.Published:
		s.room.published(m.Req, m.Tracks, nil)
	case *signaling.Error:
		s.room.published(m.Req, nil, m)
		s.room.sideReply(m.Req, sideAnswer{err: sideRefused(m)})
		s.room.putRefused(m)
	case *signaling.Feedback:
		s.room.feedback(m)
	case *signaling.Wanted:
		s.room.wanted(m)
	case *signaling.Bye:
		s.mu.Lock()
		s.bye = m
		s.mu.Unlock()
	}
	s.room.inbox.put(arrival{from: s, at: now, size: len(data), msg: msg})
	return nil
}

// took counts a message that was dealt with.
func (s *session) took(n int, isAck bool, at time.Time) {
	if s.acks.count(n, isAck, at) {
		s.room.wake()
	}
}

// ping queues the answer to a ping.
func (s *session) ping(data string) error {
	s.mu.Lock()
	if len(s.pongs) < maxPongs {
		s.pongs = append(s.pongs, data)
	}
	s.mu.Unlock()
	s.room.wake()
	return nil
}
