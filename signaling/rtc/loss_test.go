package rtc

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"landline/media"
	"landline/media/rtp"
	"landline/signaling/impair"
)

// lossy puts a path between a peer and the port that loses a share of what passes, each way, 60 ms there and back.
func (l *lab) lossy(p *peer, seed uint64, loss float64) {
	l.t.Helper()
	air := impair.Air{Loss: loss, Delay: 30 * time.Millisecond}
	d, err := impair.ListenUDP(l.addr.String(), seed, air, air)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(d.Close)
	p.via = func(sdp string) string { return through(sdp, d.Addr()) }
}

// newBrowserLike is a peer that does what browsers do where packets are lost: it asks for sound as well, and takes late answers.
func newBrowserLike(t *testing.T) *peer {
	t.Helper()
	m, err := mediaEngine()
	if err != nil {
		t.Fatal(err)
	}
	var s webrtc.SettingEngine
	s.SetSRTPReplayProtectionWindow(replayWindow)
	return newPeerWith(t, s, m)
}

// answers has a peer send again what it is asked for.
func (p *peer) answers() {
	for _, s := range p.GetSenders() {
		go func() {
			for {
				if _, _, err := s.ReadRTCP(); err != nil {
					return
				}
			}
		}()
	}
}

var candidate = regexp.MustCompile(`(?m)^(a=candidate:\S+ \d udp \d+) \S+ \d+ `)

// through names another address in place of those of an answer.
func through(sdp string, addr *net.UDPAddr) string {
	return candidate.ReplaceAllString(sdp, fmt.Sprintf("${1} %s %d ", addr.IP, addr.Port))
}

// A tenth of the datagrams of a publisher is lost, each way: nearly all of its sound and picture arrives all the same, and no picture without
// those that it builds upon.
func TestAMemberIsSparedThePublishersLoss(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.port.wait = patient
	ann := l.join("ann")
	cam := newBrowserLike(t)
	l.lossy(cam, 7, 0.1)
	picture, sound := cam.sends(media.VP8), cam.sends(media.Opus)
	cam.answers()
	l.post(cam, "/whip/room", "tok")
	cam.connected()
	sent := inTime(t, 150, picture, sound, func() (pictures, sounds int) {
		ann.pull()
		return len(ann.frames[media.VP8]), len(ann.frames[media.Opus])
	})
	next := -1
	for _, data := range ann.frames[media.VP8] {
		i := len(data) - len(video(0).Data)
		if i < 0 {
			i = len(data) - len(video(1).Data) + 1
		}
		if i < 0 || i >= sent || !bytes.Equal(data, video(i).Data) {
			t.Fatalf("a frame of %d bytes that nobody sent", len(data))
		}
		if i != next && !video(i).Key {
			t.Errorf("picture %d without the one before it", i)
		}
		next = i + 1
	}
}

// The same of a viewer: what it asks for again it is sent, sound as well.
func TestAViewersLossIsMended(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ann := l.join("ann")
	picture, sound := ann.writes(t, "camera", vp8Format), ann.writes(t, "mic", opusFormat)
	viewer := newBrowserLike(t)
	l.lossy(viewer, 8, 0.1)
	viewer.receives(webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio)
	l.post(viewer, "/whep/room/ann", "tok")
	viewer.connected()
	inTime(t, 150, picture, sound, func() (pictures, sounds int) { return viewer.got(media.VP8), viewer.got(media.Opus) })
}

// patient is a wait that no busy machine uses up.
const patient = 5 * time.Second

// inTime sends n pictures and packets of sound at 50 a second, and then more until so many have come, but for the few before the first that was
// seen: the last may be lost, of which nobody knows before the next.
func inTime(t *testing.T, n int, picture, sound func(media.Frame), got func() (pictures, sounds int)) (sent int) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; sent++ {
		pictures, sounds := got()
		if sent >= n && pictures >= n-20 && sounds >= n-20 {
			return sent
		}
		if time.Now().After(end) {
			t.Fatalf("%d pictures and %d packets of sound of %d came", pictures, sounds, sent)
		}
		<-tick.C
		picture(video(sent))
		sound(media.Frame{Timestamp: int64(sent) * 20_000, Key: true, Data: []byte{0xfc, byte(sent)}})
	}
}

// A gap in sound is asked for at once, and what comes in answer, however many packets later, is no replay.
func TestSoundIsAskedForAndALateAnswerIsTaken(t *testing.T) {
	l := newLab(t)
	l.port.wait = patient
	ann := l.join("ann")
	cam := newBrowserLike(t)
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48_000, Channels: 2}, "mic", "cam")
	if err != nil {
		t.Fatal(err)
	}
	sender, err := cam.AddTrack(track)
	if err != nil {
		t.Fatal(err)
	}
	l.post(cam, "/whip/room", "tok")
	cam.connected()
	asked := make(chan uint16, 1000)
	go func() {
		for {
			list, _, err := sender.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range list {
				if n, ok := p.(*rtcp.TransportLayerNack); ok {
					for _, pair := range n.Nacks {
						asked <- pair.PacketList()[0]
					}
				}
			}
		}
	}()
	packets := rtp.NewPacketizer(media.Opus, rtp.NewClock(media.Opus, 0, 1000), 100)
	send := func(i int, lost bool) func() {
		p := packets.Packets(media.Frame{Timestamp: int64(i) * 20_000, Data: []byte{0xfc, byte(i)}}, 0, false)[0]
		write := func() {
			if err := track.WriteRTP(p); err != nil {
				t.Error(err)
			}
		}
		if !lost {
			write()
		}
		return write
	}
	const gap = 100
	send(0, false)
	until(t, "the track", func() bool { ann.pull(); return len(ann.frames[media.Opus]) == 1 })
	late := send(1, true)
	for i := range gap {
		send(2+i, false)
	}
	select {
	case seq := <-asked:
		if seq != 101 {
			t.Errorf("%d is asked for", seq)
		}
	case <-time.After(5 * time.Second):
		t.Error("nobody asks for sound")
	}
	late()
	until(t, "all frames", func() bool { ann.pull(); return len(ann.frames[media.Opus]) >= gap+1 })
	ann.pull()
	if got := len(ann.frames[media.Opus]); got != gap+2 || ann.frames[media.Opus][1][1] != 1 {
		t.Errorf("%d frames, want %d, the late one in its place", got, gap+2)
	}
}

