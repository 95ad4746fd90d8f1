package rtc

import (
	"net"
	"sync/atomic"
)

// faulty is a socket that loses all packets, both ways, while it is cut.
type faulty struct {
	net.PacketConn
	cut *atomic.Bool
}

func (f faulty) ReadFrom(p []byte) (n int, from net.Addr, err error) {
	for {
		n, from, err = f.PacketConn.ReadFrom(p)
		if err != nil || !f.cut.Load() {
			return n, from, err
		}
	}
}

func (f faulty) WriteTo(p []byte, to net.Addr) (int, error) {
	if f.cut.Load() {
		return len(p), nil
	}
	return f.PacketConn.WriteTo(p, to)
}

// CutUDP loses all packets from now on, or none any more. It is for tests, and does nothing unless Config.Faults is set.
func (p *Port) CutUDP(cut bool) { p.cut.Store(cut) }
