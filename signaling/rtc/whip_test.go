package rtc

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"landline/media"
	"landline/relay"
)

// What WHIP publishes arrives at a member unchanged, and what a member sends arrives at a viewer by WHEP.
func TestMediaCrossesBothWays(t *testing.T) {
	l := newLab(t)
	ann := l.join("ann")
	cam := newPeer(t)
	picture, sound := cam.sends(media.VP8), cam.sends(media.Opus)
	if resp := l.post(cam, "/whip/room", "tok"); resp.StatusCode != http.StatusCreated || cam.etag == "" {
		t.Fatal(resp.Status)
	}
	cam.connected()
	viewer := newPeer(t)
	viewer.receives(webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio)
	if resp := l.post(viewer, "/whep/room/Cam", "tok"); resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status)
	}
	viewer.connected()
	for i := range 60 {
		picture(video(i))
		sound(media.Frame{Timestamp: int64(i) * 20_000, Key: true, Data: []byte{0xfc, byte(i)}})
		time.Sleep(10 * time.Millisecond)
	}
	until(t, "all frames at the member", func() bool {
		ann.pull()
		return len(ann.frames[media.VP8]) == 60 && len(ann.frames[media.Opus]) == 60
	})
	for i, data := range ann.frames[media.VP8] {
		if !bytes.Equal(data, video(i).Data) {
			t.Fatalf("frame %d has %d bytes, want %d", i, len(data), len(video(i).Data))
		}
	}
	until(t, "frames at the viewer", func() bool { return viewer.got(media.VP8) >= 50 && viewer.got(media.Opus) >= 50 })
	var members []relay.MemberStats
	for _, r := range l.relay.Snapshot() {
		members = r.Members
	}
	hidden := 0
	for _, m := range members {
		if m.Hidden {
			hidden++
			if m.Traffic.Out(relay.WebRTC) == 0 || m.Traffic.Out(relay.WebSocket) != 0 {
				t.Error("the viewer's bytes are counted under another path")
			}
		}
	}
	if hidden != 1 || len(members) != 3 {
		t.Errorf("%d members, %d hidden", len(members), hidden)
	}
	if resp, _ := l.do("DELETE", cam.location, "tok", "", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("DELETE: %s", resp.Status)
	}
	until(t, "the publisher is gone", func() bool { ann.pull(); return ann.has(relay.MemberLeft) })
}

func (m *member) has(k relay.EventKind) bool {
	for _, e := range m.events {
		if e.Kind == k {
			return true
		}
	}
	return false
}

// A viewer's PLI becomes a request at the publisher's, and that of a member becomes a PLI at a WHIP publisher.
func TestKeyFrameRequestsCrossBothWays(t *testing.T) {
	l := newLab(t)
	ann := l.join("ann")
	write := ann.writes(t, "camera", vp8Format)
	viewer := newPeer(t)
	viewer.receives(webrtc.RTPCodecTypeVideo)
	l.post(viewer, "/whep/room/ann", "tok")
	viewer.connected()
	i := 0
	until(t, "the first frames", func() bool { write(video(i)); i++; return viewer.got(media.VP8) > 5 })
	ann.pull()
	ann.events = nil
	viewer.mu.Lock()
	ssrc := viewer.ssrcs[media.VP8]
	viewer.mu.Unlock()
	until(t, "a request", func() bool {
		if err := viewer.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}}); err != nil {
			t.Fatal(err)
		}
		ann.pull()
		return ann.has(relay.Feedback)
	})

	cam := newPeer(t)
	picture := cam.sends(media.VP8)
	l.post(cam, "/whip/room", "tok")
	cam.connected()
	asked := make(chan struct{}, 100)
	go func() {
		for {
			packets, _, err := cam.GetSenders()[0].ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				if _, ok := p.(*rtcp.PictureLossIndication); ok {
					asked <- struct{}{}
				}
			}
		}
	}()
	picture(video(0))
	until(t, "the track", func() bool { ann.pull(); return len(ann.frames[media.VP8]) > 0 })
	var whip string
	for _, e := range ann.events {
		if e.Kind == relay.TrackAdded {
			whip = e.Member
		}
	}
	if err := ann.KeyFrame(whip, "video"); err != nil {
		t.Fatal(err)
	}
	if err := ann.KeyFrame(whip, "video"); err != nil { // the first was answered from the group
		t.Fatal(err)
	}
	select {
	case <-asked:
	case <-time.After(20 * time.Second):
		t.Error("no PLI")
	}
}