// A viewer that reports losses, and takes it, is sent sound with what was before it; one that loses nothing is not.
func TestSoundIsSentTwiceMoreWhereItIsLost(t *testing.T) {
	l := newLab(t)
	ann := l.join("ann")
	sound := ann.writes(t, "mic", opusFormat)
	m, err := mediaEngine()
	if err != nil {
		t.Fatal(err)
	}
	red := webrtc.RTPCodecCapability{MimeType: mimeRed, ClockRate: 48_000, Channels: 2, SDPFmtpLine: redFmtp}
	if err := m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: redPT, RTPCodecCapability: red}, webrtc.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
	viewer := newPeerWith(t, webrtc.SettingEngine{}, m)
	got := make(chan *pion.Packet, 1000)
	ssrc := make(chan webrtc.SSRC, 1)
	viewer.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		ssrc <- remote.SSRC()
		for {
			p, _, err := remote.ReadRTP()
			if err != nil {
				return
			}
			got <- p
		}
	})
	viewer.receives(webrtc.RTPCodecTypeAudio)
	l.post(viewer, "/whep/room/ann", "tok")
	viewer.connected()
	i := 0
	next := func() *pion.Packet {
		t.Helper()
		sound(media.Frame{Timestamp: int64(i) * 20_000, Key: true, Data: []byte{0xfc, byte(i)}})
		i++
		select {
		case p := <-got:
			return p
		case <-time.After(20 * time.Second):
			t.Fatal("nothing comes")
			return nil
		}
	}
	for range 5 {
		if p := next(); p.PayloadType != 111 || len(p.Payload) != 2 {
			t.Fatalf("payload type %d, %d bytes, before any loss", p.PayloadType, len(p.Payload))
		}
	}
	from := uint32(<-ssrc)
	redundant := func(sign rtcp.Packet) {
		t.Helper()
		until(t, "redundant sound", func() bool {
			if err := viewer.WriteRTCP([]rtcp.Packet{sign}); err != nil {
				t.Fatal(err)
			}
			p := next()
			return p.PayloadType == redPT && bytes.HasSuffix(p.Payload, []byte{111, 0xfc, byte(i - 3), 0xfc, byte(i - 2), 0xfc, byte(i - 1)})
		})
	}
	redundant(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: from, FractionLost: lossyShare}}})

	// What was mended by an answer is in no report: the requests tell of it.
	line := onlyLine(t, l)
	until(t, "plain sound, when no report is on its way any more", func() bool {
		line.mu.Lock()
		line.lossy = time.Time{}
		line.mu.Unlock()
		return next().PayloadType == 111
	})
	redundant(&rtcp.TransportLayerNack{MediaSSRC: from, Nacks: []rtcp.NackPair{{PacketID: 1, LostPackets: 1}}})
}

// A publisher is not told that it may send such sound, which nobody here reads.
func TestWHIPTakesNoRedundantSound(t *testing.T) {
	l := newLab(t)
	cam := newBrowserLike(t)
	cam.sends(media.Opus)
	cam.offer = func(sdp string) string {
		return strings.Replace(sdp, "UDP/TLS/RTP/SAVPF 111", "UDP/TLS/RTP/SAVPF 111 63", 1) + "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
	}
	if resp := l.post(cam, "/whip/room", "tok"); resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status)
	}
	if sdp := cam.RemoteDescription().SDP; strings.Contains(sdp, "red/48000") || !strings.Contains(sdp, "opus/48000") {
		t.Errorf("the answer:\n%s", sdp)
	}
}

func TestOffersWithoutNACKForSoundGetIt(t *testing.T) {
	const plain = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"
	with := strings.Replace(plain, "48000/2\r\n", "48000/2\r\na=rtcp-fb:111 nack\r\n", 1)
	if got := askable(plain); got != with {
		t.Errorf("got %q", got)
	}
	if got := askable(with); got != with {
		t.Errorf("it is there twice: %q", got)
	}
	other := strings.Replace(plain, "48000/2\r\n", "48000/2\r\na=rtcp-fb:111 nack pli\r\n", 1)
	if got := askable(other); !strings.Contains(got, "a=rtcp-fb:111 nack\r\n") {
		t.Errorf("got %q", got)
	}

	l := newLab(t)
	cam := newPeer(t)
	cam.sends(media.Opus)
	if resp := l.post(cam, "/whip/room", "tok"); resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status)
	}
	if sdp := cam.RemoteDescription().SDP; !strings.Contains(sdp, "a=rtcp-fb:111 nack\r\n") {
		t.Errorf("the answer has no NACK for Opus:\n%s", sdp)
	}
}
