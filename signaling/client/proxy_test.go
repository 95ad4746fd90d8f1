package client

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"landline/signaling"
	"landline/signaling/impair"
	"landline/signaling/server"
)

// wirePath is a TCP path to a relay that can be impaired, cut, and led elsewhere.
type wirePath struct {
	*impair.Proxy
	url string
}

// path opens a way to the relay at an address.
func path(t *testing.T, url string) *wirePath {
	t.Helper()
	p, err := impair.Listen(strings.TrimPrefix(url, "http://"), 1, impair.Link{}, impair.Link{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &wirePath{p, "http://" + p.Addr()}
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
		p.SetTarget(strings.TrimPrefix(nextFront.URL, "http://"))
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
