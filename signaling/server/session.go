package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// Session is one WebSocket.
type Session struct {
	server *Server
	shard  *shard
	remote string
	over   chan struct{} // closed when the session is to end
	done   chan struct{} // closed when the reader has ended

	// The socket. gorilla reads from in, which meters; out is where the session's writer writes.
	ws  *websocket.Conn
	in  *meteredConn
	out output

	// Set by the reader before joined, and not changed after.
	seat    *seat
	pub     *relay.Publisher
	sub     *relay.Subscriber
	carries []media.Codec

	decodesRTC []media.Codec // what the client takes over WebRTC

	turn turn // guarded by shard.mu
	flow flow // of the writer

	still atomic.Pointer[standstill] // a fault for tests; nil: there was none

	heard atomic.Int64 // when bytes last came, ns since the server's start
	spoke atomic.Int64 // when a message was last written

	mu       sync.Mutex
	joined   bool
	early    int      // payload bytes sent before joined
	replies  [][]byte // text frames that wait, before anything of the Subscriber
	replied  int      // their payload bytes
	pong     []byte   // the newest ping's payload, nil: none waits
	pingDue  bool
	ackDue   bool
	ackTimer *time.Timer
	ackArmed bool
	ackEvery time.Duration
	bytes    uint64 // payload bytes received and dealt with
	at       uint64 // when the last of them came, µs: an ack must tell of both as one, or the sender is misled for good
	unacked  uint64 // bytes come since the last ack
	messages uint64 // come so far
	asked    int64  // the ackInterval the client was last told, ms
	ending   *signaling.Closed
	endFrame []byte // close frame that waits to be written
	echo     []byte // the answer to the client's own close frame
	cutter   *time.Timer
	side     signaling.Side // nil: there is no PeerConnection beside the session
}

// maxReplies is how many bytes of replies may wait for a client that does not read.
const maxReplies = 256 << 10

// maxReason is how many bytes of a close's text are kept: parts of it may have been the client's.
const maxReason = 300

func newSession(s *Server, ws *websocket.Conn, in *meteredConn, out output, remote string) *Session {
	ss := &Session{server: s, remote: remote, over: make(chan struct{}), done: make(chan struct{}), ws: ws, in: in, out: out,
		flow: flow{gap: time.Second}, ackEvery: signaling.AckEvery, asked: signaling.AckEvery.Milliseconds()}
	ss.shard = s.shards[int(s.next.Add(1))%len(s.shards)]
	ss.hear()
	ss.spoke.Store(ss.heard.Load())
	return ss
}

func (ss *Session) hear() { ss.heard.Store(int64(ss.server.elapsed())) }

// notify is the Subscriber's call: there is something to pull.
func (ss *Session) notify(audio bool) { ss.shard.schedule(ss, audio) }

// send queues a reply. Replies go before everything of the Subscriber.
func (ss *Session) send(msg any) {
	text := signaling.Encode(msg)
	ss.mu.Lock()
	if ss.ending == nil {
		ss.replies = append(ss.replies, signaling.TextFrame(text))
		ss.replied += len(text)
	}
	full := ss.replied > maxReplies
	ss.mu.Unlock()
	if full {
		ss.end(signaling.Closef(signaling.CloseSlowControl, "%d bytes of replies wait", maxReplies))
		return
	}
	ss.shard.schedule(ss, true)
}

// fail answers a request with an error that does not end the session.
func (ss *Session) fail(req int64, code, text string) {
	ss.send(signaling.Error{Type: "error", Req: req, Code: code, Text: text})
}

// end closes the session with a code: everybody else is told at once, the client is told if it reads within
// linger. Only the first end counts.
func (ss *Session) end(why *signaling.Closed) {
	ss.mu.Lock()
	if ss.ending != nil {
		ss.mu.Unlock()
		return
	}
	if len(why.Text) > maxReason {
		why = signaling.Closef(why.Code, "%s…", trimUTF8(why.Text[:maxReason]))
	}
	ss.ending = why
	close(ss.over)
	if why.Code >= 4000 && why.Code != signaling.CloseRestart {
		text := signaling.Encode(signaling.Error{Type: "error", Code: why.Code.Name(), Text: why.Text, Fatal: true})
		ss.replies = append(ss.replies, signaling.TextFrame(text))
	}
	if ss.endFrame = ss.echo; why.Code != signaling.CloseBroken {
		ss.endFrame = closeFrame(why)
	}
	if ss.ackTimer != nil {
		ss.ackTimer.Stop()
	}
	ss.cutter = time.AfterFunc(ss.server.times.linger, ss.cut)
	ss.mu.Unlock()
	ss.server.closing(ss, why)
	ss.closeSide()
	ss.leave(why)
	ss.shard.schedule(ss, true)
}

// leave takes the member off the room, or lets it come back, by the range of the code.
func (ss *Session) leave(why *signaling.Closed) {
	st := ss.seated()
	if st == nil {
		return
	}
	again, _ := why.Code.Retry()
	reason := "closed"
	if why.Code == signaling.CloseNormal {
		reason = "bye"
	}
	ss.server.unseat(ss, st, again, reason)
}

