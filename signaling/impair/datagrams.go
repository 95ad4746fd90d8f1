package impair

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Bounds of a path for datagrams; what is more is lost.
const (
	maxFar      = 256  // senders towards the target
	maxFlying   = 4096 // datagrams under way, of one direction
	maxDatagram = 64 << 10
	udpBuffer   = 4 << 20 // bytes, as far as the system lets us
)

// Datagrams is a path for UDP: a socket on loopback that leads to a target, and loses some of what passes. Who sends to it is known to the
// target by an address of the path. Its methods may be called by any goroutine.
type Datagrams struct {
	near   *net.UDPConn
	target *net.UDPAddr
	all    sync.WaitGroup
	gone   chan struct{}
	fly    [2]chan flying // up and down

	mu     sync.Mutex
	flows  [2]flow
	far    map[netip.AddrPort]*net.UDPConn
	closed bool
}

// flying is a datagram on its way.
type flying struct {
	at   time.Time
	send func()
}

// ListenUDP opens a path to the address of a target. up is the direction towards the target.
func ListenUDP(target string, seed uint64, up, down Air) (*Datagrams, error) {
	to, err := net.ResolveUDPAddr("udp4", target)
	if err != nil {
		return nil, err
	}
	near, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = near.SetReadBuffer(udpBuffer)
	d := &Datagrams{near: near, target: to, gone: make(chan struct{}), far: map[netip.AddrPort]*net.UDPConn{}}
	for i, air := range []Air{up, down} {
		d.flows[i] = flow{air: air, chance: rand.New(rand.NewPCG(seed, uint64(i)))}
		d.fly[i] = make(chan flying, maxFlying)
		d.all.Go(func() { d.carry(d.fly[i]) })
	}
	d.all.Go(d.read)
	return d, nil
}

// Addr is the path's address, host and port.
func (d *Datagrams) Addr() *net.UDPAddr { return d.near.LocalAddr().(*net.UDPAddr) }

// Counts tells how many datagrams came in each direction, and how many of them were lost.
func (d *Datagrams) Counts() (up, lostUp, down, lostDown uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flows[0].taken, d.flows[0].lost, d.flows[1].taken, d.flows[1].lost
}

// Close ends the path; what is under way is lost.
func (d *Datagrams) Close() {
	d.mu.Lock()
	again := d.closed
	d.closed = true
	for _, far := range d.far {
		far.Close()
	}
	d.mu.Unlock()
	if !again {
		close(d.gone)
	}
	d.near.Close()
	d.all.Wait()
}

// carry sends what flies when it is time. All of a direction fly for as long, so they stay in order.
func (d *Datagrams) carry(fly <-chan flying) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var f flying
		select {
		case f = <-fly:
		case <-d.gone:
			return
		}
		timer.Reset(time.Until(f.at))
		select {
		case <-timer.C:
			f.send()
		case <-d.gone:
			return
		}
	}
}

// pass lets a datagram fly in a direction, or loses it.
func (d *Datagrams) pass(way int, send func()) {
	d.mu.Lock()
	at, passes := d.flows[way].take(time.Now())
	d.mu.Unlock()
	if !passes {
		return
	}
	select {
	case d.fly[way] <- flying{at, send}:
	default:
	}
}

// read takes what comes from the near side.
func (d *Datagrams) read() {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := d.near.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		data := append([]byte(nil), buf[:n]...)
		d.pass(0, func() {
			if far := d.towards(from); far != nil {
				_, _ = far.Write(data) // or it is lost
			}
		})
	}
}

// towards gives the socket that stands for a sender.
func (d *Datagrams) towards(from netip.AddrPort) *net.UDPConn {
	d.mu.Lock()
	defer d.mu.Unlock()
	if far := d.far[from]; far != nil || d.closed || len(d.far) >= maxFar {
		return far
	}
	far, err := net.DialUDP("udp4", nil, d.target)
	if err != nil {
		return nil
	}
	_ = far.SetReadBuffer(udpBuffer)
	d.far[from] = far
	d.all.Go(func() { d.back(far, from) })
	return far
}

// back takes what comes from the target to a sender. A target that is not there yet, or any more, is no end.
func (d *Datagrams) back(far *net.UDPConn, to netip.AddrPort) {
	buf := make([]byte, maxDatagram)
	for {
		n, err := far.Read(buf)
		if err != nil {
			select {
			case <-d.gone:
				return
			default:
				continue
			}
		}
		data := append([]byte(nil), buf[:n]...)
		d.pass(1, func() { _, _ = d.near.WriteToUDPAddrPort(data, to) })
	}
}
