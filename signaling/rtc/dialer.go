package rtc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"landline/media"
	"landline/media/rtp"
	"landline/relay"
	"landline/signaling"
)

// Dialer makes the client's end of a PeerConnection beside a session.
type Dialer struct {
	// Wait is how long a missing packet is waited for; 0 means 250 ms.
	Wait time.Duration
	// Receive is how many tracks of each kind can be received at once.
	Receive int
	// TCP connects by ICE-TCP alone, as one does behind a network without UDP.
	TCP bool
	// Logger gets what happens; nil means nothing is logged.
	Logger *slog.Logger
}

// ErrNoTCP says that a relay offers no ICE-TCP.
var ErrNoTCP = errors.New("this relay has no ICE-TCP")

// dialed is the client's end.
type dialed struct {
	path *path
	tcp  bool
	ends signaling.SideEnds
	own  map[string]string // tracks that are sent, by mid

	panics atomic.Uint64
	mu     sync.Mutex
	whose  map[string]*signaling.RTCTrack // by mid, what is received
}

// Offer makes an offer to send tracks, which the relay has taken, and to receive. What is written to the Uplink is sent once the Side is
// connected.
func (d *Dialer) Offer(tracks []signaling.Track, ends signaling.SideEnds) (*signaling.RTCOffer, *relay.Uplink, signaling.OfferedSide, error) {
	var settings webrtc.SettingEngine
	settings.LoggerFactory = &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled,
		ScopeLevels: map[string]logging.LogLevel{}}
	settings.SetIncludeLoopbackCandidate(true)
	settings.DisableActiveTCP(!d.TCP)
	if d.TCP {
		settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6})
	}
	api, err := newAPI(settings, false)
	if err != nil {
		return nil, nil, nil, err
	}
	log, wait := d.Logger, d.Wait
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if wait == 0 {
		wait = serverWait
	}
	c := &dialed{tcp: d.TCP, ends: ends, own: map[string]string{}, whose: map[string]*signaling.RTCTrack{}}
	if c.path, err = newPath(api, log, &c.panics, wait); err != nil {
		return nil, nil, nil, err
	}
	o, up, err := c.offer(tracks, d.Receive)
	if err != nil {
		c.path.finish(signaling.RTCFailed)
		return nil, nil, nil, err
	}
	return o, up, c, nil
}

func (c *dialed) offer(tracks []signaling.Track, receive int) (*signaling.RTCOffer, *relay.Uplink, error) {
	pc, s := c.path.pc, newSender()
	up := relay.NewUplink(s.notify)
	s.sub = up.Subscriber
	o := &signaling.RTCOffer{Type: "rtcOffer"}
	for i, t := range tracks {
		l := &line{kind: t.Kind, id: fmt.Sprintf("line-%d", i), next: uint16(rand.Uint32())}
		tr, err := pc.AddTransceiverFromTrack(l, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return nil, nil, err
		}
		l.rtcp = tr.Sender()
		s.lines = append(s.lines, l)
		out := s.know("", relay.TrackInfo{Offer: relay.Offer{ID: t.ID, Format: t.Format(), Clock: relay.Clock(t.Clock),
			Layers: []relay.LayerInfo{{Alias: t.Layers[0].Alias}}}})
		out.own, out.clock = l, rtp.NewClock(t.Codec, t.Clock.Us, rand.Uint32())
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		for range receive {
			if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
				return nil, nil, err
			}
		}
	}
	offer, err := pc.CreateOffer(nil)
	if err == nil {
		err = pc.SetLocalDescription(offer)
	}
	if err != nil {
		return nil, nil, err
	}
	o.SDP = offer.SDP
	for i, l := range s.lines {
		out := s.tracks[tracks[i].Layers[0].Alias]
		l.mid = midOf(pc, func(t *webrtc.RTPTransceiver) bool { return t.Sender() == l.rtcp })
		c.own[l.mid] = tracks[i].ID
		o.Send = append(o.Send, signaling.RTCSend{Mid: l.mid, Track: tracks[i].ID, Sequence: l.next,
			RTP: out.clock.RTP(tracks[i].Clock.Us), Us: tracks[i].Clock.Us})
	}
	s.ended = func(_ *outgoing, mid string, next uint16) {
		c.ends.Send(&signaling.RTCEnd{Type: "rtcEnd", Mid: mid, Sequence: next})
	}
	c.path.mu.Lock()
	c.path.onOver = c.ends.Over
	c.path.stated = func(n uint64) { c.ends.Send(&signaling.RTCSent{Type: "rtcSent", Packets: n}) }
	c.path.keyAsked = func(l *line) { c.ends.KeyWanted(c.own[l.mid]) }
	c.path.mu.Unlock()
	c.path.sends(s)
	return o, up, nil
}

// Connect, Begin, Take and Close make it a signaling.OfferedSide.
func (c *dialed) Connect(ctx context.Context, sdp string) error {
	if c.tcp && !strings.Contains(sdp, " tcptype ") {
		return ErrNoTCP
	}
	if err := c.path.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		return fmt.Errorf("the answer of the relay: %w", err)
	}
	select {
	case <-c.path.ready:
		return nil
	case <-c.path.ctx.Done():
		return fmt.Errorf("no connection by %s: %s", c.network(), c.path.why())
	case <-ctx.Done():
		return fmt.Errorf("no connection by %s: %w", c.network(), ctx.Err())
	}
}

func (c *dialed) network() string {
	if c.tcp {
		return "ICE-TCP"
	}
	return "UDP"
}

func (c *dialed) Begin(m *signaling.RTCTrack, codec media.Codec) error {
	r := c.path.in(m.Mid)
	if r == nil {
		return fmt.Errorf("%w: m-line %q", ErrBadSDP, m.Mid)
	}
	clock := rtp.NewClock(codec, m.Us, m.RTP)
	o := c.path.options(m.Mid, codec)
	o.Start, o.Known = m.Sequence, true
	err := r.begin(o, func(f rtp.Frame) {
		out := signaling.SideFrame{Missing: f.Missing, Level: f.Level, Voice: f.Voice}
		if out.Key, out.Data = f.Key, f.Data; f.Data != nil {
			out.Timestamp = clock.Micros(f.Time)
		}
		c.ends.Frame(m.Member, m.Track, out)
	})
	c.mu.Lock()
	c.whose[m.Mid] = m
	c.mu.Unlock()
	return err
}

func (c *dialed) Take(msg any) {
	switch m := msg.(type) {
	case *signaling.RTCClose:
		c.path.finish(signaling.RTCClosed)
	case *signaling.RTCSent:
		c.path.hears(m)
	case *signaling.RTCEnd:
		if track, ok := c.own[m.Mid]; ok {
			c.ends.Sent(track)
			return
		}
		c.mu.Lock()
		t := c.whose[m.Mid]
		c.mu.Unlock()
		if r := c.path.in(m.Mid); r != nil && t != nil {
			r.end(m.Sequence, func() { c.ends.Ended(t.Member, t.Track) })
		}
	}
}

func (c *dialed) Close() {
	c.path.finish(signaling.RTCClosed)
	<-c.path.closed
}
