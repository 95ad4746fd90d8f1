//go:build !linux

package bench

import (
	"errors"
	"os/exec"
	"time"
)

var errPlatform = errors.New("landline bench needs Linux, whose epoll and CLOCK_MONOTONIC it is built on")

// Worker is not to be had here.
func Worker() error { return errPlatform }

// Floor is not to be had here.
func Floor() error { return errPlatform }

func monotonic() int64 { return time.Now().UnixNano() }

func apart(*exec.Cmd) {}

func raiseLimit() {}

func checkPlatform(int) error { return errPlatform }
