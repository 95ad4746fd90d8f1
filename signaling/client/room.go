package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"landline/relay"
	"landline/signaling"
)

// Room is one member's hold on a room, across reconnects.
type Room struct {
	opts  Options
	inbox *inbox
	kick  chan struct{} // the writer has something to look at
	done  chan struct{} // closed when all is over
	err   error         // why; read after done

	ctx    context.Context // ends when no other connection is wanted
	cancel context.CancelFunc

	mu         sync.Mutex
	self       string // member id
	resume     string // token
	leaving    bool   // Close was called
	reconnects int
	current    *session
	broken     error // of the deliver goroutine
	uplink     *relay.Uplink
	tracks     []*Outgoing
	clock      signaling.Clock // of Options.Clock
	wants      []signaling.Subscribe
	control    []any     // messages that wait to be sent
	pending    []pending // Publish calls that wait for their answer
	req        int64
	members    []*member
	topics     []*topic
	source     string     // the name under which what is said is numbered
	chats      []sentChat // not known to have arrived
	chatN      uint64
	chatAtUs   int64 // the stamp of the newest chat that came
	sendings   []*Sending
	receivings []*Receiving          // also those that are over, lest they are taken twice
	streams    map[uint32]*Receiving // by number, on this connection
	lents      []*Lent               // of a recording that is watched
	changed    chan struct{}         // closed and replaced when the uplink has moved

	lentAll chan struct{}  // closed when lents are all there are
	porters sync.WaitGroup // goroutines of objects; they begin under mu, while ctx lives

	side  *side // nil: there is none
	sided bool  // there was one

	// Of the deliver goroutine.
	incoming   map[uint16]*Incoming  // by alias
	sideTracks []*signaling.RTCTrack // of tracks that were not announced yet
	holding    []heldEvent
}

// maxControl bounds the control messages that wait while there is no connection.
const maxControl = 1024

// ErrBusy says that too many messages wait to be sent.
var ErrBusy = errors.New("too many messages wait to be sent")

// ErrClosed says that the Room was closed.
var ErrClosed = errors.New("the room was left")

// Dial joins a room. ctx bounds the joining alone. An error of the relay is a *signaling.Closed.
func Dial(ctx context.Context, o Options) (*Room, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	r := newRoom(o)
	s, err := r.connect(ctx)
	if err != nil {
		r.cancel()
		return nil, err
	}
	delivered := make(chan error, 1)
	r.current = s
	go func() {
		err := r.guard(r.deliver)
		if err != nil {
			r.fail(err)
		}
		delivered <- err
	}()
	go r.supervise(s, delivered)
	if o.WebRTC != nil {
		if err := r.openSide(ctx); err != nil {
			r.leave() // a callback may wait for Dial to return
			return nil, err
		}
	}
	return r, nil
}

func newRoom(o Options) *Room {
	r := &Room{opts: o, inbox: newInbox(), kick: make(chan struct{}, 1), done: make(chan struct{}),
		changed: make(chan struct{}), incoming: map[uint16]*Incoming{}, streams: map[uint32]*Receiving{}, lentAll: make(chan struct{}),
		wants: slices.Clone(o.Subscribe)}
	for _, t := range o.Publish {
		r.tracks = append(r.tracks, newOutgoing(r, t))
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// fail ends the Room from the deliver goroutine.
func (r *Room) fail(err error) {
	r.inbox.finish(true)
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = err
	r.current.end(err)
}

// Close leaves the room, and returns when every goroutine has ended: within a second, and the callback that runs.
func (r *Room) Close() {
	r.leave()
	<-r.done
}

// leave begins to.
func (r *Room) leave() {
	r.mu.Lock()
	r.leaving = true
	r.mu.Unlock()
	r.inbox.finish(true)
	r.cancel()
	r.wake()
}

// Done is closed when the Room is over: after Close, or when it cannot come back.
func (r *Room) Done() <-chan struct{} { return r.done }

// Err says why the Room is over, once Done is closed: nil after Close, else mostly a *signaling.Closed.
func (r *Room) Err() error {
	select {
	case <-r.done:
		return r.err
	default:
		return nil
	}
}

// Self is the member's id.
func (r *Room) Self() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.self
}

// Reconnects counts how often the connection was restored.
func (r *Room) Reconnects() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reconnects
}

