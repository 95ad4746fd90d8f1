package relay

import (
	"errors"
	"sync"
	"time"

	"landline/media"
)

// Room is a name, its members and their tracks.
type Room struct {
	relay *Relay
	name  string

	mu      sync.Mutex
	gone    bool
	members map[string]*Member
	chat    chatLog
	topics  map[string]*topic

	streams    map[uint32]*stream // of objects, by number
	lastStream uint32

	uncounted int        // of the members: those in another's stead, and those who record
	archives  int        // of the members: those who record
	recording *Recording // nil: there is none, and was none
	playback  *Playback  // nil: nothing is played
}

var errRoomGone = errors.New("the room has just gone")

// change runs f with the room locked, and afterwards tells the sessions that f collected.
func (r *Room) change(f func(wakes *[]*Subscriber)) {
	var wakes []*Subscriber
	func() {
		r.mu.Lock()
		defer r.mu.Unlock() // also if f panics: then one session ends, not the room
		f(&wakes)
	}()
	wakeAll(wakes, true)
}

// tell queues an event with every member but one.
func (r *Room) tell(e *Event, but *Member, wakes *[]*Subscriber) {
	for _, m := range r.members {
		if m != but && m.sub != nil && m.sub.pushEvent(e) {
			*wakes = append(*wakes, m.sub)
		}
	}
}

// join seats a newcomer; first tells that nobody else who can be seen is there.
func (r *Room) join(who Identity, carries Carries, notify func(bool)) (m *Member, first bool, err error) {
	r.change(func(wakes *[]*Subscriber) {
		old := r.members[who.ID]
		if r.gone {
			err = errRoomGone
			return
		}
		if old == nil && len(r.members)-r.uncounted >= r.relay.opts.MaxMembers {
			err = ErrRoomFull
			return
		}
		if old != nil {
			r.remove(old, "replaced", wakes)
		}
		m = &Member{room: r, id: who.ID, name: who.Name, carries: carries, since: time.Now(),
			hidden: who.Hidden || who.Archive, deaf: who.Deaf, archive: who.Archive, noReplay: who.NoReplay, path: who.Path, traffic: &Traffic{},
			tracks: map[string]*Track{}, wants: map[Selector]Want{}}
		m.attach(notify)
		r.members[who.ID] = m
		if m.archive {
			r.archives++
			r.uncounted++
		}
		if !m.hidden {
			first = r.seen() == 1
			r.tell(&Event{Kind: MemberJoined, Member: m.id, Name: m.name}, m, wakes)
		}
	})
	return m, first, err
}

// seen counts the members that a roster shows, as far as two.
func (r *Room) seen() (n int) {
	for _, m := range r.members {
		if !m.hidden {
			if n++; n == 2 {
				break
			}
		}
	}
	return n
}

// remove takes a member out with its tracks. The caller drops the room if it is empty then.
func (r *Room) remove(m *Member, reason string, wakes *[]*Subscriber) {
	if m.left {
		return
	}
	m.left = true
	m.endDetour(wakes)
	if m.grace != nil {
		m.grace.Stop()
	}
	for _, t := range m.tracks {
		r.end(t, reason, media.EndLeft, wakes)
	}
	m.unfeed(wakes)
	r.closeStreams(m, wakes)
	m.detach()
	delete(r.members, m.id)
	if m.archive {
		r.archives--
		r.uncounted--
	}
	for _, t := range r.topics {
		for _, s := range t.abandon(m.id) {
			if s.dataReady() {
				*wakes = append(*wakes, s)
			}
		}
	}
	for _, other := range r.members {
		delete(other.wants, Selector{Member: m.id})
	}
	if !m.hidden {
		r.tell(&Event{Kind: MemberLeft, Member: m.id, Reason: reason}, nil, wakes)
	}
}

