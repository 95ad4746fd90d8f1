package relay

import (
	"sync/atomic"

	"landline/media"
)

// Path tells which way media came or went. The relay counts by it, and knows no more of it.
type Path uint8

// The paths.
const (
	WebSocket Path = iota
	WebRTC
	ToArchive // what one who records was given
	Paths     = 3
)

// Traffic counts bytes of media messages by path.
type Traffic struct{ in, out [Paths]atomic.Uint64 }

// In and Out are what came from publishers, and what went to subscribers.
func (t *Traffic) In(p Path) uint64  { return t.in[p].Load() }
func (t *Traffic) Out(p Path) uint64 { return t.out[p].Load() }

// Detour takes a member's media off the handles of its session, until it is closed or the session ends: what it receives comes
// from another Subscriber, and what it publishes of some tracks goes into another Publisher. Topics, objects, and all events
// that do not go with media stay with the session.
type Detour struct {
	member *Member
	hidden *Member // receives in the member's stead

	// Publisher takes chunks of the tracks that are sent this way, Subscriber gives the media that is received, with the events of
	// the tracks' life. What it gives begins with key frames, never with a catch-up.
	Publisher  *Publisher
	Subscriber *Subscriber

	// Guarded by Room.mu.
	gradual bool           // media that is received goes on by the session, until Take says otherwise
	begun   bool           // of a gradual one: the way is open
	ways    map[string]Way // of a gradual one, by publisher
}

// Way tells how the media of a publisher comes while a gradual Detour is open.
type Way uint8

// The ways. With ByBoth the receiver changes from one to the other when it likes.
const (
	ByBoth Way = iota
	ByDetour
	BySession
)

// Detour opens one. tracks are those of the member's own that are sent this way from now on; notify is as in Join. With gradual, media that is
// received comes by both ways once Begin was called. Errors are ErrGone, ErrNoSuchTrack, and ErrDetour where there is one already.
func (m *Member) Detour(tracks []string, carries Carries, notify func(audio bool), gradual bool) (d *Detour, err error) {
	m.room.change(func(wakes *[]*Subscriber) {
		if err = m.mayDetour(tracks); err != nil {
			return
		}
		h := &Member{room: m.room, id: "\x00" + m.id, name: m.name, since: m.since, carries: carries, hidden: true, of: m,
			noReplay: true, path: WebRTC, traffic: m.traffic, tracks: map[string]*Track{}, wants: map[Selector]Want{}}
		m.room.members[h.id] = h
		m.room.uncounted++
		h.attach(notify)
		d = &Detour{member: m, hidden: h, Publisher: newPublisher(m, WebRTC), Subscriber: h.sub,
			gradual: gradual, ways: map[string]Way{}}
		m.detour = d
		for _, id := range tracks {
			m.tracks[id].interrupt(wakes)
			d.Publisher.add(m.tracks[id])
		}
		m.refeedAll(wakes)
		h.refeedAll(wakes)
	})
	return d, err
}

// Begin says that the way of a gradual one is open.
func (d *Detour) Begin() {
	d.change(func() error { d.begun = true; return nil })
}

// Take says how the media of a publisher is to come from now on, of a gradual one: by both ways until it was called. The session goes on
// with a catch-up, the detour with a key frame. ErrNoSuchMember if the publisher is gone.
func (d *Detour) Take(member string, w Way) error {
	return d.change(func() error {
		room := d.member.room
		if room.members[member] == nil {
			return ErrNoSuchMember
		}
		for id := range d.ways {
			if room.members[id] == nil {
				delete(d.ways, id)
			}
		}
		d.ways[member] = w
		return nil
	})
}

// change does so, and brings what comes by either way in line with it.
func (d *Detour) change(f func() error) (err error) {
	d.member.room.change(func(wakes *[]*Subscriber) {
		if d.member.detour != d {
			return
		}
		if err = f(); err == nil {
			d.member.refeedWays(wakes)
		}
	})
	return err
}

