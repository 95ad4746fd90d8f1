package impair

import (
	"net"
	"sync"
	"time"
)

// maxConns bounds the connections of a proxy; more are reset at once.
const maxConns = 4096

// Proxy listens on loopback and leads to a target. Its methods may be called by any goroutine.
type Proxy struct {
	ln    net.Listener
	seed  uint64
	first [2]Link // up and down, by which sockets are sized
	clock *clock
	all   sync.WaitGroup

	mu       sync.Mutex
	target   string
	up, down Link
	conns    map[*conn]struct{}
	count    uint64
	closed   bool
}

// conn is one connection and its other half.
type conn struct {
	clock          *clock
	client, server *net.TCPConn
	up, down       *way
	once           sync.Once
	gone           chan struct{} // closed when it was given up
}

// Listen opens a proxy to the address of a target, host and port. up is the direction towards the target. The sockets get buffers for
// the rates given here: a path that shall push back at once at a lower rate is opened with that, and set to the higher one.
func Listen(target string, seed uint64, up, down Link) (*Proxy, error) {
	up, down = up.sane(), down.sane()
	ln, err := listen(up, down)
	if err != nil {
		return nil, err
	}
	p := &Proxy{ln: ln, seed: seed, target: target, first: [2]Link{up, down}, up: up, down: down, conns: map[*conn]struct{}{},
		clock: &clock{start: time.Now()}}
	p.all.Go(p.accept)
	return p, nil
}

// Addr is the proxy's address, host and port.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.carry(client.(*net.TCPConn)) })
	}
}

// carry is the life of one connection.
func (p *Proxy) carry(client *net.TCPConn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := dial(target, p.first[0], p.first[1])
	if err != nil {
		drop(client)
		return
	}
	c := p.enter(client, server)
	if c == nil {
		drop(client)
		drop(server)
		return
	}
	var both sync.WaitGroup
	for _, w := range []*way{c.up, c.down} {
		both.Go(w.read)
		both.Go(w.write)
	}
	both.Wait()
	client.Close()
	server.Close()
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

// enter makes a connection known, or refuses it.
func (p *Proxy) enter(client, server *net.TCPConn) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.conns) >= maxConns {
		return nil
	}
	c := &conn{clock: p.clock, client: client, server: server, gone: make(chan struct{})}
	c.up = newWay(c, client, server, p.up, p.seed, 2*p.count)
	c.down = newWay(c, server, client, p.down, p.seed, 2*p.count+1)
	p.count++
	p.conns[c] = struct{}{}
	return c
}

// drop closes a socket with a reset.
func drop(c *net.TCPConn) {
	_ = c.SetLinger(0) // of a socket that may be gone
	c.Close()
}

// abort resets both sides.
func (c *conn) abort() {
	c.once.Do(func() {
		close(c.gone)
		drop(c.client)
		drop(c.server)
	})
}

// each does something to all connections.
func (p *Proxy) each(do func(*conn)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		do(c)
	}
}

// SetUp changes the direction towards the target, of present and later connections. What is under way is not recalled.
func (p *Proxy) SetUp(l Link) {
	l = l.sane()
	p.mu.Lock()
	p.up = l
	p.mu.Unlock()
	p.each(func(c *conn) { c.up.set(l) })
}

// SetDown changes the direction from the target.
func (p *Proxy) SetDown(l Link) {
	l = l.sane()
	p.mu.Lock()
	p.down = l
	p.mu.Unlock()
	p.each(func(c *conn) { c.down.set(l) })
}

// SetTarget leads later connections elsewhere.
func (p *Proxy) SetTarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Stall lets nothing pass in either direction for a time. Nothing is lost: then it goes on where it was. Buffers fill meanwhile.
func (p *Proxy) Stall(d time.Duration) {
	p.clock.stall(max(d, 0))
	p.wake()
}

// Silence is a stall until Resume: a path that has died and says nothing. Neither side learns of the other's end.
func (p *Proxy) Silence() {
	p.clock.stall(-1)
	p.wake()
}

// Resume ends a stall or a silence.
func (p *Proxy) Resume() {
	p.clock.resume()
	p.wake()
}

func (p *Proxy) wake() {
	p.each(func(c *conn) {
		tell(c.up.kick)
		tell(c.down.kick)
	})
}

// Cut resets every connection. What was under way is lost.
func (p *Proxy) Cut() { p.each((*conn).abort) }

// Held is how many bytes wait or are under way in each direction, kernel buffers aside.
func (p *Proxy) Held() (up, down int) {
	p.each(func(c *conn) {
		up += c.up.held()
		down += c.down.held()
	})
	return up, down
}

// Close ends it all, and returns when every goroutine has ended.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.ln.Close()
	p.Cut()
	p.all.Wait()
}
