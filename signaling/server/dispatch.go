package server

import (
	"errors"
	"slices"
	"time"

	"landline/media"
	"landline/relay"
	"landline/signaling"
	"landline/signaling/token"
)

// text deals with a control message.
func (r *reader) text(msg []byte) error {
	m, err := signaling.Decode(msg)
	if err != nil {
		return signaling.Closef(signaling.CloseBadMessage, "%s", err)
	}
	switch m := m.(type) {
	case nil:
		return nil
	case *signaling.Hello:
		return r.hello(m)
	case *signaling.Join:
		return r.joinRoom(m)
	case *signaling.Bye:
		return signaling.Closef(signaling.CloseNormal, "left")
	}
	if r.sub == nil {
		return signaling.Closef(signaling.CloseBadMessage, "only hello, join and bye before joined")
	}
	return r.inRoom(m)
}

func (r *reader) hello(m *signaling.Hello) error {
	if r.greeted {
		return signaling.Closef(signaling.CloseBadMessage, "a second hello")
	}
	if m.Version != signaling.Version {
		return signaling.Closef(signaling.CloseUnsupportedVersion, "this server speaks version %d", signaling.Version)
	}
	r.greeted = true
	for _, c := range []media.Codec{media.Opus, media.VP8, media.VP9, media.H264, media.AV1} {
		if slices.Contains(m.Decode.WS, c) {
			r.carries = append(r.carries, c)
		}
		if slices.Contains(m.Decode.WebRTC, c) {
			r.decodesRTC = append(r.decodesRTC, c)
		}
	}
	r.send(signaling.Welcome{Type: "welcome", Version: signaling.Version, Server: "landline/" + r.server.cfg.Version,
		Features: r.server.features(), Limits: signaling.DefaultLimits()})
	return nil
}

