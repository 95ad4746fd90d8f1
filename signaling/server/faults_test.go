package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/signaling"
	"landline/signaling/rtc"
)

// cause asks for a fault from an address, and returns the status and what was said.
func cause(s *Server, path, from string) (int, string) {
	req := httptest.NewRequest(http.MethodPost, path, nil)
	req.RemoteAddr = from
	answer := httptest.NewRecorder()
	s.Handler().ServeHTTP(answer, req)
	return answer.Code, answer.Body.String()
}

// happens asks for a fault that must come about.
func happens(t *testing.T, s *Server, path string) {
	t.Helper()
	if code, why := cause(s, path, "127.0.0.1:1"); code != http.StatusNoContent {
		t.Fatalf("%s: %d %s", path, code, why)
	}
}

func TestFaultsAreForTheServersOwnMachine(t *testing.T) {
	s, url := start(t, Config{WebRTC: testPort(t), Faults: true})
	harmless, _ := start(t, Config{WebRTC: testPort(t)})
	bare, _ := start(t, Config{Faults: true})
	_, ann := enter(t, url, "kitchen", "")
	on := func(fault, more string) string { return "/debug/" + fault + "/kitchen/" + ann.Self.ID + more }
	for _, c := range []struct {
		name, path, from string
		server           *Server
		want             int
	}{
		{"not asked for", "/debug/udp-cut/true", "127.0.0.1:1", harmless, http.StatusMethodNotAllowed},
		{"not asked for", on("ws-cut", ""), "127.0.0.1:1", harmless, http.StatusMethodNotAllowed},
		{"from elsewhere", "/debug/udp-cut/true", "192.0.2.1:1", s, http.StatusForbidden},
		{"from elsewhere", on("ws-cut", ""), "192.0.2.1:1", s, http.StatusForbidden},
		{"from elsewhere", on("ws-stall", "/100"), "192.0.2.1:1", s, http.StatusForbidden},
		{"nonsense", "/debug/udp-cut/perhaps", "[::1]:1", s, http.StatusBadRequest},
		{"no WebRTC", "/debug/udp-cut/true", "[::1]:1", bare, http.StatusConflict},
		{"no such room", "/debug/ws-cut/attic/" + ann.Self.ID, "[::1]:1", s, http.StatusNotFound},
		{"no such member", "/debug/ws-cut/kitchen/m-none", "[::1]:1", s, http.StatusNotFound},
		{"no time", on("ws-stall", "/0"), "[::1]:1", s, http.StatusBadRequest},
		{"too long", on("ws-stall", "/60001"), "[::1]:1", s, http.StatusBadRequest},
		{"no number", on("ws-stall", "/-1"), "[::1]:1", s, http.StatusBadRequest},
		{"from elsewhere", on("path", "/webrtc"), "192.0.2.1:1", s, http.StatusForbidden},
		{"no such path", on("path", "/both"), "[::1]:1", s, http.StatusBadRequest},
		{"takes none", on("path", "/webrtc"), "[::1]:1", s, http.StatusConflict},
		{"cut", "/debug/udp-cut/true", "127.0.0.1:1", s, http.StatusNoContent},
		{"restored", "/debug/udp-cut/false", "[::1]:1", s, http.StatusNoContent},
	} {
		if got, why := cause(c.server, c.path, c.from); got != c.want || (got >= 400) != (why != "") {
			t.Errorf("%s, %s: %d %q, want %d", c.path, c.name, got, why, c.want)
		}
	}
}

// TestAWebSocketIsCut: it is reset, others hear of it, and the member comes back by its resume token.
func TestAWebSocketIsCut(t *testing.T) {
	trusting := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // its own certificate
	for name, up := range map[string]func(*httptest.Server){"plain": plain, "TLS": (*httptest.Server).StartTLS} {
		t.Run(name, func(t *testing.T) {
			s, url := startWith(t, Config{Faults: true}, protocolTimes, up)
			bob, _ := dialBy(t, url, trusting).enter("kitchen", "")
			ann, first := dialBy(t, url, trusting).enter("kitchen", `"name":"Ann"`)
			await[signaling.MemberJoined](bob)
			happens(t, s, "/debug/ws-cut/kitchen/"+first.Self.ID)
			var err error
			for err == nil {
				_, _, err = ann.next()
			}
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("what is cut ends with %v", err)
			}
			if m := await[signaling.MemberState](bob); m.ID != first.Self.ID || m.State != "reconnecting" {
				t.Fatalf("of who was cut others hear %+v", m)
			}
			answer, err := dialBy(t, url, trusting).try("kitchen", first.Resume)
			if again, ok := answer.(*signaling.Joined); !ok || err != nil || !again.Resumed {
				t.Fatalf("it comes back with %+v, %v", answer, err)
			}
			if m := await[signaling.MemberState](bob); m.State != "online" {
				t.Fatalf("of who is back others hear %+v", m)
			}
			if n := s.stats.resumes.Load(); n != 1 {
				t.Errorf("%d resumes", n)
			}
		})
	}
}

