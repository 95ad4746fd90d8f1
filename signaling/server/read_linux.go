package server

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawReader reads from a TCP socket as net.TCPConn does, but for one thing: the scheduler does not hear of the system call, which
// never blocks. What it does about a call that takes over 20 µs, as each may where processors are shared, costs more than the reading.
type rawReader struct {
	raw  syscall.RawConn
	read func(fd uintptr) bool // try, bound once

	p     []byte
	n     int
	errno syscall.Errno
}

// inputOf gives the cheapest way to read from a connection.
func inputOf(conn net.Conn) io.Reader {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	r := &rawReader{raw: raw}
	r.read = r.try
	return r
}

// try reads once, and reports whether that is done: false has it called again when something has come.
func (r *rawReader) try(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(r.p))), uintptr(len(r.p)),
			unix.MSG_DONTWAIT, 0, 0)
		if errno != unix.EINTR {
			r.n, r.errno = int(n), errno
			return errno != unix.EAGAIN
		}
	}
}

func (r *rawReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r.p = p
	err := r.raw.Read(r.read)
	r.p = nil
	switch {
	case err != nil:
		return 0, err
	case r.errno != 0:
		return 0, os.NewSyscallError("recvfrom", r.errno)
	case r.n == 0:
		return 0, io.EOF
	}
	return r.n, nil
}