func (r *reader) joinRoom(j *signaling.Join) error {
	if !r.greeted || r.sub != nil {
		return signaling.Closef(signaling.CloseBadMessage, "join comes once, after hello")
	}
	st, resumed, err := r.server.join(r.Session, j, r.carries)
	if errors.Is(err, errResumeRefused) {
		r.fail(j.Req, signaling.ErrResumeRefused, err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	if !resumed {
		if err := r.server.lend(st.member); err != nil {
			return err
		}
	}
	// Where the session was ended meanwhile, by a drain for instance, its end may have found no seat to vacate.
	if why := r.ended(); why != nil {
		r.leave(why)
		return why
	}
	_ = r.out.conn.SetReadDeadline(time.Time{})
	reply := signaling.Joined{Type: "joined", Req: j.Req, Room: j.Room, Resumed: resumed, Resume: st.ticket,
		GraceMs: r.server.times.grace.Milliseconds(), Grants: []string{}}
	for _, g := range st.grants {
		reply.Grants = append(reply.Grants, string(g))
	}
	var refused []signaling.Error
	if !resumed {
		if len(j.Publish) > 0 {
			if _, e := r.publish(j.Publish); e != nil {
				refused = append(refused, *e)
			}
		}
		for i := range j.Subscribe {
			if e := r.subscribe(&j.Subscribe[i]); e != nil {
				refused = append(refused, *e)
			}
		}
	}
	self, others := st.member.Roster()
	reply.Self, reply.Members = wireMember(self), []signaling.Member{}
	for _, m := range others {
		reply.Members = append(reply.Members, wireMember(m))
	}
	// Acks that are written in between make it come later than this by less than its own length.
	r.mu.Lock()
	r.proof = uint64(r.Session.early + r.replied + len(signaling.Encode(reply)))
	r.mu.Unlock()
	r.send(reply)
	if rec := st.member.Recording(); rec != nil {
		r.send(wireRecording(rec))
	}
	if p := st.member.Playback(); p != nil {
		r.send(playbackNow(*p))
	}
	st.member.ChatSince(time.UnixMicro(j.ChatAfterUs))
	for _, e := range refused {
		e.Req = j.Req
		r.send(e)
	}
	r.mu.Lock()
	r.joined = true
	early := r.Session.early
	r.mu.Unlock()
	r.sub.AddSent(early)
	r.shard.schedule(r.Session, true)
	r.server.log.Info("joined", "room", j.Room, "member", self.ID, "name", self.Name, "resumed", resumed, "remote", r.remote)
	return nil
}

// inRoom deals with what a member may say.
func (r *reader) inRoom(m any) error {
	var req int64
	var fault *signaling.Error
	member := r.seat.member
	switch m := m.(type) {
	case *signaling.Publish:
		req = m.Req
		var tracks []signaling.Track
		if tracks, fault = r.publish(m.Tracks); fault == nil {
			r.send(signaling.Published{Type: "published", Req: req, Tracks: tracks})
		}
	case *signaling.Configure:
		req = m.Req
		if err := errors.Join(signaling.CheckFormat(m.Track, m.Format()), signaling.CheckLayers(m.Track, m.Layers)); err != nil {
			fault = faultOf(signaling.ErrBadTrack, err)
		} else {
			fault = relayFault(member.Configure(m.Track, m.Format(), relayLayers(m.Layers)))
		}
	case *signaling.Encoding:
		req, fault = m.Req, relayFault(member.Encoding(m.Track, m.Layers))
	case *signaling.Mute:
		req, fault = m.Req, relayFault(member.Mute(m.Track, m.Muted))
	case *signaling.Unpublish:
		req, fault = m.Req, relayFault(member.Unpublish(m.Track))
	case *signaling.Subscribe:
		req, fault = m.Req, r.subscribe(m)
	case *signaling.Unsubscribe:
		member.Unsubscribe(relay.Selector{Member: m.Member, Name: m.Name, Track: m.Track})
	case *signaling.KeyFrame:
		req, fault = m.Req, relayFault(member.KeyFrame(m.Member, m.Track))
	case *signaling.Chat:
		req, fault = m.Req, r.chat(m)
	case *signaling.Put:
		req, fault = m.Req, r.put(m)
	case *signaling.Follow:
		req, fault = m.Req, r.follow(m)
	case *signaling.Unfollow:
		member.Unfollow(m.Topic)
	case *signaling.Record:
		req, fault = m.Req, r.record(m)
	case *signaling.RTCOffer:
		req, fault = m.Req, r.rtcOffer(m)
	case *signaling.RTCEnd, *signaling.RTCClose, *signaling.RTCPath, *signaling.RTCSent:
		r.besides(m)
	case *signaling.AckInterval:
		r.mu.Lock()
		r.ackEvery = time.Duration(m.Ms) * time.Millisecond
		r.mu.Unlock()
	default:
		var known bool
		if req, fault, known = r.onObjects(m); !known {
			return signaling.Closef(signaling.CloseBadMessage, "a message that only the server sends")
		}
	}
	if fault != nil {
		fault.Req = req
		r.send(*fault)
	}
	return nil
}

func faultOf(code string, err error) *signaling.Error {
	return &signaling.Error{Type: "error", Code: code, Text: err.Error()}
}

func noGrant(g token.Grant) *signaling.Error {
	return faultOf(signaling.ErrNoGrant, errors.New("the token does not grant "+string(g)))
}

// relayFault gives the code for an error of relay.
func relayFault(err error) *signaling.Error {
	for _, f := range []struct {
		err  error
		code string
	}{{relay.ErrNoSuchTrack, signaling.ErrNoSuchTrack}, {relay.ErrNoSuchMember, signaling.ErrNoSuchMember},
		{relay.ErrLayers, signaling.ErrBadTrack},
		{relay.ErrTrackExists, signaling.ErrTrackExists}, {relay.ErrTooManyTracks, signaling.ErrTooManyTracks},
		{relay.ErrTooManySubscriptions, signaling.ErrTooManySubscriptions}, {relay.ErrNoAlias, signaling.ErrNoAlias},
		{relay.ErrTooManyTopics, signaling.ErrTooManyTopics}, {relay.ErrTopicMode, signaling.ErrTopicMode},
		{relay.ErrTooManyKeys, signaling.ErrTooManyKeys}, {relay.ErrObjectDiffers, signaling.ErrObjectDiffers},
		{relay.ErrTooManyStreams, signaling.ErrTooManyStreams}, {relay.ErrNoSuchStream, signaling.ErrNoSuchStream},
		{relay.ErrBadOffset, signaling.ErrBadOffset}, {relay.ErrTwice, signaling.ErrAcceptedTwice}} {
		if errors.Is(err, f.err) {
			return faultOf(f.code, err)
		}
	}
	return nil // none, or the member is gone, and its session with it
}

func (r *reader) publish(tracks []signaling.Track) ([]signaling.Track, *signaling.Error) {
	if !r.seat.may(token.Publish) {
		return nil, noGrant(token.Publish)
	}
	offers := make([]relay.Offer, 0, len(tracks))
	for i := range tracks {
		t := &tracks[i]
		if err := t.CheckOffer(); err != nil {
			return nil, faultOf(signaling.ErrBadTrack, err)
		}
		offers = append(offers, relay.Offer{ID: t.ID, Source: t.Source, Format: t.Format(),
			Clock: relay.Clock(t.Clock), KeyOnRequest: t.KeyOnRequest, Layers: relayLayers(t.Layers)})
	}
	r.rest(r.offers.take(float64(len(offers))))
	infos, err := r.seat.member.Publish(offers)
	if err != nil {
		return nil, relayFault(err)
	}
	out := make([]signaling.Track, 0, len(infos))
	for _, info := range infos {
		out = append(out, wireTrack(info))
	}
	return out, nil
}

func relayLayers(layers []signaling.Layer) (out []relay.LayerInfo) {
	for _, l := range layers {
		out = append(out, relay.LayerInfo{Width: l.Width, Height: l.Height, CodecString: l.CodecString, Config: l.Config})
	}
	return out
}

// defaultPriority is that of a subscription that names none.
const defaultPriority = 4

func (r *reader) subscribe(m *signaling.Subscribe) *signaling.Error {
	if !r.seat.may(token.Subscribe) {
		return noGrant(token.Subscribe)
	}
	w := relay.Want{Priority: defaultPriority, MaxAge: time.Duration(m.MaxAgeMs) * time.Millisecond, Paused: m.Paused,
		Height: m.Height, Hold: m.Hold}
	if m.Priority != nil {
		w.Priority = *m.Priority
	}
	return relayFault(r.seat.member.Subscribe(relay.Selector{Member: m.Member, Name: m.Name, Track: m.Track}, w))
}

func (r *reader) chat(m *signaling.Chat) *signaling.Error {
	if !r.seat.may(token.Data) {
		return noGrant(token.Data)
	}
	if m.Text == "" || len(m.Text) > signaling.MaxChat {
		return faultOf(signaling.ErrBadChat, errors.New("chat is 1 to 4096 bytes of text"))
	}
	r.seat.member.Chat(relay.Chat{Text: m.Text, Req: m.Req, Source: m.Source, N: m.N})
	return nil
}
