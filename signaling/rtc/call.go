package rtc

import (
	"errors"
	"fmt"
	"sync"

	"landline/media"
	"landline/media/rtp"
	"landline/relay"
	"landline/signaling"
)

// call is the server's end of a PeerConnection beside a session.
type call struct {
	path   *path
	detour *relay.Detour
	tell   func(msg any)
	inlets map[string]*inlet // by mid
	mu     sync.Mutex        // of the Publisher, and of detour
}

// Call answers a session's offer: media of the member goes over the PeerConnection from now on, until it or the Side is closed. tell
// sends a message to the client. Errors wrap ErrBadSDP, ErrFull, relay.ErrDetour or relay.ErrNoSuchTrack.
func (p *Port) Call(o *signaling.RTCOffer, m *relay.Member, carries []media.Codec, tell func(msg any)) (signaling.Side, *signaling.RTCAnswer, error) {
	c := &call{tell: tell, inlets: map[string]*inlet{}}
	s := newSender()
	var names []string
	for _, t := range o.Send {
		names = append(names, t.Track)
	}
	pt, err := p.open(o.SDP, c.over)
	if err != nil {
		return nil, nil, err
	}
	c.path = pt
	lines, in, err := pt.lines()
	if o.Both {
		seat(lines)
	}
	if err == nil {
		err = c.detours(m, names, carries, s.notify, o.Both)
	}
	if err == nil {
		err = c.incoming(o.Send, in, m)
	}
	var sdp string
	if err == nil {
		sdp, err = pt.answer()
	}
	if err != nil {
		pt.finish("failed")
		return nil, nil, err
	}
	s.lines, s.sub = lines, c.detour.Subscriber
	if c.outgoing(s); o.Both {
		c.besides(s)
	}
	c.path.sends(s)
	return c, &signaling.RTCAnswer{Type: "rtcAnswer", Req: o.Req, SDP: sdp}, nil
}

// detours takes the member's media off its session.
func (c *call) detours(m *relay.Member, tracks []string, carries relay.Carries, notify func(bool), both bool) error {
	d, err := m.Detour(tracks, carries, notify, both)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.detour = d
	c.mu.Unlock()
	if c.path.ctx.Err() != nil { // it ended meanwhile, and saw no detour
		d.Close()
	}
	return nil
}

// incoming gives each m-line on which the client sends its track.
func (c *call) incoming(send []signaling.RTCSend, mids []string, m *relay.Member) error {
	for _, s := range send {
		info, ok := m.Track(s.Track)
		r := c.path.in(s.Mid)
		if !ok || len(info.Layers) != 1 || r == nil || c.inlets[s.Mid] != nil || !contains(mids, s.Mid) {
			return fmt.Errorf("%w: track %s on m-line %q", ErrBadSDP, s.Track, s.Mid)
		}
		next, _ := c.detour.Publisher.Next(info.Layers[0].Alias)
		in := &inlet{pub: c.detour.Publisher, alias: info.Layers[0].Alias, audio: info.Kind == media.Audio, group: next - 1}
		c.inlets[s.Mid] = in
		clock := rtp.NewClock(info.Codec, s.Us, s.RTP)
		o := c.path.options(s.Mid, info.Codec)
		o.Start, o.Known = s.Sequence, true
		sink := func(f rtp.Frame) {
			c.mu.Lock()
			defer c.mu.Unlock()
			in.write(f, clock.Micros(f.Time))
		}
		if err := r.begin(o, sink); err != nil {
			return fmt.Errorf("%w: %w", ErrBadSDP, err)
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// outgoing begins to send what the member receives.
func (c *call) outgoing(s *sender) {
	s.hold = c.detour.Pause
	s.began = func(t *outgoing, us int64) {
		c.tell(signaling.RTCTrack{Type: "rtcTrack", Mid: t.line.mid, Member: t.member, Track: t.info.ID,
			Sequence: t.pack.Sequence(), RTP: t.pack.Clock.RTP(us), Us: us})
	}
	s.ended = func(_ *outgoing, mid string, next uint16) {
		c.tell(signaling.RTCEnd{Type: "rtcEnd", Mid: mid, Sequence: next})
	}
	s.event = func(e *relay.Event) {
		if e.Kind == relay.DropReport || e.Kind == relay.NoticeText {
			c.tell(e)
		}
	}
	for _, m := range c.detour.Roster() {
		for _, t := range m.Tracks {
			s.know(m.ID, t)
		}
	}
	c.path.mu.Lock()
	c.path.keyAsked = func(l *line) {
		if member, track, ok := l.on(); ok {
			_ = c.detour.KeyFrame(member, track) // it may be over
		}
	}
	c.path.stated = func(n uint64) { c.tell(signaling.RTCSent{Type: "rtcSent", Packets: n}) }
	c.path.mu.Unlock()
}

// besides sends what the session sends as well, until the client has changed over. Who finds no place stays with the session.
func (c *call) besides(s *sender) {
	s.connected = c.detour.Begin
	s.crowded = func(t *outgoing) bool {
		if c.detour.Take(t.member, relay.BySession) == nil {
			c.tell(signaling.RTCPath{Type: "rtcPath", Member: t.member, Path: signaling.PathWebSocket})
		}
		return true
	}
	s.event = func(e *relay.Event) {
		if e.Kind == relay.DropReport || e.Kind == relay.LayerSent {
			c.tell(e)
		}
	}
}

// seat puts m-lines in pairs, as the answer shall name them.
func seat(lines []*line) {
	seats := map[media.Kind]int{}
	for _, l := range lines {
		seats[l.kind]++
		l.seat = fmt.Sprintf("-%d", seats[l.kind])
	}
}

var ways = map[string]relay.Way{signaling.PathBoth: relay.ByBoth, signaling.PathWebRTC: relay.ByDetour, signaling.PathWebSocket: relay.BySession}

// over is called when the path is.
func (c *call) over(reason string) {
	c.mu.Lock()
	d := c.detour
	c.mu.Unlock()
	if d != nil {
		d.Close()
	}
	c.tell(signaling.RTCClose{Type: "rtcClose", Reason: reason})
}

// Take and Close make it a signaling.Side.
func (c *call) Take(msg any) {
	switch m := msg.(type) {
	case *signaling.RTCClose:
		c.path.finish(signaling.RTCClosed)
	case *signaling.RTCSent:
		c.path.hears(m)
	case *signaling.RTCPath:
		_ = c.detour.Take(m.Member, ways[m.Path]) // who is gone needs none
	case *signaling.RTCEnd:
		in := c.inlets[m.Mid]
		if in == nil {
			return
		}
		c.path.in(m.Mid).end(m.Sequence, func() {
			c.mu.Lock()
			err := in.pub.End(in.alias)
			c.mu.Unlock()
			if err == nil || errors.Is(err, relay.ErrUnknownAlias) {
				c.tell(signaling.RTCEnd{Type: "rtcEnd", Mid: m.Mid, Sequence: m.Sequence})
			}
		})
	}
}

func (c *call) Close() { c.path.finish(signaling.RTCClosed) }
