package bench

import (
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// socket is a bare TCP socket in the worker's loop.
type socket struct {
	m      *member
	w      *worker
	fd     int
	out    []byte // what the socket has not taken yet
	part   []byte // the beginning of a message
	up     bool
	paused bool
	paced  bool // read by the agenda and not as it comes
	credit float64
	readAt int64
}

// smallBuffer is the receive buffer of slow members.
const smallBuffer = 16 << 10

// pace is how often slow members read.
const pace = 10_000_000 // ns

func dialSocket(w *worker, m *member, to string) (*socket, error) {
	addr, err := netip.ParseAddrPort(to)
	if err != nil {
		return nil, err
	}
	family, sa := unix.AF_INET, unix.Sockaddr(nil)
	if ip := addr.Addr().Unmap(); ip.Is4() {
		sa = &unix.SockaddrInet4{Port: int(addr.Port()), Addr: ip.As4()}
	} else {
		family, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: int(addr.Port()), Addr: ip.As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if m.spec.Role == slow {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, smallBuffer)
	}
	s := &socket{m: m, w: w, fd: fd}
	if err := unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return nil, fmt.Errorf("no connection to %s: %w", to, err)
	}
	if err := w.loop.watch(fd, unix.EPOLLOUT, s.ready); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return s, nil
}

// ready is the loop's call.
func (s *socket) ready(events uint32) {
	switch {
	case !s.up:
		s.connected()
	case s.paced && events&(unix.EPOLLERR|unix.EPOLLHUP) != 0:
		s.w.loop.change(s.fd, 0)
		s.receive(len(s.w.buf)) // tells what happened
	case events&unix.EPOLLIN != 0, events&(unix.EPOLLERR|unix.EPOLLHUP) != 0:
		if s.paused {
			s.m.lost("the relay has closed")
			return
		}
		s.receive(len(s.w.buf))
	}
	if s.fd >= 0 && events&unix.EPOLLOUT != 0 && len(s.out) > 0 {
		s.flush()
	}
}

func (s *socket) connected() {
	if code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
		s.m.lost(fmt.Sprintf("no connection: %v", unix.Errno(code)))
		return
	}
	s.up = true
	s.watch()
	s.m.opened()
}

// watch tells the loop what the socket waits for.
func (s *socket) watch() {
	var want uint32
	if !s.paused && !s.paced {
		want |= unix.EPOLLIN
	}
	if len(s.out) > 0 {
		want |= unix.EPOLLOUT
	}
	s.w.loop.change(s.fd, want)
}

// receive reads once, at most limit bytes. The buffer is the worker's, shared by all its sockets.
func (s *socket) receive(limit int) {
	buf := s.w.buf
	kept := copy(buf, s.part)
	n, errno := read(s.fd, buf[kept:min(len(buf), kept+limit)])
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0:
		s.m.lost("the connection broke: " + errno.Error())
		return
	case n == 0:
		s.m.lost("the relay has closed the connection")
		return
	}
	rest := s.m.take(buf[:kept+n], now())
	if s.part = append(s.part[:0], rest...); len(rest) == 0 && cap(s.part) > 32<<10 {
		s.part = nil
	}
}

// slowly reads at a rate from now on.
func (s *socket) slowly(rate float64) {
	s.paced, s.readAt = true, now()
	s.watch()
	var step func(int64)
	step = func(at int64) {
		if s.fd < 0 {
			return
		}
		s.credit += rate * float64(at-s.readAt) / 1e9
		s.readAt = at
		if whole := int(s.credit); whole > 0 {
			s.credit -= float64(whole)
			s.receive(whole)
		}
		s.w.agenda.add(at+pace, step)
	}
	s.w.agenda.add(s.readAt+pace, step)
}

// send implements line.
func (s *socket) send(b []byte) {
	if len(s.out) > 0 {
		s.out = append(s.out, b...)
		return
	}
	n, errno := write(s.fd, b)
	if errno != 0 {
		n = 0 // if the connection broke, reading will tell
	}
	if n < len(b) && (errno == 0 || errno == unix.EAGAIN || errno == unix.EINTR) {
		s.out = append(s.out, b[n:]...)
		s.watch()
	}
}

func (s *socket) flush() {
	n, errno := write(s.fd, s.out)
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return
	}
	if errno != 0 {
		n = len(s.out)
	}
	if s.out = append(s.out[:0], s.out[n:]...); len(s.out) == 0 {
		s.watch()
	}
}

// pause implements line.
func (s *socket) pause() {
	s.paused = true
	s.watch()
}

// close implements line.
func (s *socket) close() {
	if s.fd < 0 {
		return
	}
	s.w.loop.drop(s.fd)
	unix.Close(s.fd)
	s.fd, s.part, s.out = -1, nil, nil
}
