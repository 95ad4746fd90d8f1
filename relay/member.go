package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"landline/media"
)

// Carries lists the codecs that a member's session can take.
type Carries []media.Codec

// Member is one identity in a room. It outlives its sessions: see Lost and Resume.
type Member struct {
	room    *Room
	id      string
	name    string
	since   time.Time
	carries Carries
	path    Path
	traffic *Traffic

	hidden   bool
	deaf     bool
	noReplay bool
	archive  bool
	of       *Member // in whose stead it receives; nil = its own

	// Guarded by Room.mu.
	left   bool
	state  State
	grace  *time.Timer
	pub    *Publisher
	sub    *Subscriber
	tracks map[string]*Track
	wants  map[Selector]Want
	// refused holds the tracks of which this session was told that it cannot decode them.
	refused map[*Track]bool
	roster  []MemberInfo // the others when the session began
	detour  *Detour      // nil: media goes by the session's own handles
}

// ID, Name and Room tell who the member is and where. They never change.
func (m *Member) ID() string   { return m.id }
func (m *Member) Name() string { return m.name }
func (m *Member) Room() string { return m.room.name }

// attach gives the member fresh handles.
func (m *Member) attach(notify func(bool)) {
	r := m.room.relay
	m.pub = newPublisher(m, m.path)
	m.sub = newSubscriber(notify, r.now, &r.totals)
	m.sub.path, m.sub.traffic, m.sub.noReplay, m.sub.archive = m.path, m.traffic, m.noReplay, m.archive
	m.refused = map[*Track]bool{}
	m.roster = m.others()
	for _, t := range m.tracks {
		m.pub.add(t)
	}
	for _, st := range m.room.streams {
		if st.from == m {
			m.pub.addStream(st)
		}
	}
}

// detach closes the handles of a session that is over.
func (m *Member) detach() {
	if m.pub != nil {
		m.pub.close()
		m.pub = nil
	}
	if m.sub != nil {
		m.sub.close()
		m.sub = nil
	}
}

// Handles returns the member's handles, which belong to the session that joined or resumed last.
func (m *Member) Handles() (*Publisher, *Subscriber) {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	return m.pub, m.sub
}

// Lost says that the member's session is gone without a bye. The member stays for Options.Grace, shown as
// reconnecting; onGone, if not nil, is called when it then leaves. sub tells which session it was: one that was
// replaced in the meantime changes nothing.
func (m *Member) Lost(sub *Subscriber, onGone func()) {
	m.room.change(func(wakes *[]*Subscriber) {
		if m.left || m.sub != sub || sub == nil {
			return
		}
		for _, t := range m.tracks {
			t.interrupt(wakes)
		}
		m.endDetour(wakes)
		m.unfeed(wakes)
		m.detach()
		m.state = Reconnecting
		var grace *time.Timer
		grace = time.AfterFunc(m.room.relay.opts.Grace, func() {
			if m.room.leave(m, "lost", func() bool { return m.grace == grace }) && onGone != nil {
				onGone()
			}
		})
		m.grace = grace
		m.room.tell(&Event{Kind: MemberState, Member: m.id, State: Reconnecting}, m, wakes)
	})
}

// unfeed takes the member's subscriber off all tracks.
func (m *Member) unfeed(wakes *[]*Subscriber) {
	for _, other := range m.room.members {
		for _, t := range other.tracks {
			t.unfeed(m)
			t.review(wakes)
		}
	}
}

// Resume gives the member a new session: fresh handles, the old tracks and subscriptions. The old session's
// handles, if it is not known to be lost yet, stop working. ErrGone if the grace is over.
func (m *Member) Resume(carries Carries, notify func(bool)) (err error) {
	m.room.change(func(wakes *[]*Subscriber) {
		if m.left {
			err = ErrGone
			return
		}
		if m.sub != nil {
			for _, t := range m.tracks {
				t.interrupt(wakes)
			}
			m.endDetour(wakes)
			m.unfeed(wakes)
			m.detach()
		}
		if m.grace != nil {
			m.grace.Stop()
			m.grace = nil
		}
		m.carries = carries
		m.attach(notify)
		if m.state == Reconnecting {
			m.state = Online
			m.room.tell(&Event{Kind: MemberState, Member: m.id, State: Online}, m, wakes)
		}
		m.refeedAll(wakes)
		m.tellWantedAgain(wakes)
		m.offerAgain(wakes)
	})
	return err
}

// Leave takes the member out of the room. reason is told to the others.
func (m *Member) Leave(reason string) { m.room.leave(m, reason, func() bool { return true }) }

