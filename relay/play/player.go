package play

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"landline/relay"
)

// Player plays one recording into one room.
type Player struct {
	deck    *Deck
	order   Order
	tape    *tape
	prefix  string // of its members' ids
	changes chan change
	kick    chan struct{} // has room for one: there is something to pull
	quit    chan struct{}
	once    sync.Once
	why     string // of the end; set before quit is closed
	done    chan struct{}

	// Of its goroutine.
	host   *relay.Member // hidden: it hears who comes and goes, and tells what is played
	sub    *relay.Subscriber
	start  time.Time
	cast   []string          // recorded members
	actors map[string]*actor // by recorded member; nil: there was no place for one
	people map[string]bool   // who else is in the room, by id
	alone  time.Time         // since when nobody is; zero: somebody is
	part   int               // the file that was played last
	made   int               // counts the tracks that were published
	wrote  bool              // a frame went out in this pass

	mu    sync.Mutex
	state relay.Playback
}

// Change is what is to become of what is played. What is nil stays.
type Change struct {
	Playing  *bool
	Position *time.Duration
	Loop     *bool
}

type change struct {
	Change
	answer chan error
}

// Why a Player has ended.
const (
	WhyEnded    = "ended"    // the recording was over
	WhyStopped  = "stopped"  // somebody wanted it
	WhyReplaced = "replaced" // by another recording
	WhyAlone    = "alone"    // nobody was there any more
	WhyFailed   = "failed"   // the file could not be read
	WhyClosed   = "closed"   // the server ends
)

const (
	// aloneTime is how long a Player plays for nobody.
	aloneTime = time.Minute
	// lookEvery is how often it looks whether somebody is there.
	lookEvery = time.Second
	// lateMost is how late a frame may be: more, and all that follows is as late, rather than come in one burst.
	lateMost = 500 * time.Millisecond
)

func newPlayer(d *Deck, o Order) (*Player, error) {
	t, err := openTape(d.recordings, o.Recording)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 6)
	_, _ = rand.Read(b) // it never fails
	p := &Player{deck: d, order: o, tape: t, prefix: "p-" + hex.EncodeToString(b) + "-", changes: make(chan change), kick: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}), start: time.Now(), actors: map[string]*actor{}, people: map[string]bool{}}
	p.state = relay.Playback{Recording: o.Recording, By: o.By, Playing: !o.Paused, Loop: o.Loop, Length: t.length, At: p.start}
	for _, id := range t.cast() {
		p.state.Members = append(p.state.Members, p.idOf(id))
	}
	if p.state.Position, err = t.seek(o.Position); err != nil {
		t.close()
		return nil, err
	}
	return p, nil
}

// idOf is the id of who plays a recorded member, whose own may be as long as ids are.
func (p *Player) idOf(recorded string) string {
	place := slices.Index(p.cast, recorded)
	if place < 0 {
		place = len(p.cast)
		p.cast = append(p.cast, recorded)
	}
	return p.prefix + strconv.Itoa(place+1)
}

