package rtc

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"landline/media"
	"landline/media/rtp"
	"landline/relay"
	"landline/signaling/token"
)

// lab is a relay with a Port on loopback, and its WHIP and WHEP behind HTTP.
type lab struct {
	t     *testing.T
	relay *relay.Relay
	port  *Port
	addr  net.Addr // of UDP
	web   *httptest.Server
}

func newLab(t *testing.T) *lab {
	t.Helper()
	return newLabAt(t)
}

func newLabAt(t *testing.T, addresses ...string) *lab {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port, err := NewPort(Config{Conn: conn, Addresses: addresses})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, relay: relay.New(relay.Options{}), port: port, addr: conn.LocalAddr()}
	l.web = httptest.NewServer(port.Resources(l.relay, admitTest))
	t.Cleanup(func() {
		port.Close()
		l.web.Close()
		http.DefaultClient.CloseIdleConnections()
		if s := port.Stats(); s.Panics != 0 || s.Open != 0 {
			t.Errorf("at the end: %+v", s)
		}
	})
	return l
}

// admitTest lets in whoever has a token, which is also the owner; "no" grants nothing.
func admitTest(req *http.Request, _ string, _ token.Grant) (name, owner string, status int, err error) {
	bearer, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		return "", "", http.StatusUnauthorized, errors.New("no token")
	case bearer == "no":
		return "", "", http.StatusForbidden, errors.New("no grant")
	}
	return "Cam", bearer, 0, nil
}

// do makes a request as the owner of a token.
func (l *lab) do(method, path, bearer, kind, body string, header ...string) (*http.Response, string) {
	l.t.Helper()
	req, err := http.NewRequest(method, l.web.URL+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp, string(text)
}

// until waits for a condition.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("%s: not within 20 s", what)
}

// peer is a client that is not ours: Pion with its defaults.
type peer struct {
	*webrtc.PeerConnection
	t        *testing.T
	location string
	etag     string
	offer    func(sdp string) string // changes the offer that is sent
	via      func(sdp string) string // changes the answer

	mu     sync.Mutex
	frames map[media.Codec][]rtp.Frame
	ssrcs  map[media.Codec]webrtc.SSRC
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	return newPeerOn(t, webrtc.SettingEngine{})
}

func newPeerOn(t *testing.T, s webrtc.SettingEngine) *peer {
	t.Helper()
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	return newPeerWith(t, s, m)
}

func newPeerWith(t *testing.T, s webrtc.SettingEngine, m *webrtc.MediaEngine) *peer {
	t.Helper()
	s.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{PeerConnection: pc, t: t, frames: map[media.Codec][]rtp.Frame{}, ssrcs: map[media.Codec]webrtc.SSRC{},
		offer: func(sdp string) string { return sdp }, via: func(sdp string) string { return sdp }}
	pc.OnTrack(p.track)
	t.Cleanup(func() { _ = pc.GracefulClose() })
	return p
}

func (p *peer) track(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	codec := codecOf(remote.Codec().MimeType)
	d, err := rtp.NewDepacketizer(rtp.Options{Codec: codec, Wait: time.Second})
	if err != nil {
		return
	}
	p.mu.Lock()
	p.ssrcs[codec] = remote.SSRC()
	p.mu.Unlock()
	for {
		packet, _, err := remote.ReadRTP()
		if err != nil {
			return
		}
		d.Push(packet, 0)
		for f, ok := d.Next(0); ok; f, ok = d.Next(0) {
			p.mu.Lock()
			p.frames[codec] = append(p.frames[codec], f)
			p.mu.Unlock()
		}
	}
}

func (p *peer) got(c media.Codec) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.frames[c])
}

// post offers to a resource, and takes the answer.
func (l *lab) post(p *peer, path, bearer string) *http.Response {
	l.t.Helper()
	gathered := webrtc.GatheringCompletePromise(p.PeerConnection)
	offer, err := p.CreateOffer(nil)
	if err == nil {
		err = p.SetLocalDescription(offer)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	<-gathered
	resp, answer := l.do("POST", path, bearer, "application/sdp", p.offer(p.LocalDescription().SDP))
	if resp.StatusCode != http.StatusCreated {
		l.t.Logf("%s: %s", resp.Status, answer)
		return resp
	}
	p.location, p.etag = resp.Header.Get("Location"), resp.Header.Get("ETag")
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: p.via(answer)}); err != nil {
		l.t.Fatalf("the answer: %v\n%s", err, answer)
	}
	return resp
}

// sends adds an m-line that sends, and gives what writes a frame to it.
func (p *peer) sends(c media.Codec) func(f media.Frame) {
	p.t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mimes[c], ClockRate: uint32(rtp.Rate(c))}, string(c), "cam")
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		p.t.Fatal(err)
	}
	packets := rtp.NewPacketizer(c, rtp.NewClock(c, 0, 1000), 100)
	return func(f media.Frame) {
		for _, packet := range packets.Packets(f, 0, false) {
			if err := track.WriteRTP(packet); err != nil && !errors.Is(err, io.ErrClosedPipe) {
				p.t.Error(err)
			}
		}
	}
}

