package client

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/signaling"
	"landline/signaling/server"
)

// wirePath is a TCP path to a relay that can be cut.
type wirePath struct {
	url    string
	target string
	ln     net.Listener

	mu    sync.Mutex
	rate  int // bytes a second towards the relay; 0 = any
	conns []net.Conn
	all   sync.WaitGroup
}

// path opens a way to the relay at an address.
func path(t *testing.T, url string) *wirePath {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &wirePath{url: "http://" + ln.Addr().String(), target: strings.TrimPrefix(url, "http://"), ln: ln}
	p.all.Go(p.accept)
	t.Cleanup(func() {
		ln.Close()
		p.cut()
		p.all.Wait()
	})
	return p
}

func (p *wirePath) accept() {
	for {
		in, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target := p.target
		p.mu.Unlock()
		out, err := net.Dial("tcp", target)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		rate := p.rate
		p.mu.Unlock()
		p.all.Go(func() { carry(in, out, 0) })
		p.all.Go(func() { carry(out, in, rate) })
	}
}

// carry copies until either end is closed, at most at a rate in bytes a second.
func carry(to, from net.Conn, rate int) {
	defer to.Close()
	defer from.Close()
	if rate == 0 {
		_, _ = io.Copy(to, from)
		return
	}
	_ = from.(*net.TCPConn).SetReadBuffer(8 << 10)
	const step = 10 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	for range tick.C {
		if n, err := io.CopyN(to, from, int64(rate)*int64(step)/int64(time.Second)); n == 0 || err != nil {
			return
		}
	}
}

// cut resets every connection.
func (p *wirePath) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	p.conns = nil
}

// slow bounds what later connections carry towards the relay, in bytes a second.
func (p *wirePath) slow(rate int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = rate
}

// lead makes later connections go elsewhere.
func (p *wirePath) lead(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = strings.TrimPrefix(url, "http://")
}

// restartable is a relay that can be replaced by an empty one behind the same path.
func restartable(t *testing.T) (p *wirePath, restart func()) {
	t.Helper()
	relay := server.New(server.Config{})
	front := httptest.NewServer(relay.Handler())
	p = path(t, front.URL)
	t.Cleanup(func() { // runs before the path is closed
		relay.Close()
		front.Close()
	})
	return p, func() {
		next := server.New(server.Config{})
		nextFront := httptest.NewServer(next.Handler())
		p.lead(nextFront.URL)
		relay.Close()
		front.Close()
		relay, front = next, nextFront
	}
}

// script runs a relay that a test plays by hand: it reads hello and join, and then does as it is told.
func script(t *testing.T, play func(ws *websocket.Conn)) string {
	t.Helper()
	up := websocket.Upgrader{Subprotocols: []string{signaling.Subprotocol}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for range 2 {
			if _, _, err := ws.ReadMessage(); err != nil {
				return
			}
		}
		play(ws)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

const scriptedJoined = `{"type":"joined","room":"lab","resumed":false,"resume":"r-1","graceMs":30000,"grants":["publish","subscribe","data"],
"self":{"id":"m-1","name":"me","state":"online","tracks":[]},"members":[{"id":"m-2","name":"Bob","state":"online","tracks":[
{"id":"video","kind":"video","source":"camera","codec":"vp8","codecString":"vp8","layers":[{"alias":7}],"clock":{"us":0,"wallUs":1}}]}]}`
