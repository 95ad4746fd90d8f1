package record

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"landline/relay"
)

// Options of a Store.
type Options struct {
	MaxFile   int64         // bytes of a file, after which another begins; 0 means 4 GiB
	MaxLength time.Duration // of a recording, which then ends; 0 means 24 h
	Reserve   uint64        // bytes of the disk that are left free
	Logger    *slog.Logger  // nil: nothing is logged
}

// Limits of a Store.
const (
	maxRunning  = 64
	maxParts    = 1000
	emptyWait   = 10 * time.Minute       // for the first member of a room that is to be recorded
	slowAfter   = 400 * time.Millisecond // with what may pass until the disk is asked for something, and until that is looked at, under a second
	lookEvery   = 100 * time.Millisecond
	defaultFile = 4 << 30
	defaultLong = 24 * time.Hour
)

// Errors of Start.
var (
	ErrRunning = errors.New("the room is being recorded already")
	ErrTooMany = errors.New("the server records as many rooms as it can")
	ErrClosed  = errors.New("the server is about to end")
)

// Order says what to record, and who wants it.
type Order struct {
	Room string
	Of   string // display name of the members to be recorded; "" = everybody
	By   string // member id of who asks; "" = the operator
	Name string // and the name
	// PerMember is for a file of each member beside that of the room.
	PerMember bool
}

// Store is a folder of recordings, and the Recorders that write to it.
type Store struct {
	disk disk
	o    Options
	log  *slog.Logger

	mu      sync.Mutex
	closed  bool
	running map[string]*Recorder // by room, until nothing more is recorded
	all     map[string]*Recorder // by id, until the files are complete
	adding  int                  // files that are being added

	stop    chan struct{}
	stopped sync.WaitGroup
	added   sync.WaitGroup // of those who add
	counts  Counts
}

// Counts are a Store's counters.
type Counts struct {
	Saved, Failed, Recovered atomic.Uint64 // recordings; recovered counts files
	Bytes                    atomic.Uint64 // written
	Full, Slow, Errors       atomic.Uint64 // times that a recording waited for the disk
	Dropped                  atomic.Uint64 // frames that a recording lost, since it fell behind or waited
	Panics                   atomic.Uint64
}

// Open opens a folder, and completes what a crash has left there: this goes on beside it.
func Open(dir string, o Options) (*Store, error) {
	f, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	s := newStore(f, o)
	left, err := s.leftovers()
	if err == nil {
		err = s.forgetAdditions()
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	s.stopped.Go(func() { s.recoverAll(left) })
	return s, nil
}

func newStore(d disk, o Options) *Store {
	if o.MaxFile == 0 {
		o.MaxFile = defaultFile
	}
	if o.MaxLength == 0 {
		o.MaxLength = defaultLong
	}
	s := &Store{disk: d, o: o, log: o.Logger, running: map[string]*Recorder{}, all: map[string]*Recorder{}, stop: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.stopped.Go(s.watch)
	return s
}

// Counts gives the counters.
func (s *Store) Counts() *Counts { return &s.counts }

// Running is how many rooms are recorded now.
func (s *Store) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.running)
}

// Start begins to record a room of r. Nobody need be there yet.
func (s *Store) Start(r *relay.Relay, o Order) (*Recorder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, ErrClosed
	case s.running[o.Room] != nil:
		return nil, ErrRunning
	case len(s.all) >= maxRunning:
		return nil, ErrTooMany
	}
	rec := newRecorder(s, newID(o.Room), o)
	if err := rec.enter(r); err != nil {
		return nil, err
	}
	s.running[o.Room], s.all[rec.id] = rec, rec
	s.stopped.Go(rec.work)
	return rec, nil
}

// newID names a recording so that names sort by time.
func newID(room string) string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // it never fails
	return time.Now().UTC().Format("20060102-150405") + "-" + room + "-" + hex.EncodeToString(b)
}

// Find is the Recorder of a room; nil if it is not being recorded.
func (s *Store) Find(room string) *Recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[room]
}

// over takes a Recorder from which nothing more is to be expected out of its room.
func (s *Store) over(r *Recorder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[r.order.Room] == r {
		delete(s.running, r.order.Room)
	}
}

func (s *Store) forget(r *Recorder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, r.id)
}

func (s *Store) recorders() []*Recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Recorder, 0, len(s.all))
	for _, r := range s.all {
		list = append(list, r)
	}
	return list
}

// watch looks after Recorders that wait for the disk, which cannot tell themselves.
func (s *Store) watch() {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			for _, r := range s.recorders() {
				r.lookAtDisk(time.Now())
			}
		}
	}
}

// Drain ends all recordings, and waits until their files are complete or ctx ends. No other can begin.
func (s *Store) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	list := s.recorders()
	for _, r := range list {
		r.Stop()
	}
	for _, r := range list {
		select {
		case <-r.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close is Drain, and ends the Store. A disk that does not answer holds it up until ctx ends: what is on it then is completed at the
// next Open.
func (s *Store) Close(ctx context.Context) error {
	if err := s.Drain(ctx); err != nil {
		return err
	}
	close(s.stop)
	s.stopped.Wait()
	s.added.Wait() // they see that the Store is closed
	return s.disk.close()
}
