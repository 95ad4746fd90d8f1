package impair

import (
	"context"
	"net"
	"syscall"
	"time"
)

// dialTime bounds the way to the target, which is near.
const dialTime = 5 * time.Second

// listen opens the proxy's side of the client. Accepted sockets are as small as the listener.
func listen(up, down Link) (net.Listener, error) {
	cfg := net.ListenConfig{Control: sized(up, down)}
	return cfg.Listen(context.Background(), "tcp", "127.0.0.1:0")
}

func dial(target string, up, down Link) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: dialTime, Control: sized(down, up)}
	c, err := d.Dial("tcp", target)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// sized gives a socket its buffers before its handshake, in which the window is agreed on.
func sized(in, out Link) func(_, _ string, raw syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var failed error
		if err := raw.Control(func(fd uintptr) { failed = size(fd, in.kernel(), out.kernel()) }); err != nil {
			return err
		}
		return failed
	}
}