// State tells how it does.
func (p *Player) State() relay.Playback {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Stop ends it.
func (p *Player) Stop(why string) {
	p.once.Do(func() {
		p.why = why
		close(p.quit)
	})
}

// Done is closed when it has ended.
func (p *Player) Done() <-chan struct{} { return p.done }

// Change changes what it does. Errors are ErrNothing for one that has ended, that of ctx, and those of the disk, which end it.
func (p *Player) Change(ctx context.Context, c Change) error {
	order := change{c, make(chan error, 1)}
	select {
	case p.changes <- order:
		return <-order.answer
	case <-p.done:
		return ErrNothing
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter takes the place in the room.
func (p *Player) enter(r *relay.Relay) error {
	m, err := r.Join(p.order.Room, relay.Identity{ID: p.prefix + "host", Name: "Player", Hidden: true}, nil, p.notify)
	if err != nil {
		return err
	}
	p.host = m
	p.attend()
	p.host.SetPlayback(p.state)
	return nil
}

// attend begins to listen, for the first time or after events were lost.
func (p *Player) attend() {
	_, p.sub = p.host.Handles()
	clear(p.people)
	_, others := p.host.Roster()
	for _, m := range others {
		p.came(m.ID)
	}
}

func (p *Player) came(id string) {
	if !strings.HasPrefix(id, p.prefix) {
		p.people[id] = true
	}
}

func (p *Player) notify(bool) {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// work is the Player's goroutine.
func (p *Player) work() {
	defer close(p.done)
	defer p.leave()
	defer p.guard()
	p.show()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(min(p.step(time.Now()), lookEvery))
		select {
		case <-p.quit:
			return
		case c := <-p.changes:
			c.answer <- p.change(c.Change)
		case <-p.kick:
			p.listen()
		case <-timer.C:
			p.look(time.Now())
		}
	}
}

// guard ends what is played when its goroutine panics, and that alone.
func (p *Player) guard() {
	if v := recover(); v != nil {
		p.deck.log.Error("panic in a player", "recording", p.order.Recording, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		p.Stop(WhyFailed)
	}
}

func (p *Player) leave() {
	p.Stop(WhyStopped) // why is set from here on in any case
	p.set(func(s *relay.Playback) {
		s.Position, s.At = s.Since(time.Now()), time.Now()
		s.Playing, s.Over, s.Why = false, true, p.why
	})
	p.deck.log.Info("a recording is played no longer", "recording", p.order.Recording, "room", p.order.Room, "why", p.why)
	for _, a := range p.actors {
		if a != nil {
			a.member.Leave("bye")
		}
	}
	p.host.Leave("bye")
	p.tape.close()
	p.deck.forget(p)
}

// set changes what is told, and tells it.
func (p *Player) set(f func(*relay.Playback)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.state)
	p.host.SetPlayback(p.state)
}

// listen takes the events of all members.
func (p *Player) listen() {
	for more := true; more; {
		var out []relay.Out
		out, more = p.sub.Pull(nil)
		for _, o := range out {
			switch {
			case o.Event == nil:
			case o.Event.Kind == relay.MemberJoined:
				p.came(o.Event.Member)
			case o.Event.Kind == relay.MemberLeft:
				delete(p.people, o.Event.Member)
			}
		}
	}
	if p.sub.Overflowed() && p.host.Resume(nil, p.notify) == nil {
		p.attend()
	}
	for _, a := range p.actors {
		if a == nil {
			continue
		}
		for more := true; more; {
			_, more = a.sub.Pull(nil) // nothing of it concerns one who only publishes what there is
		}
	}
}

// look ends what nobody hears.
func (p *Player) look(now time.Time) {
	switch {
	case len(p.people) > 0:
		p.alone = time.Time{}
	case p.alone.IsZero():
		p.alone = now
	case now.Sub(p.alone) >= aloneTime:
		p.Stop(WhyAlone)
	}
}

// step has go out what is due, and returns how long until the next is.
func (p *Player) step(now time.Time) time.Duration {
	state := p.State()
	if !state.Playing {
		return lookEvery
	}
	for {
		f, err := p.tape.head()
		if err != nil {
			return p.over(err)
		}
		due := state.At.Add(f.at - state.Position)
		switch wait := due.Sub(now); {
		case wait > 0:
			return wait
		case -wait > lateMost:
			state.Position, state.At, due = f.at, now, now
			p.set(func(s *relay.Playback) { s.Position, s.At = f.at, now })
		}
		p.write(f, due)
		p.tape.pop()
		p.wrote = true
	}
}

// over is the end of the recording: it ends, or begins anew.
func (p *Player) over(err error) time.Duration {
	switch {
	case !errors.Is(err, io.EOF):
		p.fail(err)
	case p.State().Loop && p.wrote:
		p.wrote = false
		if p.change(Change{Position: new(time.Duration)}) == nil {
			return 0
		}
	default:
		p.Stop(WhyEnded)
	}
	return lookEvery
}

func (p *Player) fail(err error) {
	p.deck.log.Error("a recording cannot be played on", "recording", p.order.Recording, "error", err)
	p.Stop(WhyFailed)
}

// change does what somebody wants.
func (p *Player) change(c Change) error {
	state := p.State()
	position := state.Since(time.Now())
	if c.Position != nil {
		var err error
		if position, err = p.tape.seek(*c.Position); err != nil {
			p.fail(err)
			return err
		}
		p.moved()
	}
	p.set(func(s *relay.Playback) {
		s.Position, s.At = position, time.Now()
		if c.Playing != nil {
			s.Playing = *c.Playing
		}
		if c.Loop != nil {
			s.Loop = *c.Loop
		}
	})
	if c.Position != nil {
		p.show()
	}
	return nil
}

// show shows the picture at which it pauses.
func (p *Player) show() {
	if p.State().Playing {
		return
	}
	for range maxShown {
		f, err := p.tape.head()
		if err != nil {
			return // playing on tells
		}
		picture := f.Key && p.tape.of(f.Track).Kind == "video"
		if picture {
			p.write(f, time.Now())
		}
		p.tape.pop()
		if picture {
			return
		}
	}
}

// maxShown bounds the packets among which the first picture is looked for; what is before it is not heard.
const maxShown = 200
