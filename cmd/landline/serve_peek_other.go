//go:build !unix

package main

import (
	"errors"
	"net"
)

const canPeek = false

func peek(net.Conn) (byte, error) { return 0, errors.ErrUnsupported }
