//go:build unix

package main

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// canPeek says that peek works, so that one port can serve HTTP and ICE-TCP.
const canPeek = true

// peek waits for the first byte of a connection, and leaves it there.
func peek(conn net.Conn) (byte, error) {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	socket, err := raw.SyscallConn()
	if err != nil {
		return 0, err
	}
	var first [1]byte
	var n int
	var failed error
	err = socket.Read(func(fd uintptr) bool {
		n, _, failed = syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK)
		return failed != syscall.EAGAIN && failed != syscall.EINTR
	})
	if err = errors.Join(err, failed); err == nil && n == 0 {
		err = io.EOF
	}
	return first[0], err
}
