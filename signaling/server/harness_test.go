package server

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"landline/media"
	"landline/signaling"
)

// TestMain looks for goroutines left behind, and through what was logged.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := checkLog(); err != nil {
			fmt.Println("FAIL:", err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// patience bounds every wait of a test; nothing is expected to take nearly as long.
const patience = 20 * time.Second

// start serves on a free port until the test is over, and then checks that nothing went wrong unseen.
func start(t testing.TB, cfg Config) (*Server, string) {
	t.Helper()
	return startWith(t, cfg, protocolTimes, plain)
}

// startWith serves with other times, and begins serving as up does it. A test that makes the server panic says so
// by taking the count back.
func startWith(t testing.TB, cfg Config, times times, up func(*httptest.Server)) (*Server, string) {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewJSONHandler(&logged, nil))
	}
	s := newServer(cfg, times)
	web := httptest.NewUnstartedServer(s.Handler())
	up(web)
	t.Cleanup(func() {
		s.Close()
		web.Close()
		if n := s.stats.panics.Load(); n != 0 {
			t.Errorf("%d panics", n)
		}
		for code, n := range s.stats.closes {
			if code.Name() == "" {
				t.Errorf("%d closes with the unnamed code %d", n, code)
			}
		}
	})
	return s, "ws" + strings.TrimPrefix(web.URL, "http") + "/ws"
}

// probe is a bare member for tests: it speaks the protocol by hand.
type probe struct {
	t      testing.TB
	ws     *websocket.Conn
	got    uint64 // payload bytes received
	noAcks bool

	began time.Time

	writing sync.Mutex // one goroutine may read while another writes
}

func dial(t testing.TB, url string) *probe {
	t.Helper()
	return dialBy(t, url, websocket.Dialer{})
}

func dialBy(t testing.TB, url string, d websocket.Dialer) *probe {
	t.Helper()
	d.Subprotocols, d.HandshakeTimeout = []string{signaling.Subprotocol}, patience
	ws, _, err := d.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return &probe{t: t, ws: ws, began: time.Now()}
}

// enter dials and joins; join is the join message's fields beyond type and room, as JSON, or "".
func enter(t testing.TB, url, room, join string) (*probe, *signaling.Joined) {
	t.Helper()
	return dial(t, url).enter(room, join)
}

func (p *probe) enter(room, join string) (*probe, *signaling.Joined) {
	p.t.Helper()
	p.text(`{"type":"hello","version":1,"decode":{"ws":["opus","vp8"]}}`)
	if join != "" {
		join = "," + join
	}
	p.text(fmt.Sprintf(`{"type":"join","room":%q%s}`, room, join))
	joined := await[signaling.Joined](p)
	keepSecret(joined.Resume)
	return p, joined
}

func (p *probe) write(kind int, b []byte) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	return p.ws.WriteMessage(kind, b)
}

func (p *probe) text(s string) {
	p.t.Helper()
	if err := p.write(websocket.TextMessage, []byte(s)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *probe) binary(b []byte) {
	p.t.Helper()
	if err := p.write(websocket.BinaryMessage, b); err != nil {
		p.t.Fatal(err)
	}
}

// next reads one message, and acknowledges it: a reader without a timer cannot put that off.
func (p *probe) next() (kind int, msg []byte, err error) {
	_ = p.ws.SetReadDeadline(time.Now().Add(patience))
	kind, msg, err = p.ws.ReadMessage()
	if err == nil {
		p.got += uint64(len(msg))
		if !p.noAcks && (kind == websocket.TextMessage || msg[0] != media.KindAck) {
			_ = p.write(websocket.BinaryMessage, media.Ack{Bytes: p.got, Time: uint64(time.Since(p.began).Microseconds()) + 1}.Append(nil))
		}
	}
	return kind, msg, err
}

// await reads until a control message of type M comes.
func await[M any](p *probe) *M {
	p.t.Helper()
	for end := time.Now().Add(patience); ; {
		kind, msg, err := p.next()
		if err != nil || time.Now().After(end) {
			p.t.Fatalf("waiting for a %T: %v", *new(M), err)
		}
		if kind != websocket.TextMessage {
			continue
		}
		m, err := signaling.Decode(msg)
		if err != nil {
			p.t.Fatalf("%s: %v", msg, err)
		}
		if want, ok := m.(*M); ok {
			return want
		}
	}
}

// awaitMedia reads until a binary message other than an ack comes.
func (p *probe) awaitMedia() []byte {
	p.t.Helper()
	for end := time.Now().Add(patience); ; {
		kind, msg, err := p.next()
		if err != nil || time.Now().After(end) {
			p.t.Fatalf("waiting for media: %v", err)
		}
		if kind == websocket.BinaryMessage && msg[0] != media.KindAck {
			return msg
		}
	}
}

// awaitWhole is awaitMedia for a chunk of n bytes that may have been split on its way, and puts it together again.
func (p *probe) awaitWhole(n int) []byte {
	p.t.Helper()
	msg := p.awaitMedia()
	for len(msg) < n {
		piece := p.awaitMedia()
		c, err := media.ParseChunk(piece)
		if err != nil {
			p.t.Fatal(err)
		}
		msg[1] |= piece[1] // last is set in the last piece alone
		msg = append(msg, c.Payload...)
	}
	return msg
}

// awaitClose reads until the server closes, and returns the code and the error message before it.
func (p *probe) awaitClose() (code int, fatal *signaling.Error) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; {
		_, msg, err := p.next()
		if time.Now().After(end) {
			p.t.Fatal("the server does not close")
		}
		if err != nil {
			closed, ok := err.(*websocket.CloseError)
			if !ok {
				p.t.Fatalf("not closed in words but: %v", err)
			}
			return closed.Code, fatal
		}
		if m, err := signaling.Decode(msg); err == nil {
			if e, ok := m.(*signaling.Error); ok && e.Fatal {
				fatal = e
			}
		}
	}
}

const (
	mic    = `{"id":"mic","kind":"audio","source":"mic","codec":"opus","codecString":"opus","sampleRate":48000,"channels":1,"keyOnRequest":true}`
	camera = `{"id":"camera","kind":"video","source":"camera","codec":"vp8","codecString":"vp8","width":640,"height":360,"keyOnRequest":true}`
)

func audio(alias uint16, group uint32, payload []byte) []byte {
	h := media.ChunkHeader{Key: true, Last: true, Alias: alias, Group: group, Timestamp: group * 20_000}
	h.SetLevel(127, false)
	return append(h.Append(nil), payload...)
}

// frames gives the chunks of one video frame.
func frames(alias uint16, group uint32, frame uint16, n int) (out [][]byte) {
	h := media.ChunkHeader{Key: frame == 0, Alias: alias, Group: group, Frame: frame, Timestamp: uint32(frame) * 33_333}
	h.SetLength(uint32(n))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i + int(frame))
	}
	media.Split(h, data, 4096, 0, func(b []byte) { out = append(out, b) })
	return out
}

// manyCameras is an offer of n tracks.
func manyCameras(n int) string {
	var all []string
	for i := range n {
		all = append(all, strings.Replace(camera, `"camera"`, fmt.Sprintf(`"camera-%d"`, i), 1))
	}
	return strings.Join(all, ",")
}

// drainProbe reads and acknowledges what comes until the socket ends.
func drainProbe(p *probe) {
	for {
		if _, _, err := p.next(); err != nil {
			return
		}
	}
}

// plain begins to serve without TLS.
func plain(web *httptest.Server) { web.Start() }
