package server

import (
	"net"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notSentLowat is how many bytes the kernel may hold that it has not sent yet (TCP_NOTSENT_LOWAT, tcp(7)). What
// lies there can neither be dropped nor overtaken.
const notSentLowat = 16 << 10

// maxIovecs is how many buffers go into one writev; the system's limit is 1,024.
const maxIovecs = 512

// nonBlocking writes to a TCP socket without ever waiting. It is used by one goroutine at a time, but for close, which
// any may call.
type nonBlocking struct {
	conn *net.TCPConn
	iovs []unix.Iovec
	send func(fd uintptr, iovs []unix.Iovec) (int, syscall.Errno)

	// A descriptor that is closed may be another connection's in the next moment: mu is held while it is written to.
	mu sync.Mutex
	fd uintptr
	ok bool // it is open
}

func newNonBlocking(conn *net.TCPConn) (*nonBlocking, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	w := &nonBlocking{conn: conn, send: send}
	err = raw.Control(func(fd uintptr) {
		w.fd, w.ok = fd, true
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLowat)
	})
	return w, err
}

// close closes the socket. Nobody else may, or its descriptor could be written to when it is another's.
func (w *nonBlocking) close() error {
	w.mu.Lock()
	w.ok = false
	w.mu.Unlock()
	return w.conn.Close()
}

// send is one system call. The socket never blocks, so the scheduler need not hear of it: that would cost nearly as much
// as the rest.
func send(fd uintptr, iovs []unix.Iovec) (int, syscall.Errno) {
	if len(iovs) == 1 { // which is the rule, and cheaper
		n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(iovs[0].Base)), uintptr(iovs[0].Len),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		return int(n), errno
	}
	n, _, errno := syscall.RawSyscall(unix.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&iovs[0])), uintptr(len(iovs)))
	return int(n), errno
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
		n, errno := w.try()
		clear(w.iovs)
		if errno == unix.EAGAIN || errno == unix.EINTR {
			return written, nil
		}
		if errno != 0 {
			return written, errno
		}
		if written += n; n < want {
			return written, nil
		}
	}
	return written, nil
}

func (w *nonBlocking) try() (int, syscall.Errno) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ok {
		return 0, unix.EBADF
	}
	return w.send(w.fd, w.iovs)
}
