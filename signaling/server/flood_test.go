package server

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
)

// floods are members who send all they can until the server has enough of them, or the call is over.
var floods = map[string]struct {
	join string // the rest of the join message
	over bool   // the server closes it; the others are only slowed down
	send func(put func(kind int, b []byte) bool, joined *signaling.Joined)
}{
	"big key frames": {`,"publish":[` + camera + `]`, false, func(put func(int, []byte) bool, joined *signaling.Joined) {
		chunks := patterned(joined.Self.Tracks[0].Layers[0].Alias, 1, 0, 500_000)
		for group := uint32(1); ; group++ {
			for _, m := range chunks {
				m[4], m[5], m[6], m[7] = byte(group>>24), byte(group>>16), byte(group>>8), byte(group)
				if !put(websocket.BinaryMessage, m) {
					return
				}
			}
		}
	}},
	"tiny audio": {`,"publish":[` + mic + `]`, false, func(put func(int, []byte) bool, joined *signaling.Joined) {
		for group := uint32(1); put(websocket.BinaryMessage, audio(joined.Self.Tracks[0].Layers[0].Alias, group, []byte{0})); {
			group++
		}
	}},
	"chat": {"", false, func(put func(int, []byte) bool, _ *signaling.Joined) {
		for put(websocket.TextMessage, []byte(`{"type":"chat","text":"spam, spam, spam, egg and spam"}`)) {
		}
	}},
	"mute": {`,"publish":[` + mic + `]`, false, func(put func(int, []byte) bool, _ *signaling.Joined) {
		for n := 0; put(websocket.TextMessage, fmt.Appendf(nil, `{"type":"mute","track":"mic","muted":%v}`, n%2 == 0)); n++ {
		}
	}},
	"publish": {"", false, func(put func(int, []byte) bool, _ *signaling.Joined) {
		for put(websocket.TextMessage, []byte(`{"type":"publish","tracks":[`+mic+`]}`)) && put(websocket.TextMessage, []byte(`{"type":"unpublish","track":"mic"}`)) {
		}
	}},
	"unknown aliases": {"", true, func(put func(int, []byte) bool, _ *signaling.Joined) {
		for put(websocket.BinaryMessage, audio(65_000, 1, []byte("x"))) {
		}
	}},
	"pings": {"", true, func(put func(int, []byte) bool, _ *signaling.Joined) {
		for put(websocket.PingMessage, []byte("x")) {
		}
	}},
	"nonsense": {"", false, func(put func(int, []byte) bool, _ *signaling.Joined) {
		for put(websocket.TextMessage, []byte(`{"type":"keyframe","member":"nobody","track":"camera"}`)) {
		}
	}},
}

// TestFloodsDoNotHurtACall: Ann speaks to Bob, packet after packet at a microphone's pace, while others in the room send all
// they can. Each flood is slowed down or closed by name, and nothing of Ann is lost.
func TestFloodsDoNotHurtACall(t *testing.T) {
	s, url := start(t, Config{})
	// The age is not the default's 300 ms, and the median below is generous, for the machine may have other things to do.
	bob, _ := enter(t, url, "r", `"name":"Bob","subscribe":[{"name":"Ann","priority":9,"maxAgeMs":3000},{}]`)
	ann, joined := enter(t, url, "r", `"name":"Ann","publish":[`+mic+`]`)
	go drainProbe(ann)
	alias := joined.Self.Tracks[0].Layers[0].Alias
	var heard [packets]time.Time
	heardAll := make(chan error, 1)
	go func() {
		var err error
		heard, err = hear(bob, alias)
		heardAll <- err
	}()
	over := make(chan struct{})
	ended := make(chan struct{}, 2*len(floods))
	wanted := uint64(0)
	for _, flood := range floods {
		p, joined := enter(t, url, "r", `"name":"Mallory"`+flood.join)
		if flood.over {
			wanted++
		}
		go func() {
			drainProbe(p)
			ended <- struct{}{}
		}()
		go func() {
			flood.send(func(kind int, b []byte) bool {
				select {
				case <-over:
					return false
				default:
					return p.write(kind, b) == nil
				}
			}, joined)
			ended <- struct{}{}
		}()
	}
	spoken := speak(ann, alias)
	if err := <-heardAll; err != nil {
		t.Fatal(err)
	}
	var late []time.Duration
	for n := range packets {
		late = append(late, heard[n].Sub(spoken[n]))
	}
	if slices.Sort(late); late[packets/2] > time.Second {
		t.Errorf("in the median Ann was heard %s late", late[packets/2])
	}
	if s.stats.throttled.Load() == 0 {
		t.Error("nobody was slowed down")
	}
	within(t, patience, "those who go too far are closed", func() bool { return s.closedWith(signaling.CloseFlood) == wanted })
	if slow := s.closedWith(signaling.CloseSlowControl); s.closedWith(0) != wanted+slow { // who cannot take the echo of its own flood
		t.Errorf("of %d floods %d were closed, %d of them for slow-control", len(floods), s.closedWith(0), slow)
	}
	close(over)
	s.Close()
	for range 2 * len(floods) {
		<-ended
	}
}

// closedWith counts the sessions that ended with a code, or with any for 0.
func (s *Server) closedWith(code signaling.CloseCode) (n uint64) {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	for c, count := range s.stats.closes {
		if c == code || code == 0 {
			n += count
		}
	}
	return n
}

// packets is how many Ann speaks, one every 20 ms.
const packets = 60

// hear has each of Ann's packets arrive, and returns when each did.
func hear(bob *probe, alias uint16) (at [packets]time.Time, err error) {
	for next := uint32(0); next < packets; {
		kind, msg, err := bob.next()
		if err != nil {
			return at, err
		}
		if kind != websocket.BinaryMessage || msg[0] != media.KindChunk {
			continue
		}
		c, err := media.ParseChunk(msg)
		if err != nil {
			return at, err
		}
		if c.Alias != alias {
			continue
		}
		if c.Group != next || !bytes.Equal(c.Payload, fmt.Appendf(nil, "packet %d", next)) {
			return at, fmt.Errorf("packet %d is not there, but %d: %q", next, c.Group, c.Payload)
		}
		at[next] = time.Now()
		next++
	}
	return at, nil
}

// speak sends the packets, and returns when.
func speak(ann *probe, alias uint16) (at [packets]time.Time) {
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for n := range uint32(packets) {
		at[n] = time.Now()
		ann.binary(audio(alias, n, fmt.Appendf(nil, "packet %d", n)))
		<-pace.C
	}
	return at
}
