package impair

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait.
const patience = 20 * time.Second

// through opens a proxy and one connection through it.
func through(t *testing.T, up, down Link) (p *Proxy, client, server *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p, err = Listen(ln.Addr().String(), 1, up, down)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Close()
		p.Close()
	})
	for _, end := range []net.Conn{c, s} {
		if err := end.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	return p, c.(*net.TCPConn), s.(*net.TCPConn)
}

func noise(n int, seed uint64) []byte {
	chance := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(chance.Uint32())
	}
	return b
}

// send writes in the background; its error shows in what arrives.
func send(w io.Writer, b []byte) {
	go func() {
		_, _ = w.Write(b)
	}()
}

// timedRead reads n bytes and tells how long that took from the first of them.
func timedRead(t *testing.T, r io.Reader, n int) (took time.Duration) {
	t.Helper()
	var one [1]byte
	if _, err := io.ReadFull(r, one[:]); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := io.CopyN(io.Discard, r, int64(n-1)); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

func TestRateHoldsOnSockets(t *testing.T) {
	for _, rate := range []int{8_000, 250_000, 1_000_000} {
		for _, buffer := range []int{0, rate} {
			t.Run(fmt.Sprint(rate, "/", buffer), func(t *testing.T) {
				t.Parallel()
				_, client, server := through(t, Link{Rate: rate, Buffer: buffer}, Link{Rate: rate, Buffer: buffer})
				holds(t, rate, client, server)
				holds(t, rate, server, client)
			})
		}
	}
}

// holds fails for more than a rate, and for less than it unless the machine was busy: it is given three tries.
func holds(t *testing.T, rate int, from, to *net.TCPConn) {
	t.Helper()
	var got float64
	for range 3 {
		n := rate * 3 / 4
		send(from, make([]byte, n))
		if got = float64(n) / timedRead(t, to, n).Seconds() / float64(rate); got > 0.95 {
			break
		}
	}
	if got < 0.95 || got > 1.05 {
		t.Errorf("%.3f of the rate", got)
	}
}

func TestDelayAndJitter(t *testing.T) {
	_, client, server := through(t, Link{Delay: 30 * time.Millisecond}, Link{Delay: 40 * time.Millisecond, Jitter: 20 * time.Millisecond})
	go func() {
		_, _ = io.Copy(server, server) // an echo; its end is all that matters
	}()
	least, most := time.Hour, time.Duration(0)
	b := make([]byte, 100)
	for range 15 {
		began := time.Now()
		if _, err := client.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, b); err != nil {
			t.Fatal(err)
		}
		least, most = min(least, time.Since(began)), max(most, time.Since(began))
	}
	if least < 70*time.Millisecond || least > 85*time.Millisecond || most-least < 5*time.Millisecond {
		t.Errorf("round trips of 70 ms and up to 20 ms by chance took %v to %v", least, most)
	}
}

func TestStallLosesNothingAndGoesOnAtTheRate(t *testing.T) {
	const rate = 200_000
	p, client, server := through(t, Link{}, Link{Rate: rate, Delay: 20 * time.Millisecond})
	in := noise(rate, 1)
	send(server, in)
	out := make([]byte, len(in))
	if _, err := io.ReadFull(client, out[:rate/4]); err != nil {
		t.Fatal(err)
	}
	stalled := time.Now()
	p.Stall(500 * time.Millisecond)
	quiet := 0 // what was written before the stall
	for quiet < 64<<10 {
		if err := client.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := client.Read(out[rate/4+quiet:])
		quiet += n
		if err != nil {
			break
		}
	}
	if looked := time.Since(stalled); quiet > rate/10 && looked < 450*time.Millisecond {
		t.Errorf("%d bytes came within %v of the stall", quiet, looked)
	}
	if err := client.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, out[rate/4+quiet:]); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(stalled); took < 1150*time.Millisecond || took > 2500*time.Millisecond {
		t.Errorf("the last 0.75 s took %v with a stall of 0.5 s", took)
	}
	if !bytes.Equal(in, out) {
		t.Error("other bytes came out")
	}
}

