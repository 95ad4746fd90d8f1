package relay

import (
	"fmt"
	"math/rand/v2"
	"time"

	"landline/media"
	"landline/relay/rate"
)

// world is a relay with what a test needs to know of it.
type world struct {
	t     tester
	relay *Relay
	tape  *tape
}

func newWorld(t tester, o Options) *world {
	return &world{t, New(o), &tape{wrote: map[*byte]Message{}, frames: map[uint16]map[uint32][][]byte{}, upper: map[uint16]map[uint32][]bool{}}}
}

// session is a member's session as a transport runs it, without a transport.
type session struct {
	*receiver
	w     *world
	m     *Member
	pub   *Publisher
	sub   *Subscriber
	woken chan struct{}
	batch []Out // what the last pull with anything in it brought
}

var everything = Carries{media.Opus, media.VP8}

func (w *world) join(id string, wants ...Selector) *session {
	w.t.Helper()
	return w.joinAs(Identity{ID: id, Name: id}, everything, wants...)
}

func (w *world) joinAs(who Identity, carries Carries, wants ...Selector) *session {
	w.t.Helper()
	s := newSession(w)
	m, err := w.relay.Join("room", who, carries, s.notify)
	if err != nil {
		w.t.Fatal(err)
	}
	s.m = m
	s.begin()
	for _, sel := range wants {
		s.subscribe(sel, Want{})
	}
	return s
}

func newSession(w *world) *session { return &session{w: w, woken: make(chan struct{}, 1)} }

