package client

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"landline/signaling"
)

func TestSocketURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://h:1":              "ws://h:1/ws",
		"https://h":               "wss://h/ws",
		"wss://h/ws":              "wss://h/ws",
		"http://h/call/":          "ws://h/call/ws",
		"ws://127.0.0.1:8080/?x=": "ws://127.0.0.1:8080/ws?x=",
		"ftp://h":                 "",
		"h:80":                    "",
		"http://":                 "",
	} {
		if got, err := socketURL(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestAcksComeByTimeAndByBytes(t *testing.T) {
	now := time.Now()
	a := newAcks(now)
	at := func(ms int) time.Time { return now.Add(time.Duration(ms) * time.Millisecond) }
	expect := func(ms int, want bool, bytes uint64) {
		t.Helper()
		ack, send, _ := a.due(at(ms))
		if send != want || send && ack.Bytes != bytes {
			t.Errorf("at %d ms: ack %v of %d bytes, want %v of %d", ms, send, ack.Bytes, want, bytes)
		}
	}
	expect(0, false, 0)
	a.count(20, true, at(0))
	expect(200, false, 0) // acks alone are not acknowledged
	for i := 1; i < signaling.AckFirst; i++ {
		if !a.count(1, false, at(200+i)) {
			t.Error("one of the first messages does not make the writer look")
		}
		expect(200+i, true, uint64(20+i))
	}
	first := uint64(20 + signaling.AckFirst - 1)
	a.count(100, false, at(220))
	expect(300, false, 0)
	expect(315, true, first+100)
	a.count(100, false, at(320))
	if !a.count(signaling.AckBytes/4, false, at(321)) {
		t.Error("16 KiB do not make the writer look")
	}
	expect(321, true, first+200+signaling.AckBytes/4)
	a.every(20 * time.Millisecond)
	a.count(1, false, at(322))
	expect(341, true, first+201+signaling.AckBytes/4)
	if !a.count(signaling.AckBytes/4, true, at(342)) { // of acks, which would never be acknowledged otherwise
		t.Error("16 KiB of acks do not make the writer look")
	}
	expect(400, true, first+201+signaling.AckBytes/2)
}

func TestSilentLinkIsGivenUpAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		defer ours.Close()
		l := &link{Conn: ours}
		go func() {
			time.Sleep(signaling.DeadTimeout - time.Second)
			_, _ = theirs.Write([]byte{1})
		}()
		began := time.Now()
		buf := make([]byte, 1)
		if _, err := l.Read(buf); err != nil {
			t.Fatal(err)
		}
		_, err := l.Read(buf)
		if want := 2*signaling.DeadTimeout - time.Second; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != want {
			t.Errorf("%v after %v, want a timeout after %v", err, time.Since(began), want)
		}
	})
}

func TestBackOffFollowsTheProtocol(t *testing.T) {
	for i, most := range []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 2 * time.Second} {
		for range 100 {
			if d := backOff(i, false, nil); d < 0 || d > most {
				t.Fatalf("attempt %d waits %v, at most %v", i, d, most)
			}
		}
	}
	if d := backOff(0, true, nil); d < 5*time.Second {
		t.Errorf("\"later\" waits %v only", d)
	}
	if d := backOff(0, false, &signaling.Bye{RetryMs: 500}); d < 500*time.Millisecond || d > time.Second {
		t.Errorf("bye with 500 ms waits %v", d)
	}
}

func TestHistogramIsWithinTwoPercent(t *testing.T) {
	var h histogram
	var all []time.Duration
	for range 10_000 {
		d := time.Duration(rand.ExpFloat64() * float64(20*time.Millisecond)).Truncate(time.Microsecond)
		all = append(all, d)
		h.add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.99, 1} {
		want := all[int(q*float64(len(all)))-1]
		got := h.quantile(q)
		if got > want || float64(got) < float64(want)*0.98-float64(time.Microsecond) {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestHistogramTakesAnything(t *testing.T) {
	var h histogram
	for _, d := range []time.Duration{-time.Hour, 0, 1 << 62} {
		h.add(d)
	}
	if h.n != 3 || h.quantile(0.01) != 0 || h.quantile(1) < time.Hour {
		t.Errorf("%d samples, from %v to %v", h.n, h.quantile(0.01), h.quantile(1))
	}
}

func TestClockUnwrapsAcrossSeventyOneMinutes(t *testing.T) {
	now := time.Now()
	var u unwrapper
	u.start(1<<40, now)
	for _, step := range []time.Duration{0, time.Minute, 30 * time.Minute, 2 * time.Hour, time.Second} {
		now = now.Add(step)
		want := u.value + step.Microseconds() + 1234 // a little late
		if got := u.full(uint32(want), now); got != want {
			t.Errorf("after %v: %d, want %d", step, got, want)
		}
	}
	if back := u.value - 5_000_000; u.full(uint32(back), now) != back {
		t.Errorf("5 s back is %d, want %d", u.value, back)
	}
}