// refeedWays does refeedAll for the session, and for the detour.
func (m *Member) refeedWays(wakes *[]*Subscriber) {
	m.refeedAll(wakes)
	if m.detour != nil {
		m.detour.hidden.refeedAll(wakes)
	}
}

// bySession and byDetour report which of the two take a publisher's media.
func (d *Detour) bySession(member string) bool {
	return d.gradual && (!d.begun || d.ways[member] != ByDetour)
}

func (d *Detour) byDetour(member string) bool {
	return !d.gradual || d.begun && d.ways[member] != BySession
}

func (m *Member) mayDetour(tracks []string) error {
	switch {
	case m.left || m.sub == nil:
		return ErrGone
	case m.detour != nil:
		return ErrDetour
	}
	for _, id := range tracks {
		if m.tracks[id] == nil {
			return ErrNoSuchTrack
		}
	}
	return nil
}

// Close brings media back to the session: what is received goes on with a catch-up, what is published with the next key frame.
func (d *Detour) Close() {
	d.member.room.change(func(wakes *[]*Subscriber) {
		m := d.member
		if m.detour != d {
			return
		}
		m.endDetour(wakes)
		for _, t := range m.tracks {
			if t.writtenBy(d.Publisher) {
				t.interrupt(wakes)
				m.pub.add(t)
			}
		}
		m.refeedAll(wakes)
	})
}

// endDetour closes the handles of a detour, under Room.mu.
func (m *Member) endDetour(wakes *[]*Subscriber) {
	d := m.detour
	if d == nil {
		return
	}
	m.detour = nil
	d.Publisher.close()
	m.room.uncounted--
	m.room.remove(d.hidden, "", wakes)
}

// Roster is the others as they were when the detour began, once.
func (d *Detour) Roster() []MemberInfo {
	_, others := d.hidden.Roster()
	return others
}

// Pause holds one track back, or lets it come again: there may be no place for it on the way.
func (d *Detour) Pause(member, track string, paused bool) { d.hidden.pause(member, track, paused) }

// KeyFrame says that the receiver cannot decode a track: the publisher is asked for a key frame.
func (d *Detour) KeyFrame(member, track string) error { return d.hidden.KeyFrame(member, track) }

// Pause holds one track back from a member, or lets it come again as its subscriptions say.
func (m *Member) Pause(member, track string, paused bool) { m.pause(member, track, paused) }

func (m *Member) pause(member, track string, paused bool) {
	m.room.change(func(wakes *[]*Subscriber) {
		t, err := m.room.find(member, track)
		if err != nil {
			return // it is gone, and what was wanted of it
		}
		s := Selector{Member: member, Track: track}
		if delete(m.wants, s); paused {
			m.wants[s] = Want{Paused: true}
		}
		m.refeed(t, wakes)
	})
}

// Track is one of the member's own tracks.
func (m *Member) Track(id string) (info TrackInfo, ok bool) {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	t := m.tracks[id]
	if t == nil {
		return TrackInfo{}, false
	}
	return t.snapshot(), true
}

// receiver is who stands for the member where it receives a publisher's media; the session, where both do.
func (m *Member) receiver(publisher string) *Member {
	if m.detour != nil && !m.detour.bySession(publisher) {
		return m.detour.hidden
	}
	return m
}

// owns reports whether a track is the member's own, or that of the one in whose stead it receives.
func (m *Member) owns(t *Track) bool { return t.member == m || t.member == m.of }

// Next is the group that comes next under an alias of this publisher: what was sent before it has lower numbers. ok is
// false for an alias that is not its.
func (p *Publisher) Next(alias uint16) (group uint32, ok bool) {
	l, err := p.layer(alias)
	if l == nil || err != nil {
		return 0, false
	}
	l.track.mu.Lock()
	defer l.track.mu.Unlock()
	return l.pos.group + 1, true
}

// End ends a track, behind its last chunk.
func (p *Publisher) End(alias uint16) error {
	return p.Control(media.Control{Kind: media.KindEnd, Alias: alias})
}

func (t *Track) writtenBy(p *Publisher) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writer == p
}
