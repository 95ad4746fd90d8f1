package rtc

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"landline/media"
)

// patch restarts ICE of a session as RFC 9725 section 4.3.3 has it, from new sockets.
func (l *lab) patch(p *peer, match string) *http.Response {
	l.t.Helper()
	before := p.RemoteDescription().SDP
	offer, err := p.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		l.t.Fatal(err)
	}
	if err := p.SetLocalDescription(offer); err != nil {
		l.t.Fatal(err)
	}
	<-webrtc.GatheringCompletePromise(p.PeerConnection)
	resp, fragment := l.do("PATCH", p.location, "tok", fragmentType, fragmentOf(p.LocalDescription().SDP), "If-Match", match)
	if resp.StatusCode != http.StatusOK {
		l.t.Fatalf("%s: %s", resp.Status, fragment)
	}
	c := credentialsOf(fragment)
	var candidates strings.Builder
	for line := range strings.Lines(fragment) {
		if strings.HasPrefix(line, candidateLine) {
			candidates.WriteString(line)
		}
	}
	answer := strings.Replace(c.in(before), pwdLine, candidates.String()+pwdLine, 1)
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		l.t.Fatalf("%v\n%s", err, answer)
	}
	p.etag = resp.Header.Get("ETag")
	return resp
}

// A publisher and a viewer go on from another address: the same session, member and tracks.
func TestICERestartsInASession(t *testing.T) {
	l := newLab(t)
	ann := l.join("ann")
	cam, viewer := newPeer(t), newPeer(t)
	picture := cam.sends(media.VP8)
	l.post(cam, "/whip/room", "tok")
	cam.connected()
	viewer.receives(webrtc.RTPCodecTypeVideo)
	l.post(viewer, "/whep/room/Cam", "tok")
	viewer.connected()
	i := 0
	// Media that comes in the moment of a change of address is lost, as on any network.
	comes := func(what string) {
		t.Helper()
		ann.pull()
		seen, viewed := len(ann.frames[media.VP8]), viewer.got(media.VP8)
		until(t, what, func() bool {
			picture(video(10 * i)) // each is a key frame
			i++
			ann.pull()
			return len(ann.frames[media.VP8]) > seen+10 && viewer.got(media.VP8) > viewed+10
		})
	}
	comes("media")
	for _, p := range []*peer{cam, viewer} {
		old, oldAt := p.etag, selected(p)
		if l.patch(p, "*"); p.etag == old || p.etag == "" {
			t.Fatalf("the ETag is %q", p.etag)
		}
		until(t, "another way", func() bool { at := selected(p); return at != "" && at != oldAt })
		comes("media after a restart")
		if resp, _ := l.do("PATCH", p.location, "tok", fragmentType, "", "If-Match", old); resp.StatusCode != http.StatusPreconditionFailed {
			t.Errorf("the old ETag: %s", resp.Status)
		}
		if resp, _ := l.do("PATCH", p.location, "tok", fragmentType, fragmentOf(p.LocalDescription().SDP), "If-Match", p.etag); resp.StatusCode != http.StatusNoContent {
			t.Errorf("candidates with the new one: %s", resp.Status)
		}
	}
	if n := l.port.Stats().Open; n != 2 {
		t.Errorf("%d PeerConnections", n)
	}
}

// selected is the peer's address of the pair that carries media; "" while there is none.
func selected(p *peer) string {
	tr := p.GetTransceivers()[0]
	var transport *webrtc.DTLSTransport
	if tr.Direction() == webrtc.RTPTransceiverDirectionSendonly {
		transport = tr.Sender().Transport()
	} else {
		transport = tr.Receiver().Transport()
	}
	pair, err := transport.ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return ""
	}
	return pair.Local.Address + " " + strconv.Itoa(int(pair.Local.Port))
}

// FuzzFragment holds that what a stranger says of ICE can put nothing but credentials into a description.
func FuzzFragment(f *testing.F) {
	const offer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=sendonly\r\n"
	f.Add("a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n")
	f.Add("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:ysXw\na=ice-pwd:short\n")
	f.Add("a=ice-ufrag:a\rb\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k a=x")
	f.Fuzz(func(t *testing.T, fragment string) {
		c := credentialsOf(fragment)
		if c == (credentials{}) {
			return
		}
		got := c.in(offer)
		if credentialsOf(got) != c || strings.Count(got, "\n") != strings.Count(offer, "\n")-1 {
			t.Errorf("%q becomes %q", fragment, got)
		}
		if fragmentOf(got) != "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"+ufragLine+c.ufrag+"\r\n"+pwdLine+c.pwd+"\r\n" {
			t.Errorf("%q", fragmentOf(got))
		}
	})
}
