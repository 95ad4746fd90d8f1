package main

import (
	"errors"
	"net"
	"sync"
	"time"
)

// split tells the connections of one port apart by their first byte: ICE-TCP (RFC 4571 puts a length before each STUN message, and those are
// shorter than 512 bytes) from HTTP and TLS, which begin otherwise. It looks at the byte without taking it, so that those of HTTP stay
// what they are, without a wrapper.
type split struct {
	ln   net.Listener
	http branch
	ice  branch
	done chan struct{}
	most int           // connections that have not sent a byte yet, or are of ICE; over that, new ones are closed
	wait time.Duration // how long a connection may take to say what it is

	mu   sync.Mutex
	open map[net.Conn]struct{} // that have not said what they are, or are of ICE
	wg   sync.WaitGroup
}

// branch is the listener for one kind.
type branch struct {
	*split
	conns chan net.Conn
}

// newSplit takes a listener over; http and ice are the listeners for either kind.
func newSplit(ln net.Listener, most int, wait time.Duration) *split {
	s := &split{ln: ln, most: most, wait: wait, done: make(chan struct{}), open: map[net.Conn]struct{}{}}
	s.http, s.ice = branch{s, make(chan net.Conn)}, branch{s, make(chan net.Conn)}
	s.wg.Go(s.accept)
	return s
}

func (s *split) accept() {
	defer close(s.done)
	for {
		conn, err := s.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no descriptor is free: as net/http does, it waits
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if !s.hold(conn) {
			conn.Close()
			continue
		}
		s.wg.Go(func() { s.tell(conn) })
	}
}

func (s *split) hold(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= s.most {
		return false
	}
	s.open[conn] = struct{}{}
	return true
}

func (s *split) release(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// tell waits for the first byte of a connection, and hands it to who takes its kind.
func (s *split) tell(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(s.wait))
	first, err := peek(conn)
	_ = conn.SetReadDeadline(time.Time{})
	if err != nil {
		s.release(conn)
		conn.Close()
		return
	}
	to, given := s.http, conn
	if first < 2 {
		to, given = s.ice, &untold{conn, s}
	} else {
		s.release(conn)
	}
	select {
	case to.conns <- given:
	case <-s.done:
		given.Close()
	}
}

// untold is a connection of ICE, which counts until it is closed.
type untold struct {
	net.Conn
	split *split
}

func (u *untold) Close() error {
	u.split.release(u.Conn)
	return u.Conn.Close()
}

// Accept implements net.Listener.
func (b branch) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.done:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (b branch) Addr() net.Addr { return b.ln.Addr() }

// Close implements net.Listener: either kind ends both, and all connections of ICE. It returns when nothing of the split runs any more.
func (s *split) Close() error {
	err := s.ln.Close()
	s.mu.Lock()
	for conn := range s.open {
		conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
