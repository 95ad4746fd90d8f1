package relay

import (
	"math/bits"
	"slices"
	"strings"
	"time"
)

// RoomStats is what is known of a room now.
type RoomStats struct {
	Name    string
	Members []MemberStats
}

// MemberStats is what is known of a member now.
type MemberStats struct {
	ID, Name string
	State    State
	Since    time.Time
	Tracks   []TrackStats
	Link     LinkStats
	Hidden   bool     // it only watches
	Path     Path     // of its session
	Detour   bool     // its media goes by WebRTC, beside its session
	Traffic  *Traffic // of all its sessions
}

// TrackStats counts what a track has brought to the relay.
type TrackStats struct {
	TrackInfo
	Frames, Bytes, KeyFrames uint64
	Subscribers              int
	Layers                   []LayerStats // of a track with several
	Unwanted                 int          // how many layers the publisher was told nobody takes
}

// LayerStats tells how a layer does.
type LayerStats struct {
	Width, Height int
	Rate          int // bytes a second of late
	Made, Wanted  bool
	Takers        int // subscribers that take it, or are to take it next
}

// FeedStats tells which layer of a track with several a member is sent.
type FeedStats struct {
	Member, Track string
	Height        int
	Why           LayerWhy
	Next          int // height of the layer that is to come next; 0 = none
}

// LinkStats tells how a member's own reception goes.
type LinkStats struct {
	QueueBytes   int
	QueueAge     time.Duration // of the oldest frame that waits
	InFlight     int           // bytes sent and not acknowledged
	Window       int           // bytes that may be in flight
	Delay        time.Duration // queueing on the path, of the newest acknowledged message
	RTT          time.Duration // the shortest of late
	Rate         int           // bytes a second delivered, the best of 2 s
	Capacity     int           // the same where the link was seen full of late, else 0
	Sent         uint64        // payload bytes on this connection
	ClosedGates  int           // video tracks that wait for a key frame
	Muffled      int           // speakers left out since not all audio fits
	Drops        DropCounts
	Subscribed   int
	WaitingEvent int
	DataBehind   int // values of topics that were not sent yet
	ObjectBytes  int // of objects that wait
	Thinned      int // video tracks of which upper temporal layers are left out
	Layers       []FeedStats
}

// Snapshot describes all rooms, ordered by name, members by when they came.
func (r *Relay) Snapshot() []RoomStats {
	r.mu.Lock()
	rooms := make([]*Room, 0, len(r.rooms))
	for _, rm := range r.rooms {
		rooms = append(rooms, rm)
	}
	r.mu.Unlock()
	slices.SortFunc(rooms, func(a, b *Room) int { return strings.Compare(a.name, b.name) })
	out := make([]RoomStats, 0, len(rooms))
	for _, rm := range rooms {
		if s := rm.snapshot(); len(s.Members) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (r *Room) snapshot() RoomStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := RoomStats{Name: r.name}
	for _, m := range r.members {
		if m.of != nil {
			continue
		}
		ms := MemberStats{ID: m.id, Name: m.name, State: m.state, Since: m.since, Hidden: m.hidden, Path: m.path,
			Detour: m.detour != nil, Traffic: m.traffic}
		for _, t := range m.tracks {
			ms.Tracks = append(ms.Tracks, t.stats())
		}
		slices.SortFunc(ms.Tracks, func(a, b TrackStats) int { return strings.Compare(a.ID, b.ID) })
		if m.detour != nil && !m.detour.gradual {
			m = m.detour.hidden
		}
		if m.sub != nil {
			ms.Link = m.sub.Stats()
		}
		s.Members = append(s.Members, ms)
	}
	slices.SortFunc(s.Members, func(a, b MemberStats) int { return a.Since.Compare(b.Since) })
	return s
}

// Stats tells how the subscriber's link does.
func (s *Subscriber) Stats() LinkStats {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	sent, _ := s.link.Total()
	l := LinkStats{InFlight: s.link.InFlight(), Window: s.link.Window(), Delay: s.link.Delay(), RTT: s.link.RTT(), Rate: s.link.Rate(),
		Capacity: s.link.Capacity(now), Sent: sent, Drops: s.drops,
		Subscribed: len(s.feeds), WaitingEvent: len(s.events), DataBehind: s.dataBehind()}
	for _, b := range s.bulks {
		l.ObjectBytes += b.left()
	}
	for _, f := range s.feeds {
		l.QueueBytes += f.bytes
		l.QueueAge = max(l.QueueAge, f.age(now))
		if f.closed && !f.paused {
			l.ClosedGates++
		}
		if f.speaker.muffled {
			l.Muffled++
		}
		for r, n := range f.drops {
			l.Drops[r] += n
		}
		if f.thin.on {
			l.Thinned++
		}
		if f.layered() && !f.paused {
			l.Layers = append(l.Layers, f.stats())
		}
	}
	return l
}

func (f *feed) stats() FeedStats {
	layers := f.source.info.Load().Layers
	st := FeedStats{Member: f.member, Track: f.track, Height: layers[f.layer.index].Height, Why: f.choice.why}
	if f.target != nil {
		st.Next = layers[f.target.index].Height
	}
	return st
}

// stats is called under Room.mu.
func (t *Track) stats() TrackStats {
	feeds := *t.feeds.Load()
	s := TrackStats{TrackInfo: t.snapshot(), Subscribers: len(feeds)}
	s.Frames, s.Bytes, s.KeyFrames = t.counts()
	made, told := layerSet(t.made.Load()), layerSet(t.told.Load())
	s.Unwanted = bits.OnesCount32(uint32(t.all() &^ told))
	if len(t.layers) == 1 {
		return s
	}
	for i, l := range t.layers {
		ls := LayerStats{Height: s.TrackInfo.Layers[i].Height, Width: s.TrackInfo.Layers[i].Width, Rate: int(l.rate.Load()), Made: made.has(i), Wanted: told.has(i)}
		for _, f := range feeds {
			if layerSet(f.takes.Load()).has(i) {
				ls.Takers++
			}
		}
		s.Layers = append(s.Layers, ls)
	}
	return s
}
