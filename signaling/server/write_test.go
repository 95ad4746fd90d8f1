package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
)

// cramped serves with send buffers so small that hardly a batch goes out in one write.
func cramped(web *httptest.Server) {
	web.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(2048)
		return ctx
	}
	web.Start()
}

// stage has a publisher and a reader that wants everything, however late.
func stage(t *testing.T, url string, reader *probe) (ann *probe, alias uint16, readerID string) {
	ann, joined := enter(t, url, "r", `"publish":[`+camera+`]`)
	_, j := reader.enter("r", `"subscribe":[{"maxAgeMs":30000}]`)
	go drainProbe(ann)
	return ann, joined.Self.Tracks[0].Layers[0].Alias, j.Self.ID
}

func TestPartialWritesAreByteExact(t *testing.T) {
	s, url := startWith(t, Config{}, protocolTimes, cramped)
	bob := dial(t, url)
	ann, alias, _ := stage(t, url, bob)
	const frame, count = 100_000, 30
	go func() {
		for g := range uint32(count) {
			for _, m := range patterned(alias, g+1, 0, frame) {
				ann.binary(m)
			}
		}
	}()
	for g := range uint32(count) {
		for i, want := range patterned(alias, g+1, 0, frame) {
			if got := bob.awaitWhole(len(want)); !bytes.Equal(got, want) {
				t.Fatalf("group %d: message %d differs", g+1, i)
			}
		}
	}
	if s.stats.partial.Load() == 0 {
		t.Error("no write was cut short")
	}
}

// TestFullSocketRecovers: once what a full socket held up is through, the session goes on as before, also when the
// time that it had for that is over.
func TestFullSocketRecovers(t *testing.T) {
	quick := protocolTimes
	quick.write = 500 * time.Millisecond
	s, url := startWith(t, Config{}, quick, cramped)
	bob := narrow(t, url)
	ann, alias, _ := stage(t, url, bob)
	for g := uint32(1); s.stats.partial.Load() == 0; g++ { // what may be in flight grows with every group that bob reads
		writes := s.stats.writes.Load()
		sent := patterned(alias, g, 0, 300_000)
		for _, m := range sent {
			ann.binary(m)
		}
		within(t, patience, "something was written", func() bool { return s.stats.writes.Load() > writes })
		for i, want := range sent {
			if got := bob.awaitWhole(len(want)); !bytes.Equal(got, want) {
				t.Fatalf("group %d: message %d differs", g, i)
			}
		}
	}
	for end := time.Now().Add(2 * quick.write); time.Now().Before(end); {
		bob.text(`{"type":"chat","text":"still here"}`)
		await[signaling.Chat](bob)
	}
}

// TestWhatIsLeftOfABatchIsItsOwn: the batch is filled again while what a full socket did not take still waits.
func TestWhatIsLeftOfABatchIsItsOwn(t *testing.T) {
	var b batch
	copy(b.ack[:], "an ack that is sent on")
	b.bufs = [][]byte{[]byte("gone"), b.ack[:], []byte("the rest")}
	rest := b.copyOut(4 + 3)
	copy(b.ack[:], "another ack meanwhile!")
	if got := bytes.Join(rest, nil); string(got) != "ack that is sent onthe rest" {
		t.Fatalf("%q", got)
	}
}

