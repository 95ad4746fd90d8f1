package server

import (
	"bytes"
	"io"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// pair is both ends of a TCP connection.
func pair(t *testing.T) (server, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near.(*net.TCPConn), far.(*net.TCPConn)
}

// TestOneSystemCallPerBatch counts the system calls themselves.
func TestOneSystemCallPerBatch(t *testing.T) {
	near, far := pair(t)
	w, err := newNonBlocking(near)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	w.send = func(fd uintptr, iovs []unix.Iovec) (int, syscall.Errno) { calls++; return send(fd, iovs) }
	for _, c := range []struct{ buffers, calls int }{{1, 1}, {2, 1}, {100, 1}, {maxIovecs, 1}, {maxIovecs + 1, 2}} {
		var bufs [][]byte
		for i := range c.buffers {
			bufs = append(bufs, bytes.Repeat([]byte{byte(i)}, i%30+1))
		}
		want := bytes.Join(bufs, nil)
		calls = 0
		if n, err := w.writev(bufs); n != len(want) || err != nil || calls != c.calls {
			t.Fatalf("%d buffers: wrote %d of %d in %d calls, %v", c.buffers, n, len(want), calls, err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d buffers: arrived otherwise, %v", c.buffers, err)
		}
	}
}

// TestFullSocketDoesNotBlock writes until the socket takes no more, and gets all of it through in the end.
func TestFullSocketDoesNotBlock(t *testing.T) {
	near, far := pair(t)
	_ = far.SetReadBuffer(4096)
	w, err := newNonBlocking(near)
	if err != nil {
		t.Fatal(err)
	}
	block := [][]byte{pattern(1, 1, 50_000), pattern(2, 2, 50_000)}
	total, want := 0, bytes.Join(block, nil)
	for n := len(want); n == len(want); total += n {
		if n, err = w.writev(block); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, total)
	if _, err := io.ReadFull(far, got); err != nil {
		t.Fatal(err)
	}
	for i, b := range got {
		if b != want[i%len(want)] {
			t.Fatalf("byte %d of %d differs", i, total)
		}
	}
	_ = w.close()
	if _, err := w.writev(block); err == nil {
		t.Fatal("a closed socket takes bytes")
	}
}
