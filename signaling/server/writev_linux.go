package server

import (
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notSentLowat is how many bytes the kernel may hold that it has not sent yet (TCP_NOTSENT_LOWAT, tcp(7)). What
// lies there can neither be dropped nor overtaken.
const notSentLowat = 16 << 10

// maxIovecs is how many buffers go into one writev; the system's limit is 1,024.
const maxIovecs = 512

// nonBlocking writes to a TCP socket without ever waiting. syscall.RawConn holds the descriptor against a
// concurrent Close. It is used by one goroutine at a time.
type nonBlocking struct {
	raw  syscall.RawConn
	iovs []unix.Iovec
	n    int
	err  syscall.Errno
	try  func(fd uintptr) bool // made once, so that a write allocates nothing
}

func newNonBlocking(conn *net.TCPConn) (*nonBlocking, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	w := &nonBlocking{raw: raw}
	w.try = func(fd uintptr) bool {
		// The socket never blocks, so the scheduler need not hear of the call: that costs as much as the rest of it.
		n, _, errno := syscall.RawSyscall(unix.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&w.iovs[0])), uintptr(len(w.iovs)))
		w.n, w.err = int(n), errno
		return true
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLowat)
	})
	return w, nil
}

// writev writes as much of bufs as the socket takes now, with one system call for up to maxIovecs buffers.
func (w *nonBlocking) writev(bufs [][]byte) (written int, err error) {
	for len(bufs) > 0 {
		w.iovs = w.iovs[:0]
		want := 0
		for _, b := range bufs[:min(len(bufs), maxIovecs)] {
			v := unix.Iovec{Base: unsafe.SliceData(b)}
			v.SetLen(len(b))
			w.iovs = append(w.iovs, v)
			want += len(b)
		}
		bufs = bufs[len(w.iovs):]
		if err := w.raw.Write(w.try); err != nil {
			return written, err
		}
		clear(w.iovs)
		if w.err == unix.EAGAIN || w.err == unix.EINTR {
			return written, nil
		}
		if w.err != 0 {
			return written, w.err
		}
		written += w.n
		if w.n < want {
			return written, nil
		}
	}
	return written, nil
}