func (s *session) notify(bool) {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// begin takes the handles of a session that is new or resumed, and the roster.
func (s *session) begin() {
	s.pub, s.sub = s.m.Handles()
	_, others := s.m.Roster()
	s.receiver = newReceiver(s.w.t, s.w.tape, others)
}

func (s *session) resume() *session {
	s.t.Helper()
	next := newSession(s.w)
	next.m = s.m
	if err := s.m.Resume(everything, next.notify); err != nil {
		s.t.Fatal(err)
	}
	next.begin()
	return next
}

func (s *session) subscribe(sel Selector, w Want) {
	s.t.Helper()
	if err := s.m.Subscribe(sel, w); err != nil {
		s.t.Fatal(err)
	}
}

// pullOnce takes one batch as the writer of a session does.
func (s *session) pullOnce() (n int, more bool) {
	s.t.Helper()
	out, more := s.sub.Pull(nil)
	media, events := 0, 0
	for _, o := range out {
		if o.Event != nil {
			events += s.event(o.Event)
			continue
		}
		media += len(o.Data)
		s.message(o.Message)
	}
	s.bytes += uint64(events)
	// What found room leaves at most the window, less a byte, and one message in flight.
	if st := s.sub.Stats(); media > 0 && st.InFlight-events >= st.Window+maxMessage {
		s.t.Fatalf("%d bytes in flight, and the window is %d", st.InFlight, st.Window)
	}
	s.sub.AddSent(events)
	if len(out) > 0 {
		s.batch = out
	}
	s.bounds()
	return len(out), more
}

const maxMessage = media.MaxMessageSize

// full is more than any link takes: a message of so many bytes leaves no room behind it.
const full = rate.MaxWindow

// known makes the subscriber's link one that was seen full at a rate, in bytes a second.
func (s *session) known(bytesPerSecond int) {
	s.t.Helper()
	c := &s.sub.link
	at := s.w.relay.now()
	s.sub.mu.Lock()
	defer s.sub.mu.Unlock()
	for c.Capacity(at) == 0 || c.Rate() > bytesPerSecond*11/10 {
		c.Sent(bytesPerSecond/10, at)
		s.bytes += uint64(bytesPerSecond / 10)
		c.Wait(at)
		wait(100 * time.Millisecond)
		at = s.w.relay.now()
		if !c.Acked(s.bytes, 2*at, at) { // ever later than before
			s.t.Fatal("ack refused")
		}
	}
}

// pull takes all that the link has room for.
func (s *session) pull() {
	s.t.Helper()
	for more := true; more; {
		_, more = s.pullOnce()
	}
}

func (s *session) ack() {
	s.t.Helper()
	if !s.sub.Acked(s.bytes, s.w.relay.now()) {
		s.t.Fatalf("ack of %d refused", s.bytes)
	}
}

// drain takes all there is, acknowledging it.
func (s *session) drain() {
	s.t.Helper()
	for n, more := 1, true; n > 0 || more; {
		s.ack()
		n, more = s.pullOnce()
	}
}

// bounds holds the queues to their caps. The age of what waits is bounded after a push and after Tick.
func (s *session) bounds() {
	s.t.Helper()
	s.sub.mu.Lock()
	defer s.sub.mu.Unlock()
	for _, f := range s.sub.feeds {
		sum := 0
		for _, e := range f.queue.buf[f.queue.head:] {
			if e.kind == media.KindChunk {
				sum += len(e.Data)
			}
		}
		limit := f.maxBytes()
		if f.burst.state != burstNone {
			limit = groupBytes
		} else if f.queue.len() > 0 && !f.headFrameComplete() {
			limit = 2 * media.MaxFrameSize
		}
		if sum != f.bytes || sum > limit {
			s.t.Fatalf("%s/%s: %d bytes queued, counted as %d, cap %d", f.member, f.track, sum, f.bytes, limit)
		}
	}
}

// oldest is how long the oldest frame has waited.
func (s *session) oldest() time.Duration { return s.sub.Stats().QueueAge }

// source writes one track.
type source struct {
	s     *session
	info  TrackInfo
	layer int
	key   string // among the sources of a member
	group uint32
	frame uint16
	data  []byte
}

func (s *session) publish(offers ...Offer) (list []*source) {
	s.t.Helper()
	infos, err := s.m.Publish(offers)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, i := range infos {
		list = append(list, &source{s: s, info: i, key: i.ID})
	}
	return list
}

func (c *source) alias() uint16 { return c.info.Layers[c.layer].Alias }

// layers publishes a video track in several heights, and gives the source of each.
func (s *session) layers(id string, heights ...int) (list []*source) {
	s.t.Helper()
	o := video(id)
	for _, h := range heights {
		o.Layers = append(o.Layers, LayerInfo{Width: h * 16 / 9, Height: h})
	}
	track := s.publish(o)[0]
	for i := range heights {
		list = append(list, &source{s: s, info: track.info, layer: i, key: fmt.Sprintf("%s/%d", id, i)})
	}
	return list
}

func video(id string) Offer {
	return Offer{ID: id, Source: "camera", Format: media.Format{Kind: media.Video, Codec: media.VP8, CodecString: "vp8"}, KeyOnRequest: true}
}

func audio(id string) Offer {
	return Offer{ID: id, Source: "mic", Format: media.Format{Kind: media.Audio, Codec: media.Opus, CodecString: "opus"}}
}

func (s *session) camera() *source { s.t.Helper(); return s.publish(video("camera"))[0] }
func (s *session) mic() *source    { s.t.Helper(); return s.publish(audio("mic"))[0] }

// next makes the chunks of the track's next frame. A key frame opens a group, as every audio packet does.
func (c *source) next(key bool, size, chunk int) (list []Message) {
	if key || c.info.Kind == media.Audio {
		c.group, c.frame, key = c.group+1, 0, true
	}
	h := media.ChunkHeader{Key: key, Alias: c.alias(), Group: c.group, Frame: c.frame, Timestamp: uint32(c.group)<<16 + uint32(c.frame)}
	if c.info.Kind == media.Audio {
		h.SetLevel(20, true)
	} else {
		h.SetLength(uint32(size))
	}
	c.frame++
	c.data = make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(h.Alias), byte(c.group), byte(c.frame), byte(c.frame >> 8)}).Read(c.data) // it never fails
	media.Split(h, c.data, chunk, 4, func(buf []byte) {
		list = append(list, Message{Data: buf[4:], Wire: buf})
	})
	return list
}

// write hands one message to the relay.
func (c *source) write(m Message) error {
	p, err := media.ParseChunk(m.Data)
	if err != nil {
		return err
	}
	c.s.w.tape.note(m)
	if p.Last {
		c.s.w.tape.whole(&p.ChunkHeader, c.data)
	}
	return c.s.pub.Write(&p, m)
}

// send writes a whole frame.
func (c *source) send(key bool, size int) {
	c.s.t.Helper()
	c.pieces(c.next(key, size, media.MaxChunkPayload))
}

func (c *source) pieces(list []Message) {
	c.s.t.Helper()
	for _, m := range list {
		if err := c.write(m); err != nil {
			c.s.t.Fatal(err)
		}
	}
}

func (c *source) control(kind byte, group uint32, frame uint16) error {
	return c.s.pub.Control(media.Control{Kind: kind, Alias: c.alias(), Group: group, Frame: frame})
}

func (c *source) end() {
	c.s.t.Helper()
	if err := c.control(media.KindEnd, c.group, c.frame); err != nil {
		c.s.t.Fatal(err)
	}
}

// wait lets time pass; tests that use it run in a synctest bubble.
func wait(d time.Duration) { time.Sleep(d) }