// TestSlowSocketIsNotAStuckOne: a link that takes a little in the time given is left alone, however long a batch
// takes; one that takes nothing is not waited for again.
func TestSlowSocketIsNotAStuckOne(t *testing.T) {
	conn := &slowConn{takes: 100}
	ss := &Session{server: &Server{times: protocolTimes}, out: output{conn: conn, raw: &nonBlocking{}}}
	batch := net.Buffers{pattern(1, 1, 950), pattern(1, 2, 2000), pattern(1, 3, 1)}
	want := bytes.Join(batch, nil)
	if err := ss.write(batch); err != nil || !bytes.Equal(conn.got, want) {
		t.Fatalf("%d of %d bytes, %v", len(conn.got), len(want), err)
	}
	if !conn.deadline.IsZero() {
		t.Error("a deadline is left behind")
	}
	conn.takes = 0
	if err := ss.write(net.Buffers{[]byte("x")}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
}

// slowConn takes so many bytes until each deadline.
type slowConn struct {
	net.Conn
	takes    int
	got      []byte
	deadline time.Time
}

func (c *slowConn) SetWriteDeadline(t time.Time) error { c.deadline = t; return nil }

func (c *slowConn) Write(p []byte) (int, error) {
	n := min(len(p), c.takes)
	if c.got = append(c.got, p[:n]...); n < len(p) {
		return n, os.ErrDeadlineExceeded
	}
	return n, nil
}

func TestStuckSocketIsClosedByName(t *testing.T) {
	quick := protocolTimes
	quick.write = 200 * time.Millisecond
	s, url := startWith(t, Config{}, quick, cramped)
	bob := narrow(t, url)
	ann, alias, id := stage(t, url, bob)
	for _, m := range patterned(alias, 1, 0, 200_000) {
		ann.binary(m)
	}
	within(t, patience, "the session is over", func() bool { return status(t, url, id).State == signaling.Reconnecting })
	if n := s.closedWith(signaling.CloseTimeout); n != 1 {
		t.Errorf("%d closes for that", n)
	}
}

// TestBurstTakesFewWrites: cost is per write, so what is ready goes out together.
func TestBurstTakesFewWrites(t *testing.T) {
	s, url := start(t, Config{})
	ann, joined := enter(t, url, "r", `"publish":[`+camera+`]`)
	alias, count := joined.Self.Tracks[0].Layers[0].Alias, 600
	for f := range count {
		ann.binary(chunkOf(media.ChunkHeader{Alias: alias, Frame: uint16(f), Key: f == 0, Last: true}, 200))
	}
	ann.text(`{"type":"chat","text":"done"}`)
	await[signaling.Chat](ann)
	bob, _ := enter(t, url, "r", "")
	before := s.stats.writes.Load()
	bob.text(`{"type":"subscribe"}`)
	for range count + 2 {
		bob.awaitMedia()
	}
	if writes := s.stats.writes.Load() - before; writes > uint64(count/10) {
		t.Errorf("%d messages took %d writes", count+2, writes)
	}
}

// countingListener notes the size of every write to its connections.
type countingListener struct {
	net.Listener
	mu    sync.Mutex
	sizes []int
}

type countingConn struct {
	net.Conn
	of *countingListener
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &countingConn{c, l}, err
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.of.mu.Lock()
	c.of.sizes = append(c.of.sizes, len(p))
	c.of.mu.Unlock()
	return c.Conn.Write(p)
}

func TestTLSIsByteExactAndWritesWholeRecords(t *testing.T) {
	pool, counter := x509.NewCertPool(), &countingListener{}
	_, url := startWith(t, Config{}, protocolTimes, func(web *httptest.Server) {
		counter.Listener = web.Listener
		web.Listener = counter
		web.StartTLS()
		pool.AddCert(web.Certificate())
	})
	secure := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: pool}}
	ann, joined := dialBy(t, url, secure).enter("r", `"publish":[`+camera+`]`)
	alias := joined.Self.Tracks[0].Layers[0].Alias
	var sent [][]byte
	for f := range uint16(60) {
		sent = append(sent, patterned(alias, 1, f, 40_000)...)
	}
	for _, m := range sent {
		ann.binary(m)
	}
	ann.text(`{"type":"chat","text":"done"}`)
	await[signaling.Chat](ann)
	bob, _ := dialBy(t, url, secure).enter("r", `"subscribe":[{}]`)
	bob.awaitMedia()
	for i, want := range sent {
		if got := bob.awaitWhole(len(want)); !bytes.Equal(got, want) {
			t.Fatalf("message %d differs", i)
		}
	}
	counter.mu.Lock()
	defer counter.mu.Unlock()
	full := 0
	for _, n := range counter.sizes {
		if n > coalesce+256 {
			t.Fatalf("a write of %d bytes: more than one record", n)
		}
		if n > coalesce {
			full++
		}
	}
	if full < 60*40_000/coalesce/2 {
		t.Errorf("only %d of %d writes were whole records", full, len(counter.sizes))
	}
}