func TestRequestsAreAnsweredWithTheirStatus(t *testing.T) {
	l := newLab(t)
	cam := newPeer(t)
	cam.sends(media.VP8)
	l.post(cam, "/whip/room", "tok")
	sdp, frag := "application/sdp", "application/trickle-ice-sdpfrag"
	offer := cam.LocalDescription().SDP
	for _, c := range []struct {
		name, method, path, bearer, kind, body string
		header                                 []string
		want                                   int
	}{
		{"no token", "POST", "/whip/room", "", sdp, offer, nil, 401},
		{"no grant", "POST", "/whip/room", "no", sdp, offer, nil, 403},
		{"another type", "POST", "/whip/room", "tok", "text/plain", offer, nil, 415},
		{"not SDP", "POST", "/whip/room", "tok", sdp, "hello", nil, 400},
		{"not SDP, to watch", "POST", "/whep/room", "tok", sdp, "hello", nil, 400},
		{"nothing", "POST", "/whip/room", "tok", sdp, "", nil, 400},
		{"too large", "POST", "/whip/room", "tok", sdp, strings.Repeat("a", maxBody+1), nil, 413},
		{"a bad room", "POST", "/whip/-", "tok", sdp, offer, nil, 404},
		{"WHIP that receives", "POST", "/whip/room", "tok", sdp, strings.ReplaceAll(offer, "a=sendonly", "a=recvonly"), nil, 400},
		{"WHEP that sends", "POST", "/whep/room", "tok", sdp, offer, nil, 400},
		{"no codec", "POST", "/whep/room", "tok", sdp, strings.ReplaceAll(strings.ReplaceAll(offer, "a=sendonly", "a=recvonly"), "a=rtpmap:", "a=rtpmapp:"), nil, 406},
		{"GET", "GET", "/whip/room", "tok", "", "", nil, 405},
		{"trickle", "PATCH", cam.location, "tok", frag, "a=candidate:1 1 udp 1 169.254.169.254 80 typ host\r\n", []string{"If-Match", cam.etag}, 204},
		{"trickle without ETag", "PATCH", cam.location, "tok", frag, "", nil, 428},
		{"trickle with another ETag", "PATCH", cam.location, "tok", frag, "", []string{"If-Match", `"x"`}, 412},
		{"restart", "PATCH", cam.location, "tok", frag, "a=ice-ufrag:abcd\r\n", []string{"If-Match", cam.etag}, 422},
		{"restart by *", "PATCH", cam.location, "tok", frag, "", []string{"If-Match", "*"}, 422},
		{"restart with a short password", "PATCH", cam.location, "tok", frag, "a=ice-ufrag:abcd\r\na=ice-pwd:short\r\n", []string{"If-Match", "*"}, 422},
		{"PATCH of another type", "PATCH", cam.location, "tok", sdp, "", []string{"If-Match", cam.etag}, 415},
		{"a stranger's PATCH", "PATCH", cam.location, "other", frag, "", []string{"If-Match", cam.etag}, 404},
		{"a stranger's DELETE", "DELETE", cam.location, "other", "", "", nil, 404},
		{"DELETE without a token", "DELETE", cam.location, "", "", "", nil, 401},
		{"DELETE by the other kind", "DELETE", strings.Replace(cam.location, "whip", "whep", 1), "tok", "", "", nil, 404},
		{"DELETE of nothing", "DELETE", "/whip/room/session/x", "tok", "", "", nil, 404},
		{"DELETE", "DELETE", cam.location, "tok", "", "", nil, 200},
	} {
		if resp, text := l.do(c.method, c.path, c.bearer, c.kind, c.body, c.header...); resp.StatusCode != c.want {
			t.Errorf("%s: %s %s, want %d", c.name, resp.Status, text, c.want)
		}
	}
	until(t, "nothing is left", func() bool { return l.port.Stats().Open == 0 && len(l.relay.Snapshot()) == 0 })
}