func TestPathWithoutBufferPushesBack(t *testing.T) {
	for _, buffer := range []int{0, 100_000} {
		p, client, _ := through(t, Link{Rate: 50_000, Buffer: buffer}, Link{})
		p.Silence()
		if err := client.SetWriteBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		if err := client.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := client.Write(make([]byte, 1<<20))
		t.Logf("buffer %d: %d bytes were taken", buffer, n)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || n < buffer || n > buffer+12<<10 {
			t.Errorf("buffer %d: %d bytes were taken: %v", buffer, n, err)
		}
		if up, _ := p.Held(); up > max(buffer, 1000) || up < buffer {
			t.Errorf("buffer %d: %d bytes are held", buffer, up)
		}
	}
}

func TestBytesStayTheSameThroughEveryImpairment(t *testing.T) {
	for name, l := range map[string]Link{
		"nothing":  {},
		"slices":   {Slice: 16},
		"rate":     {Rate: 2_000_000},
		"hold":     {Hold: 64 << 10, HoldFor: 50 * time.Millisecond},
		"holdonly": {Hold: 10_000},
		"jitter":   {Delay: 5 * time.Millisecond, Jitter: 20 * time.Millisecond, Slice: 1000},
		"bloat":    {Rate: 1_000_000, Delay: 10 * time.Millisecond, Buffer: 2_000_000},
		"all":      {Rate: 1_000_000, Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Buffer: 50_000, Slice: 100, Hold: 20_000, HoldFor: 20 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, client, server := through(t, l, l)
			in := noise(500_000, 9)
			for _, end := range []*net.TCPConn{client, server} {
				go func() {
					_, _ = end.Write(in) // what arrives tells
					_ = end.CloseWrite()
				}()
			}
			p.Stall(50 * time.Millisecond)
			for i := range 2 {
				out, err := io.ReadAll([]*net.TCPConn{client, server}[i])
				if err != nil || !bytes.Equal(in, out) {
					t.Errorf("%d bytes of %d came out, or others: %v", len(out), len(in), err)
				}
			}
		})
	}
}

func TestLinksChangeWhileTheyCarry(t *testing.T) {
	p, client, server := through(t, Link{}, Link{Rate: 50_000, Buffer: 1 << 20})
	send(server, make([]byte, 1_000_000))
	timedRead(t, client, 5_000)
	p.SetDown(Link{Rate: 400_000, Buffer: 1 << 20})
	if took := timedRead(t, client, 200_000); took < 450*time.Millisecond || took > 1500*time.Millisecond {
		t.Errorf("half a second's worth of the new rate took %v", took)
	}
	p.SetDown(Link{})
	if took := timedRead(t, client, 700_000); took > time.Second {
		t.Errorf("the rest took %v without a rate", took)
	}
}

func TestEndsArePassedOn(t *testing.T) {
	_, client, server := through(t, Link{Delay: 30 * time.Millisecond}, Link{})
	began := time.Now()
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(began) < 30*time.Millisecond {
		t.Errorf("after a half close: %v within %v", err, time.Since(began))
	}
	send(server, []byte("still there"))
	if _, err := io.ReadFull(client, make([]byte, 11)); err != nil {
		t.Errorf("the other half: %v", err)
	}
	if err := server.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a reset: %v", err)
	}
}

func TestSilenceHidesTheEndAndCutResets(t *testing.T) {
	p, client, server := through(t, Link{}, Link{})
	p.Silence()
	client.Close()
	if err := server.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := server.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("in the silence: %v", err)
	}
	p.Cut()
	if err := server.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after the cut: %v", err)
	}
}

func TestTargetsChange(t *testing.T) {
	p, _, _ := through(t, Link{}, Link{})
	p.SetTarget("127.0.0.1:1") // nobody is there
	c, err := net.Dial("tcp", p.Addr())
	if err == nil {
		defer c.Close()
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("with nobody at the target: %v", err)
	}
}

func TestClockStandsStill(t *testing.T) {
	c := &clock{start: time.Now()}
	c.stall(-1)
	a, still := c.now()
	c.stall(time.Hour) // a silence is not shortened
	if c.ends() != never || !still {
		t.Errorf("a silence ends in %v", c.ends())
	}
	c.resume()
	b, still := c.now()
	if still || b < a || b > a+50*time.Millisecond {
		t.Errorf("the clock went from %v to %v", a, b)
	}
	c.stall(time.Minute)
	c.stall(time.Hour)
	c.stall(time.Second)
	if e := c.ends(); e < 59*time.Minute {
		t.Errorf("the longest of three stalls ends in %v", e)
	}
}
