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
	host     *relay.Member // hidden: it keeps the place, and tells what is played
	sub      *relay.Subscriber
	start    time.Time
	cast     []string             // recorded members
	actors   map[string]*actor    // by recorded member
	refused  map[string]time.Time // when there was no place for one
	alone    time.Time            // since when nobody else is there; zero: somebody is
	lookedAt time.Time            // when it was looked last
	part     int                  // the file that was played last
	made     int                  // counts the tracks that were published
	passAt   time.Time            // when this pass of a recording that is repeated began
	furthest time.Duration        // the newest frame that went out since the last change of position
	changed  time.Time            // when somebody last changed something

	mu    sync.Mutex
	state relay.Playback
}

// Change is what is to become of what is played. What is nil stays.
type Change struct {
	Playing  *bool
	Position *time.Duration
	Loop     *bool
	Next     *[]string // what is played behind it
	Skip     bool      // the first of those is played now
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
	WhyNext     = "next"     // what was to be played behind it is played
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
	// passLeast is how long a pass of a recording takes at least that is repeated.
	passLeast = time.Second
	// changeEvery is how often something may be changed; who wants more waits.
	changeEvery = 50 * time.Millisecond
)

func newPlayer(d *Deck, o Order) (*Player, error) {
	t, err := openTape(d.recordings, o.Recording)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 6)
	_, _ = rand.Read(b) // it never fails
	p := &Player{deck: d, order: o, tape: t, prefix: "p-" + hex.EncodeToString(b) + "-", changes: make(chan change), kick: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}), start: time.Now(), actors: map[string]*actor{}, refused: map[string]time.Time{}}
	p.state = relay.Playback{Recording: o.Recording, Title: t.info.Title, By: o.By, Playing: !o.Paused, Loop: o.Loop, Length: t.length, Next: o.Next, At: p.start, Members: []string{}}
	p.passAt = p.start
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
	case <-p.done:
		return ErrNothing
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-order.answer:
		return err
	case <-p.done: // it panicked over it, or was quicker than we are
		select {
		case err := <-order.answer:
			return err
		default:
			return ErrNothing
		}
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
	_, p.sub = m.Handles()
	p.host.SetPlayback(p.state)
	return nil
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
		wait, changes := min(p.step(time.Now()), lookEvery), p.changes
		if rest := changeEvery - time.Since(p.changed); rest > 0 {
			wait, changes = min(wait, rest), nil
		}
		timer.Reset(wait)
		select {
		case <-p.quit:
			return
		case c := <-changes:
			c.answer <- p.change(c.Change)
			p.changed = time.Now()
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
		a.member.Leave("bye")
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

// listen takes the events of all members: none concerns those who only publish what there is. Some may be lost.
func (p *Player) listen() {
	for more := true; more; {
		_, more = p.sub.Pull(nil)
	}
	for _, a := range p.actors {
		for more := true; more; {
			_, more = a.sub.Pull(nil)
		}
	}
}

// look ends what nobody hears.
func (p *Player) look(now time.Time) {
	if now.Sub(p.lookedAt) < lookEvery {
		return
	}
	p.lookedAt = now
	switch {
	case p.host.Present() > 1+len(p.actors):
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
		select {
		case <-p.quit:
			return lookEvery
		default:
		}
		f, err := p.tape.head()
		if err != nil {
			return p.over(err)
		}
		due := state.At.Add(f.at - state.Position)
		switch wait := due.Sub(now); {
		case wait > 0:
			return wait
		case -wait > lateMost && f.at >= p.furthest: // else it lies behind others in the file
			state.Position, state.At, due = f.at, now, now
			p.set(func(s *relay.Playback) { s.Position, s.At = f.at, now })
		}
		p.furthest = max(p.furthest, f.at)
		p.write(f, due)
		p.tape.pop()
	}
}

// over is the end of the recording: it ends, or begins anew.
func (p *Player) over(err error) time.Duration {
	switch {
	case !errors.Is(err, io.EOF):
		p.fail(err)
	case p.State().Loop:
		if rest := passLeast - time.Since(p.passAt); rest > 0 {
			return rest
		}
		p.passAt = time.Now()
		_ = p.change(Change{Position: new(time.Duration)}) // it ends where that fails
		return 0
	case len(p.State().Next) > 0:
		p.Stop(WhyNext)
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
	if c.Next != nil {
		state.Next = *c.Next
	}
	switch {
	case len(state.Next) > maxNext:
		return ErrLong
	case c.Skip && len(state.Next) == 0:
		return ErrNoNext
	}
	position := state.Since(time.Now())
	if c.Position != nil {
		var err error
		if position, err = p.tape.seek(*c.Position); err != nil {
			p.fail(err)
			return err
		}
		p.furthest = position
	}
	p.set(func(s *relay.Playback) {
		s.Position, s.At = position, time.Now()
		if c.Playing != nil {
			s.Playing = *c.Playing
		}
		if c.Loop != nil {
			s.Loop = *c.Loop
		}
		s.Next = state.Next
	})
	if c.Skip {
		p.Stop(WhyNext)
		return nil
	}
	if c.Position != nil {
		p.show()
	}
	return nil
}

// show shows what there is of the place that was gone to: while it pauses the pictures of all tracks, and else of those that go on later.
func (p *Player) show() {
	list := p.tape.stills
	if !p.State().Playing {
		list = p.tape.pictures()
	}
	for i := range list {
		p.write(&list[i], time.Now())
	}
	p.moved()
}
