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
	layers map[uint16]*Layer
	ended  [64]uint16 // aliases of tracks that ended of late: chunks under them are under way still
	next   int

	streams      map[uint32]*stream
	endedStreams [maxStreamsFrom]uint32 // data on them is under way still
	nextStream   int
}

func newPublisher(m *Member, path Path) *Publisher {
	return &Publisher{member: m, path: path, layers: map[uint16]*Layer{}, streams: map[uint32]*stream{}}
}

// current reports whether the publisher is of the member's session that is now, under Room.mu.
func (p *Publisher) current() bool {
	m := p.member
	return m.pub == p || m.detour != nil && m.detour.Publisher == p
}

// Write takes one chunk: c is m.Data parsed. Errors are ErrUnknownAlias, an *OrderError, or a
// media.WireError.
func (p *Publisher) Write(c *media.Chunk, m Message) error {
	l, err := p.layer(c.Alias)
	if l == nil || err != nil {
		return err
	}
	audio := l.track.class == ClassAudio
	if !audio {
		if err := c.CheckLength(); err != nil {
			return err
		}
	}
	p.member.traffic.in[p.path].Add(uint64(len(m.Data)))
	l.track.relay.totals.Traffic.in[p.path].Add(uint64(len(m.Data)))
	asks, err := l.write(p, c, m, &p.wakes)
	p.wakeAll(audio)
	if asks {
		l.askKeyFrame()
	}
	return err
}

// Control takes an Abandon or End. After the End of all its layers a track is gone. Errors as of Write; media.ErrWireKind for
// what a publisher does not send.
func (p *Publisher) Control(c media.Control) error {
	l, err := p.layer(c.Alias)
	if l == nil || err != nil {
		return err
	}
	t := l.track
	switch c.Kind {
	case media.KindEnd:
		t.room.change(func(wakes *[]*Subscriber) {
			if p.current() && !t.ended() && t.closeLayer(l, wakes) {
				t.room.end(t, "ended", media.EndFinished, wakes)
			}
		})
	case media.KindAbandon:
		l.giveUp(p, c.Group, &p.wakes)
		p.wakeAll(t.class == ClassAudio)
	default:
		return media.ErrWireKind
	}
	return nil
}

// layer finds a layer by alias; nil without an error means that of a track that has ended.
func (p *Publisher) layer(alias uint16) (*Layer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil
	}
	if l := p.layers[alias]; l != nil {
		return l, nil
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
	for _, l := range t.layers {
		p.layers[l.alias] = l
	}
}

func (p *Publisher) forget(t *Track) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range t.layers {
		delete(p.layers, l.alias)
		p.ended[p.next%len(p.ended)] = l.alias
		p.next++
	}
}

// close makes every later Write a no-op: the session is over, or another took its place.
func (p *Publisher) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}
