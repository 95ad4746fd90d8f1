package client

import (
	"context"
	"fmt"
	"slices"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// pending is a Publish that waits for its answer.
type pending struct {
	req    int64
	tracks []*Outgoing
	answer chan error // has room for one
}

// Publish offers tracks and waits until the relay has taken them, all or none.
func (r *Room) Publish(ctx context.Context, tracks []signaling.Track) ([]*Outgoing, error) {
	p := pending{answer: make(chan error, 1)}
	for _, t := range tracks {
		p.tracks = append(p.tracks, newOutgoing(r, t))
	}
	r.mu.Lock()
	if len(r.control) >= maxControl {
		r.mu.Unlock()
		return nil, ErrBusy
	}
	r.req++
	p.req = r.req
	r.pending = append(r.pending, p)
	r.control = append(r.control, &signaling.Publish{Type: "publish", Req: p.req, Tracks: tracks})
	r.mu.Unlock()
	r.wake()
	var err error
	select {
	case err = <-p.answer:
	case <-ctx.Done():
		err = ctx.Err()
	case <-r.done:
		err = ErrClosed
	}
	if err != nil {
		r.mu.Lock()
		r.pending = slices.DeleteFunc(r.pending, func(q pending) bool { return q.req == p.req })
		r.mu.Unlock()
		return nil, err
	}
	return p.tracks, nil
}

// published takes the answer to a Publish.
func (r *Room) published(req int64, tracks []signaling.Track, fault *signaling.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, p := range r.pending {
		if p.req != req || req == 0 {
			continue
		}
		r.pending = slices.Delete(r.pending, i, i+1)
		if fault != nil {
			p.answer <- fmt.Errorf("the relay refuses to publish: %s", fault.Text)
			return
		}
		p.answer <- r.open(p.tracks, tracks)
		return
	}
}

// open gives tracks their aliases.
func (r *Room) open(tracks []*Outgoing, as []signaling.Track) error {
	for _, t := range tracks {
		i := slices.IndexFunc(as, func(a signaling.Track) bool { return a.ID == t.info.ID })
		if i < 0 {
			return wrong("track %s was published and is not in the answer", t.info.ID)
		}
		if err := t.open(r.uplink, as[i]); err != nil {
			return err
		}
		if !slices.Contains(r.tracks, t) {
			r.tracks = append(r.tracks, t)
		}
	}
	return nil
}

// accepted reports whether a relay that we joined took all that was to be published. Only a new membership can lack any.
func (r *Room) accepted(j *signaling.Joined) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		if !j.Resumed && !t.ended && !has(j.Self.Tracks, t.info.ID) {
			return false
		}
	}
	return true
}

func has(tracks []signaling.Track, id string) bool {
	return slices.ContainsFunc(tracks, func(t signaling.Track) bool { return t.ID == id })
}

// adopt makes a session that has joined the Room's session: the uplink starts over.
func (r *Room) adopt(s *session, j *signaling.Joined) error {
	if len(r.opts.Subscribe) > 0 && !slices.Contains(j.Grants, "subscribe") {
		return fmt.Errorf("the token does not grant subscribe")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	if r.uplink != nil && j.Resumed {
		err = r.resumed(j)
	} else {
		err = r.joinedAnew(j)
	}
	if err != nil {
		return err
	}
	r.self, r.resume = j.Self.ID, j.Resume
	r.topicsReconnected()
	r.chatsReconnected()
	r.objectsReconnected(j)
	s.uplink = r.uplink
	s.uplink.AddSent(int(s.sent))
	r.inbox.put(arrival{msg: j})
	return nil
}

// joinedAnew gives every track that goes on a place in a new uplink.
func (r *Room) joinedAnew(j *signaling.Joined) error {
	if r.uplink != nil {
		r.uplink.Reconnected() // counts what waits as lost
	}
	r.uplink = relay.NewUplink(func(bool) { r.wake() })
	var live []*Outgoing
	for _, t := range r.tracks {
		if t.ended {
			t.lost = true
			continue
		}
		live = append(live, t)
		if t.made != nil {
			r.control = append(r.control, &signaling.Encoding{Type: "encoding", Track: t.info.ID, Layers: t.made})
		}
	}
	return r.open(live, j.Self.Tracks)
}

// resumed goes on with the tracks that the relay still knows.
func (r *Room) resumed(j *signaling.Joined) error {
	r.uplink.Reconnected()
	for _, t := range r.tracks {
		switch known := has(j.Self.Tracks, t.info.ID); {
		case !known && t.ended:
			for _, l := range t.layers {
				l.drained = true // the End had arrived, only its ack was lost
			}
		case t.ended:
			t.endAgain(r.uplink)
		case t.info.Kind == media.Video:
			for _, l := range t.layers {
				l.keyGone, l.wanted = true, true // it is told again what is not
			}
		}
	}
	var open []pending
	for _, p := range r.pending {
		if has(j.Self.Tracks, p.tracks[0].info.ID) {
			p.answer <- r.open(p.tracks, j.Self.Tracks)
			continue
		}
		open = append(open, p)
		offers := make([]signaling.Track, 0, len(p.tracks))
		for _, t := range p.tracks {
			offers = append(offers, t.info)
		}
		r.control = append(r.control, &signaling.Publish{Type: "publish", Req: p.req, Tracks: offers})
	}
	r.pending = open
	return nil
}
