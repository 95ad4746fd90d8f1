package relay

import (
	"slices"
	"time"
)

// settle lets every reader catch up, and holds that rosters are true and that a new key frame reaches all who want it.
func (m *model) settle() {
	drain := func() {
		for _, s := range m.seats {
			if s.s != nil && !s.lost {
				s.s.drain()
			}
		}
	}
	drain()
	m.pass(3 * time.Second)
	drain()
	for _, s := range m.seats {
		for key, c := range s.sources {
			if s.lost {
				continue
			}
			c.pieces(s.open[key])
			c.send(true, 100)
		}
	}
	drain()
	m.pass(gatherTime) // audio for a thin link
	drain()
	for _, s := range m.seats {
		if s.s != nil && !s.lost {
			m.settled(s)
		}
	}
}

func (m *model) settled(s *seat) {
	room := s.s.m.room
	room.mu.Lock()
	defer room.mu.Unlock()
	for _, other := range m.seats {
		if other == s {
			continue
		}
		tracks, there := s.s.roster[other.id]
		if there != (other.s != nil) || len(tracks) != len(other.ids()) || there && (s.s.states[other.id] == Reconnecting) != other.lost {
			m.rt.Fatalf("%s: roster says %v of %s (state %d), who has %d tracks, there %v, lost %v", s.id, tracks, other.id,
				s.s.states[other.id], len(other.sources), other.s != nil, other.lost)
		}
		for id, layers := range other.ids() {
			c, t := layers[0], other.s.m.tracks[id]
			if w, ok := s.s.m.want(t); !ok || w.Paused || other.lost || !slices.Contains(s.s.m.carries, c.info.Codec) {
				continue
			}
			in := s.s.of(other.id, id)
			if of := in.of; of.alias != 0 { // the layer that is received
				in = s.s.tracks[of.alias]
				c = layers[slices.Index(of.aliases, of.alias)]
			}
			if n := len(in.got); n == 0 || in.got[n-1].group != c.group {
				m.rt.Fatalf("%s: %s/%s stands at %v, where group %d was written", s.id, other.id, id, in.got, c.group)
			}
		}
	}
}

// ids lists the sources of each track.
func (s *seat) ids() map[string][]*source {
	list := map[string][]*source{}
	for _, c := range s.sources {
		list[c.info.ID] = nil
	}
	for id := range list {
		list[id] = s.layersOf(id)
	}
	return list
}
