package bench

import (
	"errors"
	"strings"
	"testing"
)

func TestMediaOfAnotherWayFailsByName(t *testing.T) {
	got := func(bytes, packets uint64) *tally {
		tl := newTally()
		tl.Video = kindTally{Bytes: bytes, Packets: packets, Lost: 1}
		return tl
	}
	for name, c := range map[string]struct {
		webRTC, webSocket float64 // by how much the relay's counters grew
		got               *tally
		says              string // "": it came over WebRTC
	}{
		"all of it":              {1100, 0, got(1000, 9), ""},
		"beside a word or two":   {100_000, 900, got(1000, 9), ""},
		"by sessions":            {0, 1100, got(0, 0), `path="webrtc"} grew by 0 bytes`},
		"nothing at all":         {0, 0, nil, "grew by 0 bytes"},
		"less than what came":    {900, 0, got(1000, 9), "and 1000 came"},
		"as much by sessions":    {1100, 1100, got(1000, 9), `path="websocket"} grew by 1100 bytes`},
		"somebody else's beside": {1100, 12, got(1000, 9), "somebody else"},
	} {
		r := &run{c: &Config{WebRTC: true}, report: &Report{}}
		before := &figures{out: map[string]float64{"webrtc": 5000, "websocket": 7000}}
		after := &figures{out: map[string]float64{"webrtc": 5000 + c.webRTC, "websocket": 7000 + c.webSocket}}
		err := r.proveWebRTC(before, after, c.got)
		if c.says != "" {
			if !errors.Is(err, ErrOtherWay) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", name, err, c.says)
			}
			continue
		}
		if p := r.report.Packets; err != nil || p == nil || p.Forwarded != 10 || p.Lost != 1 || p.BytesOut["webrtc"] != c.webRTC {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
	}
	ws := &run{c: &Config{}, report: &Report{}}
	if err := ws.proveWebRTC(nil, nil, nil); err != nil || ws.report.Packets != nil {
		t.Errorf("the WebSocket is not asked: %v", err)
	}
}
