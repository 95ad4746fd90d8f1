package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// WebRTC makes PeerConnections beside sessions: package rtc.
type WebRTC interface {
	// Offer makes an offer to send tracks, which have their aliases, and to receive.
	Offer(tracks []signaling.Track, ends signaling.SideEnds) (*signaling.RTCOffer, *relay.Uplink, signaling.OfferedSide, error)
}

// ErrNoWebRTC says that the relay carries media over sessions alone.
var ErrNoWebRTC = errors.New("this relay has no WebRTC")

// side is the PeerConnection beside the session.
type side struct {
	signaling.OfferedSide
	uplink *relay.Uplink
	req    int64
	answer chan sideAnswer // has room for one
}

type sideAnswer struct {
	sdp string
	err error
}

// sideTime bounds how long a PeerConnection may take to come about, and sideHold how long a track's end waits for its last packets.
const (
	sideTime = 12 * time.Second
	sideHold = 4 * time.Second
)

// What comes by the side is delivered among the messages of the session.
type (
	sideFrame struct {
		member, track string
		signaling.SideFrame
	}
	sideEnded struct{ member, track string }
	sideLate  struct{}
)

// openSide subscribes, and moves media to a PeerConnection.
func (r *Room) openSide(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sideTime)
	defer cancel()
	r.mu.Lock()
	var tracks []signaling.Track
	for _, t := range r.tracks {
		if len(t.layers) > 1 {
			r.mu.Unlock()
			return fmt.Errorf("track %s has several layers, which do not go over WebRTC", t.info.ID)
		}
		info := t.info
		info.Layers = []signaling.Layer{{Alias: t.layers[0].alias}}
		tracks = append(tracks, info)
	}
	r.mu.Unlock()
	s := &side{answer: make(chan sideAnswer, 1)}
	offer, uplink, offered, err := r.opts.WebRTC.Offer(tracks, r.sideEnds(s))
	if err != nil {
		return err
	}
	s.OfferedSide, s.uplink = offered, uplink
	r.mu.Lock()
	r.req++
	s.req, offer.Req = r.req, r.req
	r.side = s
	r.control = append(r.control, offer)
	r.mu.Unlock()
	r.wake()
	if err = r.connectSide(ctx, s); err == nil {
		return r.useSide(s)
	}
	offered.Close()
	return err
}

func (r *Room) connectSide(ctx context.Context, s *side) error {
	select {
	case a := <-s.answer:
		if a.err != nil {
			return a.err
		}
		r.subscribe() // what is sent before it is connected waits at the relay
		return s.Connect(ctx, a.sdp)
	case <-ctx.Done():
		return fmt.Errorf("the relay does not answer the offer of WebRTC: %w", ctx.Err())
	case <-r.done:
		return errors.Join(r.err, ErrClosed)
	}
}

// useSide gives the tracks their places on the side.
func (r *Room) useSide(s *side) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.side != s {
		return errors.New("the connection by UDP was lost at once")
	}
	for _, t := range r.tracks {
		l := t.layers[0]
		l.stats.Drops = l.drops()
		l.up, t.aside = l.add(s.uplink), true
	}
	r.opts.Logger.Info("media goes over WebRTC")
	return nil
}

// subscribe asks for what is to be received.
func (r *Room) subscribe() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sided = true
	for i := range r.wants {
		want := r.wants[i]
		want.Type = "subscribe"
		r.control = append(r.control, &want)
	}
	r.wake()
}

func (r *Room) sideEnds(s *side) signaling.SideEnds {
	return signaling.SideEnds{
		Send: func(msg any) {
			r.mu.Lock()
			r.control = append(r.control, msg)
			r.mu.Unlock()
			r.wake()
		},
		Frame: func(member, track string, f signaling.SideFrame) {
			r.inbox.offer(arrival{at: time.Now(), size: len(f.Data), msg: sideFrame{member, track, f}})
		},
		Ended:     func(member, track string) { r.inbox.post(arrival{msg: sideEnded{member, track}}) },
		Sent:      r.sideSent,
		KeyWanted: func(track string) { r.feedback(&signaling.Feedback{Track: track, KeyFrame: true}) },
		Over:      func(reason string) { r.sideOver(s, reason) },
	}
}

// sideRefused is the error of a PeerConnection that the relay does not open.
func sideRefused(m *signaling.Error) error {
	if m.Code == signaling.ErrNoWebRTC {
		return ErrNoWebRTC
	}
	return fmt.Errorf("the relay refuses WebRTC: %s", m.Text)
}

// sideReply takes the answer to the offer.
func (r *Room) sideReply(req int64, a sideAnswer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.side != nil && r.side.req == req && req != 0 {
		select {
		case r.side.answer <- a:
		default:
		}
	}
}

// sideSent notes that the relay has all of a track.
func (r *Room) sideSent(track string) {
	r.mu.Lock()
	for _, t := range r.tracks {
		l := t.layers[0]
		l.drained = l.drained || t.info.ID == track && t.ended && t.aside
	}
	r.mu.Unlock()
	r.moved()
}

// sideOver brings media back to the session. The relay hears of it before the first chunk.
func (r *Room) sideOver(s *side, reason string) {
	r.mu.Lock()
	if r.side != s {
		r.mu.Unlock()
		return
	}
	r.side = nil
	if s.uplink != nil && r.sided {
		s.uplink.Reconnected() // counts what waits as lost
		r.control = append(r.control, &signaling.RTCClose{Type: "rtcClose", Reason: reason})
		for _, t := range r.tracks {
			if t.aside && !t.drained() {
				t.back()
			}
		}
	}
	leaving := r.leaving
	r.mu.Unlock()
	if !leaving {
		r.opts.Logger.Warn("media goes over the WebSocket now", "reason", reason)
	}
	r.wake()
}