// leave is remove from outside, on a condition that is looked at under the lock.
func (r *Room) leave(m *Member, reason string, when func() bool) (left bool) {
	var gone bool
	r.change(func(wakes *[]*Subscriber) {
		if left = !m.left && when(); left {
			r.remove(m, reason, wakes)
		}
		// Who records is not what keeps a room: it has what is queued for it, and leaves.
		r.gone = r.gone || len(r.members) == r.archives
		if gone = r.gone; gone {
			for _, t := range r.topics {
				t.close()
			}
		}
	})
	if gone {
		r.relay.drop(r)
	}
	return left
}

// publish adds tracks of a member, all or none, and feeds them to everybody whose subscriptions fit.
func (r *Room) publish(m *Member, offers []Offer) (infos []TrackInfo, err error) {
	r.change(func(wakes *[]*Subscriber) {
		if err = r.mayPublish(m, offers); err != nil {
			return
		}
		var made []*Track
		for _, o := range offers {
			var aliases []uint16
			if aliases, err = r.relay.aliases.takeSome(max(1, len(o.Layers)), r.relay.now()); err != nil {
				for _, t := range made {
					t.giveBack()
				}
				return
			}
			made = append(made, newTrack(m, o, aliases))
		}
		for _, t := range made {
			r.open(m, t, wakes)
			infos = append(infos, t.snapshot())
		}
	})
	return infos, err
}

func (r *Room) mayPublish(m *Member, offers []Offer) error {
	if m.left {
		return ErrGone
	}
	if len(m.tracks)+len(offers) > r.relay.opts.MaxTracks {
		return ErrTooManyTracks
	}
	seen := map[string]bool{}
	for _, o := range offers {
		if m.tracks[o.ID] != nil || seen[o.ID] {
			return ErrTrackExists
		}
		seen[o.ID] = true
	}
	return nil
}

// giveBack gives back the aliases of a track.
func (t *Track) giveBack() {
	for _, l := range t.layers {
		t.relay.aliases.giveBack(l.alias, t.relay.now())
	}
}

// open makes a track public: announced and fed in one step, so that nobody misses its first chunk.
func (r *Room) open(m *Member, t *Track, wakes *[]*Subscriber) {
	info := t.info.Load()
	m.tracks[info.ID] = t
	if m.pub != nil {
		m.pub.add(t)
	}
	r.tell(&Event{Kind: TrackAdded, Member: m.id, Track: t.snapshot()}, m, wakes)
	for _, other := range r.members {
		if !other.owns(t) {
			other.refeed(t, wakes)
		}
	}
	t.review(wakes)
}

// end closes a track: subscribers get End behind what they still have queued.
func (r *Room) end(t *Track, reason string, why media.EndReason, wakes *[]*Subscriber) {
	id := t.info.Load().ID
	if t.member.tracks[id] != t {
		return
	}
	delete(t.member.tracks, id)
	t.stopReview()
	for _, other := range r.members {
		delete(other.wants, Selector{Member: t.member.id, Track: id})
		delete(other.refused, t)
	}
	if t.member.pub != nil {
		t.member.pub.forget(t)
	}
	t.finish(why, wakes)
	t.giveBack()
	r.tell(&Event{Kind: TrackRemoved, Member: t.member.id, Track: TrackInfo{Offer: Offer{ID: id}}, Reason: reason}, t.member, wakes)
}

func (r *Room) endTrack(t *Track, reason string, why media.EndReason) {
	r.change(func(wakes *[]*Subscriber) { r.end(t, reason, why, wakes) })
}

// update changes a track's announcement and tells everybody.
func (r *Room) update(m *Member, id string, f func(*TrackInfo)) (err error) {
	r.change(func(wakes *[]*Subscriber) {
		t := m.tracks[id]
		if t == nil {
			err = ErrNoSuchTrack
			return
		}
		info := *t.info.Load()
		f(&info)
		t.info.Store(&info)
		r.tell(&Event{Kind: TrackUpdated, Member: m.id, Track: t.snapshot()}, m, wakes)
	})
	return err
}
