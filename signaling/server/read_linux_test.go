package server

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// TestRawReaderEndsAsAnyOther: what the other side and this one do to a socket comes out of the raw reader as from net.TCPConn.
func TestRawReaderEndsAsAnyOther(t *testing.T) {
	pair := func(t *testing.T) (here, there *net.TCPConn, r io.Reader) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		dialed, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dialed.Close(); accepted.Close() })
		here, there = accepted.(*net.TCPConn), dialed.(*net.TCPConn)
		r = inputOf(here)
		if _, raw := r.(*rawReader); !raw {
			t.Fatalf("a TCP connection is read through %T", r)
		}
		return here, there, r
	}
	buf := make([]byte, 4)
	t.Run("bytes, then the end", func(t *testing.T) {
		_, there, r := pair(t)
		go func() {
			_, _ = there.Write([]byte("hello"))
			_ = there.CloseWrite()
		}()
		if got, err := io.ReadAll(r); string(got) != "hello" || err != nil {
			t.Fatalf("read %q, %v", got, err)
		}
		if n, err := r.Read(buf); n != 0 || err != io.EOF {
			t.Fatalf("after the end: %d, %v", n, err)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		here, _, r := pair(t)
		_ = here.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := r.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	})
	t.Run("closed here, in mid-read", func(t *testing.T) {
		here, _, r := pair(t)
		failed := make(chan error)
		go func() {
			_, err := r.Read(buf)
			failed <- err
		}()
		_ = here.Close()
		if err := <-failed; !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
	})
	t.Run("reset", func(t *testing.T) {
		_, there, r := pair(t)
		_ = there.SetLinger(0)
		_ = there.Close()
		if _, err := r.Read(buf); err == nil || err == io.EOF {
			t.Fatalf("a reset came as %v", err)
		}
	})
}

func TestLoadIsBusyAboveItsRateOnly(t *testing.T) {
	var l load
	run := func(from time.Duration, perSecond int) time.Duration {
		step := time.Second / time.Duration(perSecond)
		for now := from; now < from+time.Second; now += step {
			l.note(now)
		}
		return from + time.Second
	}
	now := run(0, 2*busyRate)
	if !l.busy {
		t.Error("not busy at twice the rate")
	}
	now = run(now, busyRate/2)
	if l.busy {
		t.Error("busy at half of the rate")
	}
	now = run(now, 2*busyRate)
	if l.note(now + time.Minute); l.busy {
		t.Error("busy after a minute of silence")
	}
}