// Publish opens tracks, all or none.
func (m *Member) Publish(offers []Offer) ([]TrackInfo, error) { return m.room.publish(m, offers) }

// Unpublish withdraws a track.
func (m *Member) Unpublish(id string) error {
	m.room.mu.Lock()
	t := m.tracks[id]
	m.room.mu.Unlock()
	if t == nil {
		return ErrNoSuchTrack
	}
	m.room.endTrack(t, "unpublished", media.EndUnpublished)
	return nil
}

// Configure replaces the format of a track; kind and codec stay. layers, where there are any, replace those of the track but for
// their aliases: as many as there were, or else it is ErrLayers.
func (m *Member) Configure(id string, f media.Format, layers []LayerInfo) (err error) {
	e := m.room.update(m, id, func(t *TrackInfo) {
		if len(layers) > 0 && (len(layers) != len(t.Layers) || len(layers) == 1) {
			err = ErrLayers
			return
		}
		f.Kind, f.Codec = t.Kind, t.Codec
		t.Format = f
		t.Layers = slices.Clone(t.Layers)
		for i, l := range layers {
			l.Alias = t.Layers[i].Alias
			t.Layers[i] = l
		}
	})
	return errors.Join(err, e)
}

// Mute says whether a track is muted.
func (m *Member) Mute(id string, muted bool) error {
	return m.room.update(m, id, func(t *TrackInfo) { t.Muted = muted })
}

// tellLocked queues an event with the member itself, under Room.mu.
func (m *Member) tellLocked(e *Event, wakes *[]*Subscriber) {
	if m.sub != nil && m.sub.pushEvent(e) {
		*wakes = append(*wakes, m.sub)
	}
}

// Roster is the member itself as it is now, and the others as they were when this session began, ordered by
// when they came: what changed since is in the Subscriber's events. It is for the beginning of a session: a second
// call gives no others.
func (m *Member) Roster() (self MemberInfo, others []MemberInfo) {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	others, m.roster = m.roster, nil
	return m.info(), others
}

// others lists the other members, under Room.mu.
func (m *Member) others() []MemberInfo {
	list := make([]*Member, 0, len(m.room.members))
	for _, other := range m.room.members {
		if other != m && !other.hidden && other != m.of {
			list = append(list, other)
		}
	}
	slices.SortFunc(list, func(a, b *Member) int { return a.since.Compare(b.since) })
	infos := make([]MemberInfo, 0, len(list))
	for _, other := range list {
		infos = append(infos, other.info())
	}
	return infos
}

func (m *Member) info() MemberInfo {
	info := MemberInfo{ID: m.id, Name: m.name, State: m.state}
	for _, t := range m.tracks {
		info.Tracks = append(info.Tracks, t.snapshot())
	}
	slices.SortFunc(info.Tracks, func(a, b TrackInfo) int { return strings.Compare(a.ID, b.ID) })
	return info
}

// KeyFrame answers a subscriber that cannot decode a track: with a catch-up from the current group if it has not
// had one since it began, and otherwise by asking the publisher.
func (m *Member) KeyFrame(member, track string) error {
	var err error
	m.room.change(func(wakes *[]*Subscriber) {
		t, e := m.room.find(member, track)
		m := m.receiver(member)
		if err = e; err != nil || m.sub == nil {
			return
		}
		f := m.sub.feedOf(t)
		if f == nil {
			err = ErrNoSuchTrack
			return
		}
		asked, wake := m.sub.repeat(f)
		if wake {
			*wakes = append(*wakes, m.sub)
		}
		if asked != nil {
			asked.askNow(wakes)
		}
	})
	return err
}

func (r *Room) find(member, track string) (*Track, error) {
	m := r.members[member]
	if m == nil {
		return nil, ErrNoSuchMember
	}
	if m.tracks[track] == nil {
		return nil, ErrNoSuchTrack
	}
	return m.tracks[track], nil
}

// noCommonCodec tells both sides of a subscription that nothing will come of it, once in a session.
func (m *Member) noCommonCodec(t *Track, wakes *[]*Subscriber) {
	if m.refused[t] || m.of != nil && m.of.detour != nil && m.of.detour.gradual {
		return // it comes by the session then
	}
	m.refused[t] = true
	info := t.info.Load()
	e := &Event{Kind: NoticeText, Reason: "no-common-codec", Member: t.member.id, Track: TrackInfo{Offer: Offer{ID: info.ID}},
		Text: fmt.Sprintf("%s sends %s, which %s cannot decode", t.member.name, info.Codec, m.name)}
	m.tellLocked(e, wakes)
	t.member.tellLocked(e, wakes)
}
