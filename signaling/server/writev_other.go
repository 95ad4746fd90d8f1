//go:build !linux

package server

import (
	"errors"
	"io"
	"net"
)

// inputOf gives the way to read from a connection.
func inputOf(conn net.Conn) io.Reader { return conn }

// nonBlocking is only there on Linux; elsewhere each session writes with a goroutine of its own.
type nonBlocking struct{}

func newNonBlocking(*net.TCPConn) (*nonBlocking, error) { return nil, errors.ErrUnsupported }

func (*nonBlocking) close() error { return errors.ErrUnsupported }

func (*nonBlocking) writev([][]byte) (int, error) { return 0, errors.ErrUnsupported }
