package relay

import (
	"errors"
	"sync"
	"time"
)

// Options of a Relay.
type Options struct {
	MaxRooms   int           // 0 means 10,000
	MaxMembers int           // in a room; 0 means 2,000
	MaxTracks  int           // of a member; 0 means 16
	Grace      time.Duration // how long a member without a session stays; 0 means 30 s

	// Opened, if not nil, is called when a member that others see enters a room where there was none. It must not block.
	Opened func(room string)
}

// Relay holds the rooms of one process.
type Relay struct {
	opts    Options
	start   time.Time
	totals  Totals
	aliases aliases

	mu    sync.Mutex
	rooms map[string]*Room
}

// Errors of Join and Publish.
var (
	ErrTooManyRooms  = errors.New("the server has as many rooms as it takes")
	ErrRoomFull      = errors.New("the room has as many members as it takes")
	ErrTrackExists   = errors.New("there is a track of this id already")
	ErrTooManyTracks = errors.New("the member has as many tracks as it may")
	ErrNoAlias       = errors.New("the server has no free alias")
	ErrNoSuchTrack   = errors.New("there is no such track")
	ErrLayers        = errors.New("the track has another number of layers")
	ErrNoSuchMember  = errors.New("there is no such member")
	ErrGone          = errors.New("the member is gone")
	ErrTooManyTopics = errors.New("the room has as many topics as it takes")
	ErrTopicMode     = errors.New("the topic has another mode")
	ErrTooManyKeys   = errors.New("the topic has as many keys, or bytes, as it takes")
	ErrDetour        = errors.New("the member's media takes another way already")
)

// New makes an empty relay.
func New(o Options) *Relay {
	o.MaxRooms = orDefault(o.MaxRooms, 10_000)
	o.MaxMembers = orDefault(o.MaxMembers, 2_000)
	o.MaxTracks = orDefault(o.MaxTracks, 16)
	if o.Grace == 0 {
		o.Grace = 30 * time.Second
	}
	return &Relay{opts: o, start: time.Now(), rooms: map[string]*Room{}}
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// now is the time since the relay began, by the monotonic clock.
func (r *Relay) now() time.Duration { return time.Since(r.start) }

// Totals are the relay's counters.
func (r *Relay) Totals() *Totals { return &r.totals }

// Identity is who joins.
type Identity struct {
	ID   string // unique in the room
	Name string

	// Hidden is one who only watches: no roster shows it, nobody hears of its coming and going, and nobody can offer it an object.
	Hidden bool
	// Deaf is one who only publishes: nobody can offer it an object.
	Deaf bool
	// Archive is one who records: hidden, and not what keeps a room. Its queue is bounded by ArchiveBytes alone, not by age; over that whole
	// groups are dropped. It has a catch-up only of tracks whose publishers cannot make key frames.
	Archive bool
	// NoReplay has what it receives begin with a key frame, never with a catch-up, which some paths have no place for.
	NoReplay bool
	// Path is that of its media.
	Path Path
}

// Join brings a member into a room, which comes into being if need be. A member of the same ID that is there
// already leaves first. notify is called whenever the member's Subscriber has something to pull; audio tells that
// it is urgent.
func (r *Relay) Join(room string, who Identity, carries Carries, notify func(audio bool)) (*Member, error) {
	for {
		rm, err := r.room(room)
		if err != nil {
			return nil, err
		}
		m, first, err := rm.join(who, carries, notify)
		if !errors.Is(err, errRoomGone) {
			if first && r.opts.Opened != nil {
				r.opts.Opened(room)
			}
			return m, err
		}
		r.drop(rm)
	}
}

func (r *Relay) room(name string) (*Room, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rm := r.rooms[name]; rm != nil {
		return rm, nil
	}
	if len(r.rooms) >= r.opts.MaxRooms {
		return nil, ErrTooManyRooms
	}
	rm := &Room{relay: r, name: name, members: map[string]*Member{}, topics: map[string]*topic{},
		streams: map[uint32]*stream{}}
	r.rooms[name] = rm
	return rm, nil
}

// drop forgets an empty room.
func (r *Relay) drop(rm *Room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rooms[rm.name] == rm {
		delete(r.rooms, rm.name)
	}
}

// aliases hands out numbers from 1 to 65535. One that is given back rests, so that what is under way
// under it cannot be taken for another track's.
type aliases struct {
	mu      sync.Mutex
	next    uint16
	used    map[uint16]bool
	resting []rest
}

type rest struct {
	alias uint16
	until time.Duration
}

const aliasRest = time.Minute

func (a *aliases) take(now time.Duration) (uint16, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.resting) > 0 && a.resting[0].until <= now {
		delete(a.used, a.resting[0].alias)
		a.resting = a.resting[1:]
	}
	if a.used == nil {
		a.used = map[uint16]bool{}
	}
	if len(a.used) >= 1<<16-1 {
		return 0, ErrNoAlias
	}
	for {
		a.next++
		if a.next != 0 && !a.used[a.next] {
			a.used[a.next] = true
			return a.next, nil
		}
	}
}

// takeSome takes n aliases, or none.
func (a *aliases) takeSome(n int, now time.Duration) (list []uint16, err error) {
	for range n {
		alias, err := a.take(now)
		if err != nil {
			for _, taken := range list {
				a.giveBack(taken, now)
			}
			return nil, err
		}
		list = append(list, alias)
	}
	return list, nil
}

func (a *aliases) giveBack(alias uint16, now time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resting = append(a.resting, rest{alias, now + aliasRest})
}