// TestAWebSocketStandsStill: nothing goes either way, others are as before, and all of it comes when it goes on.
func TestAWebSocketStandsStill(t *testing.T) {
	s, url := start(t, Config{Faults: true})
	ann, joined := enter(t, url, "r", `"publish":[`+mic+`]`)
	alias := joined.Self.Tracks[0].Layers[0].Alias
	cyd, _ := enter(t, url, "r", `"subscribe":[{"maxAgeMs":30000}]`)
	bob, still := enter(t, url, "r", `"subscribe":[{"maxAgeMs":30000}]`)
	const packets = 20
	packet := func(n uint32) []byte { return audio(alias, n, fmt.Appendf(nil, "packet %d", n)) }
	send := func(from, to uint32, readers ...*probe) {
		t.Helper()
		for n := from; n <= to; n++ {
			ann.binary(packet(n))
			for _, r := range readers {
				if got := r.awaitMedia(); !slices.Equal(got, packet(n)) {
					t.Fatalf("packet %d: %q", n, got)
				}
			}
		}
	}
	send(1, packets, cyd, bob)
	out := func() uint64 { return status(t, url, still.Self.ID).Paths[0].BytesOut }
	before := out()

	happens(t, s, "/debug/ws-stall/r/"+still.Self.ID+"/60000")
	bob.text(`{"type":"chat","text":"from a standstill"}`)
	send(packets+1, 2*packets, cyd)
	ann.text(`{"type":"chat","text":"before it"}`)
	if m := await[signaling.Chat](cyd); m.Text != "before it" {
		t.Errorf("what stands still says %q", m.Text)
	}
	if now := out(); now != before {
		t.Errorf("%d bytes went to what stands still", now-before)
	}

	happens(t, s, "/debug/ws-stall/r/"+still.Self.ID+"/1") // instead of the long one
	for n := uint32(packets + 1); n <= 2*packets; n++ {
		if got := bob.awaitMedia(); !slices.Equal(got, packet(n)) {
			t.Fatalf("packet %d, when it goes on: %q", n, got)
		}
	}
	if m := await[signaling.Chat](cyd); m.Text != "from a standstill" {
		t.Errorf("what goes on says %q", m.Text)
	}
	if out() == before {
		t.Error("what went to it when it went on was not counted")
	}
}

// aside is a member who receives by a PeerConnection beside its session, and asks for the path that it is told.
type aside struct {
	*probe
	of string // the publisher
}

// besideOf joins, and makes a PeerConnection by which all comes that comes over the WebSocket.
func besideOf(t *testing.T, url, publisher string) (a *aside, id string) {
	t.Helper()
	p := dial(t, url)
	p.text(`{"type":"hello","version":1,"decode":{"ws":["opus"],"webrtc":["opus"]}}`)
	p.text(`{"type":"join","room":"r","subscribe":[{}]}`)
	joined := await[signaling.Joined](p)
	keepSecret(joined.Resume)
	quiet := signaling.SideEnds{Send: func(any) {}, Frame: func(string, string, signaling.SideFrame) {}, Ended: func(string, string) {},
		Sent: func(string) {}, KeyWanted: func(string) {}, Over: func(string) {}}
	offer, _, side, err := (&rtc.Dialer{Receive: 1}).Offer(nil, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(side.Close)
	offer.Req, offer.Both = 1, true
	p.text(string(signaling.Encode(offer)))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := side.Connect(ctx, await[signaling.RTCAnswer](p).SDP); err != nil {
		t.Fatal(err)
	}
	return &aside{p, publisher}, joined.Self.ID
}

// obeys waits until it is told a path, and asks for it.
func (a *aside) obeys(path string) {
	a.t.Helper()
	if m := await[signaling.RTCForce](a.probe); m.Path != path {
		a.t.Fatalf("told %+v", m)
	}
	a.text(fmt.Sprintf(`{"type":"rtcPath","member":%q,"path":%q}`, a.of, path))
}

// TestAPathIsForced: a member is told the path, and what it is sent goes that way alone, by the relay's counters.
func TestAPathIsForced(t *testing.T) {
	s, url := start(t, Config{WebRTC: testPort(t), Faults: true})
	ann, joined := enter(t, url, "r", `"publish":[`+mic+`]`)
	alias := joined.Self.Tracks[0].Layers[0].Alias
	bob, id := besideOf(t, url, joined.Self.ID)
	sent := func() (by map[string]uint64) {
		by = map[string]uint64{}
		for _, p := range status(t, url, id).Paths {
			by[p.Path] = p.BytesOut
		}
		return by
	}
	var n uint32
	for range 3 {
		for path, other := range map[string]string{"websocket": "webrtc", "webrtc": "websocket"} {
			happens(t, s, "/debug/path/r/"+id+"/"+path)
			bob.obeys(path)
			alone := 0
			for end := time.Now().Add(patience); alone < 5; { // looks in a row at which the one grew and the other did not
				before := sent()
				for range 5 {
					n++
					ann.binary(audio(alias, n, []byte("opus")))
				}
				ann.text(`{"type":"chat","text":"so far"}`)
				await[signaling.Chat](bob.probe)
				if now := sent(); now[other] == before[other] && now[path] > before[path] {
					alone++
				} else {
					alone = 0
				}
				if time.Now().After(end) {
					t.Fatalf("told %s, it is sent %v", path, sent())
				}
			}
		}
	}
	if open, _, _, _ := s.cfg.WebRTC.Counts(); open != 1 {
		t.Errorf("%d PeerConnections", open)
	}
}
