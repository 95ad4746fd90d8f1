package client

import (
	"landline/media"
	"landline/signaling"
)

// maxIncoming bounds the tracks that are kept track of.
const maxIncoming = 1 << 16

// deliver takes what was read, in order, and calls the callbacks.
func (r *Room) deliver() error {
	var batch []arrival
	for {
		batch = r.inbox.take(batch[:0])
		if len(batch) == 0 {
			return nil
		}
		for i, a := range batch {
			if r.ctx.Err() != nil {
				return nil
			}
			if err := r.deliverOne(a); err != nil {
				a.from.end(err)
			}
			r.inbox.done(a.size)
			if a.from != nil {
				a.from.took(a.size, false, a.at)
			}
			batch[i] = arrival{}
		}
	}
}

func (r *Room) deliverOne(a arrival) error {
	if a.msg != nil {
		if !r.sideEvent(a.msg, a.at) {
			r.eventNow(a.msg)
		}
		return nil
	}
	if a.data[0] == media.KindObject {
		return r.objectData(a.data)
	}
	if a.data[0] != media.KindChunk {
		c, err := media.ParseControl(a.data)
		if err != nil {
			return wrong("%v", err)
		}
		if in := r.incoming[c.Alias]; in != nil {
			in.control(c)
		}
		return nil
	}
	c, err := media.ParseChunk(a.data)
	if err != nil {
		return wrong("%v", err)
	}
	in := r.incoming[c.Alias]
	if in == nil {
		return nil // a track that was taken back; the relay is ahead of us
	}
	if f, ok := in.chunk(&c, a.at); ok {
		r.opts.OnFrame(in, f)
	}
	return nil
}

// eventNow keeps the roster and passes a message on.
func (r *Room) eventNow(msg any) {
	if r.receivingControl(msg) {
		return
	}
	switch m := msg.(type) {
	case *signaling.Joined:
		r.streamsGone()
		r.rejoined(m)
		return
	case *signaling.MemberJoined:
		r.addMember(m.Member)
		r.offerToNewcomer(m.Member)
	case *signaling.MemberState:
		r.setState(m.ID, m.State)
	case *signaling.MemberLeft:
		r.removeMember(m.ID)
		r.receiverLeft(m.ID)
	case *signaling.TrackAdded:
		if m.Type == "trackAdded" {
			r.addTrack(m.Member, m.Track)
			r.beginSides()
		} else {
			r.updateTrack(m.Member, m.Track)
		}
	case *signaling.TrackRemoved:
		r.opts.OnEvent(msg) // while Incoming still finds the track
		r.removeTrack(m.Member, m.Track)
		return
	case *signaling.Drops:
		r.drops(m)
	case *signaling.Chat:
		r.chatCame(m)
	case *signaling.Data:
		r.data(m)
		return
	}
	r.opts.OnEvent(msg)
}