// receives adds an m-line that receives.
func (p *peer) receives(kinds ...webrtc.RTPCodecType) {
	p.t.Helper()
	for _, k := range kinds {
		if _, err := p.AddTransceiverFromKind(k, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *peer) connected() {
	p.t.Helper()
	until(p.t, "connected", func() bool { return p.ConnectionState() == webrtc.PeerConnectionStateConnected })
}

// key and delta are VP8 frames with a head that is sound.
func key(n int) []byte {
	return append([]byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 98, 0, 66, 0}, bytes.Repeat([]byte{7}, n)...)
}

func delta(n int) []byte { return append([]byte{0x11, 0, 0}, bytes.Repeat([]byte{9}, n)...) }

// video makes the i-th frame of a stream whose key frames are ten apart.
func video(i int) media.Frame {
	f := media.Frame{Timestamp: int64(i) * 33_333, Key: i%10 == 0, Data: delta(3000 + i)}
	if f.Key {
		f.Data = key(20_000 + i)
	}
	return f
}

// member is a member of the room as a session runs it.
type member struct {
	*relay.Member
	pub    *relay.Publisher
	sub    *relay.Subscriber
	acked  uint64
	asm    map[uint16]*media.Assembler
	tracks map[uint16]relay.TrackInfo
	frames map[media.Codec][][]byte
	events []*relay.Event
}

func (l *lab) join(name string) *member {
	l.t.Helper()
	m, err := l.relay.Join("room", relay.Identity{ID: name, Name: name}, relay.Carries{media.Opus, media.VP8}, func(bool) {})
	if err != nil {
		l.t.Fatal(err)
	}
	mm := &member{Member: m, asm: map[uint16]*media.Assembler{}, tracks: map[uint16]relay.TrackInfo{}, frames: map[media.Codec][][]byte{}}
	mm.pub, mm.sub = m.Handles()
	_, others := m.Roster()
	for _, o := range others {
		for _, t := range o.Tracks {
			mm.tracks[t.Layers[0].Alias], mm.asm[t.Layers[0].Alias] = t, &media.Assembler{}
		}
	}
	if err := m.Subscribe(relay.Selector{}, relay.Want{MaxAge: 10 * time.Second}); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { m.Leave("bye") })
	return mm
}

// pull takes all that has come.
func (m *member) pull() {
	for {
		out, more := m.sub.Pull(nil)
		for _, o := range out {
			m.acked += uint64(len(o.Data))
			if o.Event != nil {
				m.events = append(m.events, o.Event)
				if o.Event.Kind == relay.TrackAdded {
					m.tracks[o.Event.Track.Layers[0].Alias], m.asm[o.Event.Track.Layers[0].Alias] = o.Event.Track, &media.Assembler{}
				}
			} else if o.Data[0] == media.KindChunk {
				c, err := media.ParseChunk(o.Data)
				if err != nil {
					panic(err)
				}
				if _, data, ok := m.asm[c.Alias].Push(&c); ok {
					codec := m.tracks[c.Alias].Codec
					m.frames[codec] = append(m.frames[codec], data)
				}
			}
		}
		m.sub.Acked(m.acked, time.Duration(m.acked+1))
		if !more {
			return
		}
	}
}

// writes publishes a track, and gives what writes a frame to it.
func (m *member) writes(t *testing.T, id string, f media.Format) func(media.Frame) {
	t.Helper()
	infos, err := m.Publish([]relay.Offer{{ID: id, Source: "camera", Format: f, Clock: relay.Clock{Us: 0, WallUs: 1}, KeyOnRequest: true}})
	if err != nil {
		t.Fatal(err)
	}
	in := &inlet{pub: m.pub, alias: infos[0].Layers[0].Alias, audio: f.Kind == media.Audio}
	return func(frame media.Frame) {
		in.write(rtp.Frame{Key: frame.Key, Data: frame.Data, Level: 127}, frame.Timestamp)
	}
}

var (
	vp8Format  = media.Format{Kind: media.Video, Codec: media.VP8, CodecString: "vp8"}
	opusFormat = media.Format{Kind: media.Audio, Codec: media.Opus, CodecString: "opus", SampleRate: media.OpusRate, Channels: 2}
)

// garbage is what may come where RTP is expected.
func garbage(c media.Codec) []*pion.Packet {
	var list []*pion.Packet
	for i, payload := range [][]byte{{}, {0xff}, {0x90}, {0x90, 0xff, 0xff}, {0x7c}, {0x78, 0xff, 0xff}, bytes.Repeat([]byte{0xff}, 1100)} {
		list = append(list, &pion.Packet{Header: pion.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(len(c)), Marker: true}, Payload: payload})
	}
	return list
}