// One token holds so many sessions, and those that never connect end by themselves.
func TestSessionsAreCappedAndReaped(t *testing.T) {
	l := newLab(t)
	cam := newPeer(t)
	cam.sends(media.VP8)
	offer, err := cam.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := cam.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for i := range maxOwned + 1 {
		resp, text := l.do("POST", "/whip/room", "tok", "application/sdp", offer.SDP)
		if want := map[bool]int{true: 201, false: 503}[i < maxOwned]; resp.StatusCode != want {
			t.Fatalf("%d: %s %s", i, resp.Status, text)
		}
	}
	if resp, _ := l.do("POST", "/whip/room", "other", "application/sdp", offer.SDP); resp.StatusCode != 201 {
		t.Errorf("another token: %s", resp.Status)
	}
	until(t, "all are reaped", func() bool { return l.port.Stats().Open == 0 && len(l.relay.Snapshot()) == 0 })
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("reaped after %v", took)
	}
	if l.port.Stats().Never != maxOwned+1 {
		t.Errorf("%+v", l.port.Stats())
	}
}

// Broken offers and broken RTP end nothing but themselves.
func TestHostileOffersAndPackets(t *testing.T) {
	l := newLab(t)
	ann := l.join("ann")
	cam := newPeer(t)
	picture := cam.sends(media.VP8)
	track := cam.GetSenders()[0].Track().(*webrtc.TrackLocalStaticRTP)
	l.post(cam, "/whip/room", "tok")
	cam.connected()
	offer := cam.LocalDescription().SDP
	for _, bad := range []string{
		strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", 1000), strings.Repeat("a=x\r\n", 5000),
		strings.ReplaceAll(offer, "a=mid:0", "a=mid:"), strings.ReplaceAll(offer, "a=fingerprint:", "a=fingerprin:"),
		strings.ReplaceAll(offer, "a=ice-ufrag:", "a=ice-ufra:"), strings.ReplaceAll(offer, "a=rtpmap:96 ", "a=rtpmap:99999999999 "),
		offer[:len(offer)/2], "\x00" + offer, "v=0\r\n", "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
	} {
		if resp, _ := l.do("POST", "/whip/room", "tok", "application/sdp", bad); resp.StatusCode != 400 && resp.StatusCode != 406 && resp.StatusCode != 201 {
			t.Errorf("%s for %.60q", resp.Status, bad)
		}
	}
	for range 20 {
		for _, p := range garbage(media.VP8) {
			if err := track.WriteRTP(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	i := 0
	until(t, "frames go on", func() bool {
		picture(video(i * 10))
		i++
		ann.pull()
		return len(ann.frames[media.VP8]) > 3
	})
}

// A publisher and a viewer whose packets stop without a word are gone within 15 s.
func TestSilentSessionsEnd(t *testing.T) {
	l := newLab(t)
	socket := func() (*net.UDPConn, *peer) {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		var s webrtc.SettingEngine
		mux := webrtc.NewICEUDPMux(nil, conn)
		s.SetICEUDPMux(mux)
		t.Cleanup(func() { _ = mux.Close() })
		return conn, newPeerOn(t, s)
	}
	one, cam := socket()
	two, viewer := socket()
	cam.sends(media.VP8)
	viewer.receives(webrtc.RTPCodecTypeVideo)
	l.post(cam, "/whip/room", "tok")
	l.post(viewer, "/whep/room", "tok")
	cam.connected()
	viewer.connected()
	until(t, "both are open", func() bool { return l.port.Stats().Open == 2 })
	began := time.Now()
	_, _ = one.Close(), two.Close()
	until(t, "both are gone", func() bool { return l.port.Stats().Open == 0 && len(l.relay.Snapshot()) == 0 })
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("after %v", took)
	}
}

// The addresses that the operator names are announced, and no others.
func TestAnnouncedAddresses(t *testing.T) {
	l := newLabAt(t, "192.0.2.7", "2001:db8::7")
	cam := newPeer(t)
	cam.sends(media.VP8)
	l.post(cam, "/whip/room", "tok")
	answer := cam.RemoteDescription().SDP
	if !strings.Contains(answer, " 192.0.2.7 ") || !strings.Contains(answer, "a=ice-lite") {
		t.Errorf("the answer:\n%s", answer)
	}
	for line := range strings.Lines(answer) {
		if strings.HasPrefix(line, "a=candidate:") && strings.Contains(line, "127.0.0.1") {
			t.Errorf("announced: %s", line)
		}
	}
}
