package play

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"landline/relay"
	"landline/relay/record"
)

// Catalogue is where recordings are: a record.Store.
type Catalogue interface {
	Get(id string) (record.Info, error)
	Live(id string) *record.Recorder
	// Media opens a file of a recording, the first for 0.
	Media(id string, part int) (content record.Content, name string, changed time.Time, err error)
}

// maxPlayers is how many rooms a Deck plays into, and maxNext how many recordings may wait behind one.
const (
	maxPlayers = 64
	maxNext    = 32
)

// Errors of a Deck.
var (
	ErrNothing = errors.New("nothing is played in this room")
	ErrTooMany = errors.New("the server plays as many recordings as it can")
	ErrClosed  = errors.New("the server is about to end")
	ErrNoFile  = errors.New("the recording has no file that can be played")
	ErrNoNext  = errors.New("nothing is to be played behind it")
	ErrLong    = errors.New("more is to be played behind it than a list holds")
)

// Deck is what is played into the rooms of a relay.
type Deck struct {
	recordings Catalogue
	relay      *relay.Relay
	log        *slog.Logger

	mu      sync.Mutex
	closed  bool
	players map[string]*Player // by room
	running sync.WaitGroup
}

// NewDeck makes one. A nil logger logs nothing.
func NewDeck(recordings Catalogue, r *relay.Relay, log *slog.Logger) *Deck {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Deck{recordings: recordings, relay: r, log: log, players: map[string]*Player{}}
}

// Order says what to play, and where.
type Order struct {
	Room      string
	Recording string
	By        string        // display name of who wants it; "" = the operator
	Position  time.Duration // where to begin
	Paused    bool
	Loop      bool
	Next      []string // recordings that are played behind it, one after another
}

// Play begins to play a recording in a room, in place of what is played there. Errors are record.ErrNotFound, record.ErrLive, ErrNoFile, ErrTooMany,
// ErrLong, ErrClosed, those of relay.Relay.Join, and of the disk.
func (d *Deck) Play(o Order) (*Player, error) {
	p, err := d.player(o)
	if err != nil {
		return nil, err
	}
	if old := d.Find(o.Room); old != nil {
		old.Stop(WhyReplaced)
		<-old.done
	}
	if err := d.seat(p); err != nil {
		p.tape.close()
		return nil, err
	}
	return p, nil
}

func (d *Deck) player(o Order) (*Player, error) {
	switch {
	case len(o.Next) > maxNext:
		return nil, ErrLong
	case d.recordings.Live(o.Recording) != nil:
		return nil, record.ErrLive
	}
	return newPlayer(d, o)
}

// follow plays what comes behind one that has ended, unless somebody has had another played meanwhile. What cannot be played is passed over.
func (d *Deck) follow(p *Player) {
	if p.why != WhyNext {
		return
	}
	for next := p.State().Next; len(next) > 0; next = next[1:] {
		after, err := d.player(Order{Room: p.order.Room, Recording: next[0], By: p.order.By, Next: next[1:]})
		if err == nil {
			if err = d.seat(after); err == nil {
				return
			}
			after.tape.close()
		}
		d.log.Warn("the next recording cannot be played", "recording", next[0], "room", p.order.Room, "error", err)
		if errors.Is(err, ErrBusy) || errors.Is(err, ErrClosed) {
			return
		}
	}
}

func (d *Deck) seat(p *Player) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return ErrClosed
	case d.players[p.order.Room] != nil:
		return ErrBusy
	case len(d.players) >= maxPlayers:
		return ErrTooMany
	}
	if err := p.enter(d.relay); err != nil {
		return err
	}
	d.players[p.order.Room] = p
	d.running.Go(func() {
		p.work()
		d.follow(p)
	})
	return nil
}

// ErrBusy says that somebody else was quicker.
var ErrBusy = errors.New("somebody else has something played in this room at this very moment")

// Find is what is played in a room; nil if nothing is.
func (d *Deck) Find(room string) *Player {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.players[room]
}

// Playing is into how many rooms something is played.
func (d *Deck) Playing() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.players)
}

// Plays reports whether a recording is played anywhere.
func (d *Deck) Plays(recording string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.players {
		if p.order.Recording == recording {
			return true
		}
	}
	return false
}

func (d *Deck) forget(p *Player) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.players, p.order.Room)
}

// Close ends all that is played, and waits for it, or for ctx to end.
func (d *Deck) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closed = true
	for _, p := range d.players {
		p.Stop(WhyClosed)
	}
	d.mu.Unlock()
	done := make(chan struct{})
	go func() {
		d.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