// back gives a track its place on the session again.
func (t *Outgoing) back() {
	l := t.layers[0]
	l.stats.Drops, t.aside = l.drops(), false
	l.up = l.add(t.room.uplink)
	switch {
	case t.ended:
		l.up.End(media.EndFinished)
	case t.info.Kind == media.Video:
		l.cut, l.keyGone = true, true
	}
}

// closeSide ends the PeerConnection with its session.
func (r *Room) closeSide() {
	r.mu.Lock()
	s := r.side
	r.mu.Unlock()
	if s != nil {
		s.Close()
	}
}

// sideEvent deals with what concerns the side, of the deliver goroutine, and reports whether it did.
func (r *Room) sideEvent(msg any, at time.Time) (taken bool) {
	r.mu.Lock()
	s := r.side
	r.mu.Unlock()
	switch m := msg.(type) {
	case sideFrame:
		if in := r.Incoming(m.member, m.track); in != nil && s != nil {
			if f, ok := in.fromSide(m.SideFrame, at); ok {
				r.opts.OnFrame(in, f)
			}
		}
	case sideEnded:
		if in := r.Incoming(m.member, m.track); in != nil {
			in.sideDone = true
		}
		r.release(false)
	case sideLate:
		r.release(true)
	case *signaling.RTCTrack:
		r.sideTracks = append(r.sideTracks, m)
		r.beginSides()
	case *signaling.RTCEnd, *signaling.RTCClose, *signaling.RTCSent:
		if s != nil {
			s.Take(m)
		}
	case *signaling.TrackAdded:
		return r.held(msg, m.Member, s)
	case *signaling.TrackRemoved:
		return r.held(msg, m.Member, s)
	case *signaling.MemberLeft:
		return r.held(msg, m.ID, s)
	default:
		return false
	}
	return true
}

// beginSides begins to receive tracks whose announcement is known.
func (r *Room) beginSides() {
	r.mu.Lock()
	s := r.side
	r.mu.Unlock()
	if s == nil {
		r.sideTracks = nil
		return
	}
	later := r.sideTracks[:0]
	for _, m := range r.sideTracks {
		in := r.Incoming(m.Member, m.Track)
		if in == nil {
			later = append(later, m)
		} else if err := s.Begin(m, in.Track().Codec); err != nil {
			r.opts.Logger.Warn("a track cannot be received over WebRTC", "track", m.Track, "error", err)
		}
	}
	r.sideTracks = later[max(0, len(later)-signaling.MaxLines):]
}

// held keeps back the end of a track whose last packets may be under way still, and what follows of its member.
func (r *Room) held(msg any, member string, s *side) bool {
	if len(r.holding) == 0 {
		removed, ok := msg.(*signaling.TrackRemoved)
		if !ok || s == nil || r.through(removed) {
			return false
		}
		time.AfterFunc(sideHold, func() { r.inbox.post(arrival{msg: sideLate{}}) })
	} else if !r.holds(member) {
		return false
	}
	r.holding = append(r.holding, heldEvent{member, msg})
	return true
}

type heldEvent struct {
	member string
	msg    any
}

func (r *Room) holds(member string) bool {
	for _, h := range r.holding {
		if h.member == member {
			return true
		}
	}
	return false
}

// through reports whether all of a track has come that came by the side.
func (r *Room) through(m *signaling.TrackRemoved) bool {
	in := r.Incoming(m.Member, m.Track)
	return in == nil || in.sideDone
}

// release lets go of what was held, in order, up to a track that is not through.
func (r *Room) release(all bool) {
	for len(r.holding) > 0 {
		msg := r.holding[0].msg
		if removed, ok := msg.(*signaling.TrackRemoved); ok && !all && !r.through(removed) {
			return
		}
		r.holding = r.holding[1:]
		r.eventNow(msg)
	}
}

// fromSide makes a frame of one that came by the side. Groups are counted here: RTP has none.
func (in *Incoming) fromSide(sf signaling.SideFrame, at time.Time) (f Frame, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stats.Gaps += uint64(sf.Missing)
	switch {
	case sf.Data == nil:
		in.asm.Abandoned++
		in.stats.Abandoned, in.sideOpen = in.asm.Abandoned, false
		return f, false
	case sf.Key:
		f.Group, in.sideOpen = in.last.group+1, true
	case !in.sideOpen:
		return f, false
	default:
		f.Group, f.Number = in.last.group, in.last.number+1
	}
	f.Frame, f.Level, f.Voice, f.Arrived = sf.Frame, sf.Level, sf.Voice, at
	in.stats.Side++
	in.count(f)
	in.bySide, in.sideUs = true, f.Timestamp
	return f, true
}

// hadBySide reports whether a frame of the session came by the side before: the catch-up with which the session goes on brings all of
// the group. Its numbers are others than those that were counted for the side.
func (in *Incoming) hadBySide(f Frame) bool {
	const rounding = 25 // µs, of an RTP timestamp
	if !in.bySide {
		return false
	}
	if f.CatchUp && f.Timestamp <= in.sideUs+rounding {
		return true
	}
	in.bySide, in.any = false, false
	return false
}
