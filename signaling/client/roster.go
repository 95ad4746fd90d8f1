package client

import (
	"slices"

	"landline/signaling"
)

// member is one other member, with the tracks that come from there.
type member struct {
	info   signaling.Member
	tracks []*Incoming
}

// Members lists the others in the room.
func (r *Room) Members() []signaling.Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]signaling.Member, 0, len(r.members))
	for _, m := range r.members {
		info := m.info
		for _, in := range m.tracks {
			info.Tracks = append(info.Tracks, in.Track())
		}
		list = append(list, info)
	}
	return list
}

// Incoming finds a track of another member; nil if there is none.
func (r *Room) Incoming(memberID, track string) *Incoming {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.find(memberID); m != nil {
		return m.find(track)
	}
	return nil
}

func (r *Room) find(id string) *member {
	for _, m := range r.members {
		if m.info.ID == id {
			return m
		}
	}
	return nil
}

func (m *member) find(track string) *Incoming {
	for _, in := range m.tracks {
		if in.Track().ID == track {
			return in
		}
	}
	return nil
}

func (r *Room) addMember(info signaling.Member) {
	tracks := info.Tracks
	info.Tracks = nil
	r.mu.Lock()
	if r.find(info.ID) == nil && len(r.members) < signaling.MaxMembers {
		r.members = append(r.members, &member{info: info})
	}
	r.mu.Unlock()
	for _, t := range tracks {
		r.addTrack(info.ID, t)
	}
}

func (r *Room) setState(id, state string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.find(id); m != nil {
		m.info.State = state
	}
}

func (r *Room) removeMember(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.find(id); m != nil {
		for _, in := range m.tracks {
			r.forget(in)
		}
		r.members = slices.DeleteFunc(r.members, func(other *member) bool { return other == m })
	}
}

func (r *Room) addTrack(memberID string, t signaling.Track) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.find(memberID)
	if m == nil || m.find(t.ID) != nil || len(r.incoming) >= maxIncoming {
		return
	}
	in := newIncoming(m.info, t)
	m.tracks = append(m.tracks, in)
	for _, l := range t.Layers {
		r.incoming[l.Alias] = in
	}
}

func (r *Room) updateTrack(memberID string, t signaling.Track) {
	if in := r.Incoming(memberID, t.ID); in != nil {
		in.mu.Lock()
		in.track = t
		in.mu.Unlock()
	}
}

func (r *Room) removeTrack(memberID, track string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.find(memberID); m != nil {
		if in := m.find(track); in != nil {
			r.forget(in)
			m.tracks = slices.DeleteFunc(m.tracks, func(other *Incoming) bool { return other == in })
		}
	}
}

// forget takes a track's aliases out, unless another has them by now.
func (r *Room) forget(in *Incoming) {
	for _, l := range in.Track().Layers {
		if r.incoming[l.Alias] == in {
			delete(r.incoming, l.Alias)
		}
	}
}

func (r *Room) drops(m *signaling.Drops) {
	for _, d := range m.Tracks {
		if in := r.Incoming(d.Member, d.Track); in != nil {
			in.mu.Lock()
			in.stats.Drops = d.Frames
			in.mu.Unlock()
		}
	}
}

// rejoined brings the roster in line with that of a new connection. What is different comes as the messages that
// would have told it: nothing that happened meanwhile is replayed.
func (r *Room) rejoined(j *signaling.Joined) {
	r.opts.OnEvent(j)
	r.mu.Lock()
	known := slices.Clone(r.members)
	r.mu.Unlock()
	for _, m := range known {
		r.compare(m, j.Members)
	}
	for _, info := range j.Members {
		r.mu.Lock()
		m := r.find(info.ID)
		r.mu.Unlock()
		tracks := info.Tracks
		if info.Tracks = nil; m == nil {
			r.eventNow(&signaling.MemberJoined{Type: "memberJoined", Member: info})
		} else if m.info.State != info.State {
			r.eventNow(&signaling.MemberState{Type: "memberState", ID: info.ID, State: info.State})
		}
		for _, t := range tracks {
			if r.Incoming(info.ID, t.ID) == nil {
				r.eventNow(&signaling.TrackAdded{Type: "trackAdded", Member: info.ID, Track: t})
			}
		}
	}
}

// compare tells what is gone of a member, and starts its other tracks over.
func (r *Room) compare(m *member, now []signaling.Member) {
	i := slices.IndexFunc(now, func(other signaling.Member) bool { return other.ID == m.info.ID })
	for _, in := range slices.Clone(m.tracks) {
		t := in.Track()
		j := -1
		if i >= 0 {
			j = slices.IndexFunc(now[i].Tracks, func(other signaling.Track) bool { return same(t, other) })
		}
		if j < 0 {
			r.eventNow(&signaling.TrackRemoved{Type: "trackRemoved", Member: m.info.ID, Track: t.ID, Reason: "lost"})
			continue
		}
		in.reconnected()
		r.updateTrack(m.info.ID, now[i].Tracks[j])
	}
	if i < 0 {
		r.eventNow(&signaling.MemberLeft{Type: "memberLeft", ID: m.info.ID, Reason: "lost"})
	}
}

// same reports whether two announcements are of one publication. The clock tells apart those of which one
// came after the other.
func same(a, b signaling.Track) bool {
	return a.ID == b.ID && a.Clock == b.Clock && a.Codec == b.Codec && slices.EqualFunc(a.Layers, b.Layers, func(x, y signaling.Layer) bool { return x.Alias == y.Alias })
}