func (ss *Session) seated() *seat {
	ss.server.mu.Lock()
	defer ss.server.mu.Unlock()
	return ss.seat
}

// ended tells why the session is over, or nil while it is not.
func (ss *Session) ended() *signaling.Closed {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.ending
}

// replaced ends a session whose member has another one now.
func (ss *Session) replaced(text string) {
	ss.end(signaling.Closef(signaling.CloseReplaced, "%s", text))
}

// cut closes the socket without a word, which under TLS would have to wait for a client that does not read.
func (ss *Session) cut() {
	ss.goOn() // to see that it is closed
	if t, ok := ss.out.conn.(*tls.Conn); ok {
		_ = t.NetConn().Close()
		return
	}
	if ss.out.raw != nil {
		_ = ss.out.raw.close()
		return
	}
	_ = ss.out.conn.Close()
}

// closeFrame is a WebSocket close frame; its payload has at most 125 bytes (RFC 6455 section 5.5).
func closeFrame(why *signaling.Closed) []byte {
	text := why.Code.Name() + ": " + why.Text
	if len(text) > 120 {
		text = trimUTF8(text[:120])
	}
	return closeFrameOf(int(why.Code), text)
}

func closeFrameOf(code int, text string) []byte {
	payload := websocket.FormatCloseMessage(code, text)
	return append(signaling.AppendFrameHeader(nil, signaling.OpClose, len(payload)), payload...)
}

// trimUTF8 takes a rune that was cut off at the end away.
func trimUTF8(s string) string {
	for len(s) > 0 && s[len(s)-1]&0xC0 == 0x80 {
		s = s[:len(s)-1]
	}
	if len(s) > 0 && s[len(s)-1] >= 0xC0 {
		s = s[:len(s)-1]
	}
	return s
}

// guard runs f and turns a panic into the end of this session alone.
func (ss *Session) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			ss.server.stats.panics.Add(1)
			ss.server.log.Error("panic in a session", "remote", ss.remote, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			ss.end(signaling.Closef(signaling.CloseInternal, "the server failed on this session"))
		}
	}()
	f()
}

// tick is called once a second.
func (ss *Session) tick() {
	now, t := ss.server.elapsed(), &ss.server.times
	quiet := now - time.Duration(ss.heard.Load())
	if quiet > t.dead {
		ss.end(signaling.Closef(signaling.CloseTimeout, "nothing was heard for %s", t.dead))
		return
	}
	ss.mu.Lock()
	joined, ended := ss.joined, ss.ending != nil
	if quiet > t.heartbeat {
		ss.pingDue = true
	}
	if now-time.Duration(ss.spoke.Load()) > t.heartbeat-t.tick && joined {
		ss.ackDue = true
	}
	due := ss.pingDue || ss.ackDue
	ss.mu.Unlock()
	if due {
		ss.shard.schedule(ss, true)
	}
	if !joined || ended {
		return
	}
	ss.sub.Tick()
	if ss.sub.Overflowed() {
		ss.end(signaling.Closef(signaling.CloseSlowControl, "too many control messages wait for this client"))
		return
	}
	ss.tellAckInterval()
}

// tellAckInterval asks for acks more often while something has waited of late.
func (ss *Session) tellAckInterval() {
	ms := ss.sub.AckEvery().Milliseconds()
	ss.mu.Lock()
	changed := ms != ss.asked
	ss.asked = ms
	ss.mu.Unlock()
	if changed {
		ss.send(signaling.AckInterval{Type: "ackInterval", Ms: ms})
	}
}

// received counts a message that was dealt with, and sees to its ack.
func (ss *Session) received(n int, isAck bool) {
	ss.mu.Lock()
	ss.bytes, ss.at = ss.bytes+uint64(n), ss.server.now()
	ss.unacked += uint64(n)
	ss.messages++
	now := ss.unacked >= signaling.AckAfter(ss.bytes) || ss.messages <= signaling.AckFirst && !isAck
	switch {
	case ss.ending != nil || !ss.joined:
		now = false
	case now:
		ss.ackDue = true
	case isAck: // is not worth an ack of its own, or there would be no end to it
	case ss.ackTimer == nil:
		ss.ackArmed = true
		ss.ackTimer = time.AfterFunc(ss.ackEvery, ss.ackFire)
	case !ss.ackArmed:
		ss.ackArmed = true
		ss.ackTimer.Reset(ss.ackEvery)
	}
	ss.mu.Unlock()
	if now {
		ss.shard.schedule(ss, true)
	}
}

func (ss *Session) ackFire() {
	ss.mu.Lock()
	ss.ackArmed = false
	due := ss.unacked > 0 && ss.ending == nil
	ss.ackDue = ss.ackDue || due
	ss.mu.Unlock()
	if due {
		ss.shard.schedule(ss, true)
	}
}

// output is the write side of the socket.
type output struct {
	conn net.Conn     // the bare *net.TCPConn, or the *tls.Conn
	raw  *nonBlocking // nil where writing may block: TLS, other platforms
}
