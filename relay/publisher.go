package relay

import (
	"errors"
	"sync"

	"landline/media"
)

// ErrUnknownAlias says that a message names an alias under which this session publishes nothing. It is
// ignored; a session that does it often is at fault.
var ErrUnknownAlias = errors.New("unknown alias")

// Publisher is a session's handle for what it sends. Write and Control never block and are called by one
// goroutine, the one that reads the socket.
type Publisher struct {
	member *Member
	path   Path
	wakes  []*Subscriber // scratch

	mu     sync.Mutex
	closed bool
	tracks map[uint16]*Track
	ended  [32]uint16 // aliases of tracks that ended of late: chunks under them are under way still
	next   int

	streams      map[uint32]*stream
	endedStreams [maxStreamsFrom]uint32 // data on them is under way still
	nextStream   int
}

func newPublisher(m *Member, path Path) *Publisher {
	return &Publisher{member: m, path: path, tracks: map[uint16]*Track{}, streams: map[uint32]*stream{}}
}

// current reports whether the publisher is of the member's session that is now, under Room.mu.
func (p *Publisher) current() bool {
	m := p.member
	return m.pub == p || m.detour != nil && m.detour.Publisher == p
}

// Write takes one chunk: c is m.Data parsed. Errors are ErrUnknownAlias, an *OrderError, or a
// media.WireError.
func (p *Publisher) Write(c *media.Chunk, m Message) error {
	t, err := p.track(c.Alias)
	if t == nil || err != nil {
		return err
	}
	if t.class != ClassAudio {
		if err := c.CheckLength(); err != nil {
			return err
		}
	}
	p.member.traffic.in[p.path].Add(uint64(len(m.Data)))
	t.relay.totals.Traffic.in[p.path].Add(uint64(len(m.Data)))
	asks, err := t.write(p, c, m, &p.wakes)
	p.wakeAll(t.class == ClassAudio)
	if asks {
		t.askKeyFrame()
	}
	return err
}

// Control takes an Abandon or End. After End the alias is gone. Errors as of Write; media.ErrWireKind for what a
// publisher does not send.
func (p *Publisher) Control(c media.Control) error {
	t, err := p.track(c.Alias)
	if t == nil || err != nil {
		return err
	}
	switch c.Kind {
	case media.KindEnd:
		t.room.change(func(wakes *[]*Subscriber) {
			if p.current() {
				t.room.end(t, "ended", media.EndFinished, wakes)
			}
		})
	case media.KindAbandon:
		t.giveUp(p, c.Group, &p.wakes)
		p.wakeAll(t.class == ClassAudio)
	default:
		return media.ErrWireKind
	}
	return nil
}

// track finds a track by alias; nil without an error means a track that has ended.
func (p *Publisher) track(alias uint16) (*Track, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil
	}
	if t := p.tracks[alias]; t != nil {
		return t, nil
	}
	for _, a := range p.ended {
		if a == alias {
			return nil, nil
		}
	}
	return nil, ErrUnknownAlias
}

func (p *Publisher) wakeAll(audio bool) {
	wakeAll(p.wakes, audio)
	clear(p.wakes)
	p.wakes = p.wakes[:0]
}

// wakeAll tells the sessions of subscribers that there is something to pull. It is called with no lock held.
func wakeAll(subs []*Subscriber, audio bool) {
	for _, s := range subs {
		s.notify(audio)
	}
}

func (p *Publisher) add(t *Track) {
	t.handTo(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tracks[t.alias] = t
}

func (p *Publisher) forget(t *Track) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tracks, t.alias)
	p.ended[p.next%len(p.ended)] = t.alias
	p.next++
}

// close makes every later Write a no-op: the session is over, or another took its place.
func (p *Publisher) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}