// Track finds one of the own tracks; nil if there is none.
func (r *Room) Track(id string) *Outgoing {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		if t.info.ID == id {
			return t
		}
	}
	return nil
}

// Send queues a request: *signaling.Subscribe, Unsubscribe, Configure, Mute, Encoding, KeyFrame or Chat. Type may be left out.
// What the relay refuses comes to OnEvent as *signaling.Error. After a KeyFrame, frames may come a second time.
func (r *Room) Send(msg any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leaving {
		return ErrClosed
	}
	if len(r.control) >= maxControl || len(r.chats) >= maxControl {
		return ErrBusy
	}
	switch m := msg.(type) {
	case *signaling.Subscribe:
		m.Type = "subscribe"
		r.unwant(m.Member, m.Name, m.Track)
		r.wants = append(r.wants, *m)
	case *signaling.Unsubscribe:
		m.Type = "unsubscribe"
		r.unwant(m.Member, m.Name, m.Track)
	case *signaling.Configure:
		m.Type = "configure"
		r.configured(m)
	case *signaling.Mute:
		m.Type = "mute"
	case *signaling.Encoding:
		m.Type = "encoding"
		r.encodes(m)
	case *signaling.KeyFrame:
		m.Type = "keyframe"
		if from := r.find(m.Member); from != nil && from.find(m.Track) != nil {
			from.find(m.Track).repeat()
		}
	case *signaling.Chat:
		m.Type = "chat"
		r.numberChat(m)
	default:
		return fmt.Errorf("a %T is not sent this way", msg)
	}
	r.control = append(r.control, msg)
	r.wake()
	return nil
}

// unwant forgets the subscription with a selector.
func (r *Room) unwant(member, name, track string) {
	r.wants = slices.DeleteFunc(r.wants, func(s signaling.Subscribe) bool {
		return s.Member == member && s.Name == name && s.Track == track
	})
}

// configured keeps a track's new format for the case that it must be published again.
func (r *Room) configured(m *signaling.Configure) {
	for _, t := range r.tracks {
		if t.info.ID == m.Track {
			t.info.CodecString, t.info.Config, t.info.Width, t.info.Height = m.CodecString, m.Config, m.Width, m.Height
			t.info.Colour, t.info.SampleRate, t.info.Channels = m.Colour, m.SampleRate, m.Channels
			if len(m.Layers) > 0 {
				t.info.Layers = m.Layers
			}
		}
	}
}

// outgoingControl hands the writer what waits, and whether to say good-bye.
func (r *Room) outgoingControl() (messages []any, bye bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	messages, r.control = r.control, nil
	return messages, r.leaving
}

func (r *Room) wake() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// joinMessage makes the join: with a resume token, or with all that there is to publish and subscribe.
func (r *Room) joinMessage(resume string, took time.Duration) *signaling.Join {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := &signaling.Join{Type: "join", Room: r.opts.Room, Name: r.opts.Name, Token: r.opts.Token, Resume: resume,
		ChatAfterUs: r.chatAtUs}
	if resume != "" {
		return j
	}
	for _, t := range r.tracks {
		if t.ended {
			continue
		}
		if t.info.Clock == (signaling.Clock{}) && r.opts.Clock != nil {
			if r.clock == (signaling.Clock{}) {
				r.clock = r.opts.Clock(took)
			}
			t.info.Clock = r.clock
		}
		j.Publish = append(j.Publish, t.info)
	}
	if r.opts.WebRTC == nil || r.sided {
		j.Subscribe = r.wants
	}
	return j
}

func (r *Room) resumeToken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resume
}

// moved tells those who wait that the uplink may have changed.
func (r *Room) moved() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.changed)
	r.changed = make(chan struct{})
}
