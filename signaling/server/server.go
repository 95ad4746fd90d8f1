package server

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"landline/relay"
	"landline/relay/play"
	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/token"
)

// Config of a Server. The zero value serves dev mode without a browser app.
type Config struct {
	Keys    token.Keys   // none: dev mode, tokens are not looked at
	Origins []string     // allowed besides the server's own, as scheme://host[:port]
	App     fs.FS        // the browser app; nil: there is none
	Logger  *slog.Logger // nil: nothing is logged
	Version string       // told in welcome
	WebRTC  WebRTC       // nil: media goes over WebSockets alone
	Faults  bool         // tests may ask for faults, by HTTP from this machine

	// Recordings is where rooms are recorded; nil: nowhere. The Server ends recordings when it drains; its owner closes it. Rooms whose name fits
	// RecordRooms, a pattern as of path.Match, are recorded whenever somebody is there.
	Recordings  *record.Store
	RecordRooms string

	// Coalesce is how long a session to which many messages go waits for more of them, so that they share a write: cost is
	// per write, not per byte. 0: not at all. See DefaultCoalesce.
	Coalesce time.Duration
}

// times are what a session waits for. They are the protocol's, but for tests that cannot wait as long.
type times struct {
	join      time.Duration // for a join after the upgrade
	heartbeat time.Duration // of silence until it is broken
	dead      time.Duration // of silence until the other side is taken for dead
	write     time.Duration // for a socket that takes nothing at all
	linger    time.Duration // for a client to take the close that it is sent
	grace     time.Duration // for a member to come back
	tick      time.Duration // between two looks at all sessions
}

var protocolTimes = times{join: signaling.JoinTimeout, heartbeat: signaling.Heartbeat, dead: signaling.DeadTimeout,
	write: signaling.DeadTimeout, linger: time.Second, grace: signaling.Grace, tick: time.Second}

// maxSessions is how many sessions a server takes before it answers overloaded.
const maxSessions = 20_000

// Server is one relay and its sessions.
type Server struct {
	cfg     Config
	times   times
	log     *slog.Logger
	relay   *relay.Relay
	deck    *play.Deck // nil without recordings, as is shelf
	shelf   *play.Shelf
	handler http.Handler
	start   time.Time
	shards  []*shard
	next    atomic.Uint32 // which shard the next session goes to
	stats   counters

	joins sync.Mutex // one join or resume at a time

	mu       sync.Mutex
	sessions map[*Session]struct{}
	current  map[memberKey]*Session // the session of each member that has one
	tickets  map[string]*seat
	seats    map[memberKey]*seat // of all members, also those without a session
	draining bool
	closed   bool
	empty    chan struct{} // closed when draining and the last session is gone

	stop    chan struct{}
	stopped sync.WaitGroup
	once    sync.Once
}

type memberKey struct{ room, id string }

// New makes a Server and starts its goroutines; Close ends them.
func New(cfg Config) *Server { return newServer(cfg, protocolTimes) }

func newServer(cfg Config, t times) *Server {
	s := &Server{cfg: cfg, times: t, log: cfg.Logger,
		start: time.Now(), sessions: map[*Session]struct{}{}, current: map[memberKey]*Session{},
		tickets: map[string]*seat{}, seats: map[memberKey]*seat{},
		empty: make(chan struct{}), stop: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.relay = relay.New(relay.Options{MaxMembers: signaling.MaxMembers, MaxTracks: signaling.MaxTracks, Grace: t.grace, Opened: s.opened})
	if cfg.Recordings != nil {
		s.deck, s.shelf = play.NewDeck(cfg.Recordings, s.relay, s.log), play.NewShelf(cfg.Recordings, s.log)
	}
	s.handler = s.routes()
	for range runtime.GOMAXPROCS(0) {
		sh := newShard(s)
		s.shards = append(s.shards, sh)
		s.stopped.Add(1)
		go sh.serveAll()
	}
	s.stopped.Add(1)
	go s.tick()
	return s
}

// Handler serves everything: the WebSocket, the app, and the HTTP resources.
func (s *Server) Handler() http.Handler { return s.handler }

// tick looks at every session once a second.
func (s *Server) tick() {
	defer s.stopped.Done()
	t := time.NewTicker(s.times.tick)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			for _, ss := range s.list() {
				ss.guard(ss.tick)
			}
		}
	}
}

func (s *Server) list() []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Session, 0, len(s.sessions))
	for ss := range s.sessions {
		list = append(list, ss)
	}
	return list
}

// register adds a session, and tells why it has to end at once, if it has. It reports false on a server that is
// closed, whose goroutines have ended: there the session must not begin.
func (s *Server) register(ss *Session) (why *signaling.Closed, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	s.sessions[ss] = struct{}{}
	switch {
	case s.draining:
		why = signaling.Closef(signaling.CloseRestart, "the server restarts; come back")
	case len(s.sessions) > maxSessions:
		why = signaling.Closef(signaling.CloseOverloaded, "the server has as many sessions as it takes")
	}
	return why, true
}

func (s *Server) unregister(ss *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, ss)
	if s.draining && len(s.sessions) == 0 {
		s.closeEmpty()
	}
}

func (s *Server) closeEmpty() {
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}

// Drain sends everybody away with the word to come back, and waits until all sessions have ended or ctx is
// done. New sessions are refused from now on, and /healthz answers 503.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	if len(s.sessions) == 0 {
		s.closeEmpty()
	}
	s.mu.Unlock()
	for _, ss := range s.list() {
		ss.send(signaling.Bye{Type: "bye", Reason: "restart", RetryMs: 500})
		ss.end(signaling.Closef(signaling.CloseRestart, "the server restarts; come back"))
	}
	var recordings error
	if s.cfg.Recordings != nil {
		recordings = errors.Join(s.deck.Close(ctx), s.cfg.Recordings.Drain(ctx))
	}
	select {
	case <-s.empty:
		return recordings
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close cuts all sessions off and ends the server's goroutines.
func (s *Server) Close() {
	s.once.Do(func() {
		s.mu.Lock()
		s.draining, s.closed = true, true
		s.mu.Unlock()
		if s.deck != nil {
			ctx, cancel := context.WithTimeout(context.Background(), s.times.linger)
			defer cancel()
			_ = s.deck.Close(ctx) // a disk that does not answer holds nobody up
		}
		var readers []*Session
		for _, ss := range s.list() {
			ss.cut()
			readers = append(readers, ss)
		}
		for _, ss := range readers {
			<-ss.done
		}
		s.mu.Lock()
		seats := s.seats
		s.seats = map[memberKey]*seat{}
		s.mu.Unlock()
		for _, st := range seats {
			st.member.Leave("closed")
		}
		if s.shelf != nil {
			ctx, cancel := context.WithTimeout(context.Background(), s.times.linger)
			defer cancel()
			_ = s.shelf.Close(ctx) // as above
		}
		close(s.stop)
		for _, sh := range s.shards {
			sh.close()
		}
		s.stopped.Wait()
	})
}

// elapsed is the server's monotonic clock; now is the same in µs, as acks carry it.
func (s *Server) elapsed() time.Duration { return time.Since(s.start) }
func (s *Server) now() uint64            { return uint64(s.elapsed().Microseconds()) }
