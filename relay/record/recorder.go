package record

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"landline/media"
	"landline/relay"
)

// Recorder records one room.
type Recorder struct {
	store *Store
	id    string
	order Order

	member *relay.Member
	sub    *relay.Subscriber
	kick   chan struct{} // has room for one: there is something to pull
	quit   chan struct{}
	once   sync.Once
	done   chan struct{}

	// Of its goroutine.
	out     []relay.Out
	acked   uint64
	began   time.Time
	people  map[string]string // names of those whom the room shows, by id
	came    bool              // somebody was there
	tracks  map[uint16]*track // by alias
	clocks  map[clockKey]*clock
	dropped map[string]uint64 // of each track, as far as counted
	held    []held
	bytes   int // of held
	heldAt  time.Time
	part    *part
	parts   int
	run     int       // counts how often all tracks had to begin anew
	open    []*output // that could not be completed yet
	paused  bool      // nothing is written: the disk
	retryAt time.Time
	freeAt  time.Time

	gathering *time.Timer

	mu        sync.Mutex
	state     relay.RecordState
	info      Info
	busySince time.Time // the disk was asked for something; zero while it is not
	slow      bool      // and has not answered for long
}

func newRecorder(s *Store, id string, o Order) *Recorder {
	now := time.Now()
	return &Recorder{store: s, id: id, order: o, kick: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
		began: now, run: 1, people: map[string]string{}, tracks: map[uint16]*track{}, clocks: map[clockKey]*clock{}, dropped: map[string]uint64{},
		info: Info{ID: id, Room: o.Room, By: o.By, Name: o.Name, Of: o.Of, Began: now.UTC(), State: StateRecording, Files: []File{}}}
}

// ID names the recording.
func (r *Recorder) ID() string { return r.id }

// Of is the name of the members that are recorded; "" = everybody.
func (r *Recorder) Of() string { return r.order.Of }

// Done is closed when the files are complete, or it has failed.
func (r *Recorder) Done() <-chan struct{} { return r.done }

// Stop ends the recording, with what was said until now.
func (r *Recorder) Stop() { r.once.Do(func() { close(r.quit) }) }

var carries = relay.Carries{media.Opus, media.VP8, media.VP9, media.H264, media.AV1}

const priority = 4

// enter takes the place in the room.
func (r *Recorder) enter(rl *relay.Relay) error {
	m, err := rl.Join(r.order.Room, relay.Identity{ID: "\x00rec-" + r.id, Name: "Recording", Archive: true, Path: relay.ToArchive}, carries, r.notify)
	if err != nil {
		return err
	}
	r.member = m
	if err := r.attend(); err != nil {
		m.Leave("bye")
		return err
	}
	r.tell(relay.Recorded, "")
	return nil
}

// attend begins to listen, for the first time or after events were lost.
func (r *Recorder) attend() error {
	_, r.sub = r.member.Handles()
	r.acked = 0
	clear(r.tracks)
	clear(r.people)
	_, others := r.member.Roster()
	for _, m := range others {
		r.people[m.ID], r.came = m.Name, true
		for _, t := range m.Tracks {
			r.know(m.ID, t)
		}
	}
	return r.member.Subscribe(relay.Selector{Name: r.order.Of}, relay.Want{Priority: priority, Hold: true})
}

func (r *Recorder) notify(bool) {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// work is the Recorder's goroutine.
func (r *Recorder) work() {
	defer close(r.done)
	defer r.store.forget(r)
	defer r.guard()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	r.gathering = time.NewTimer(gatherFor)
	defer r.gathering.Stop()
	r.describe()
	for stopped := false; !stopped; stopped = stopped || r.over() {
		if r.pull() {
			continue
		}
		select {
		case <-r.quit:
			for r.pull() {
			}
			stopped = true
		case <-r.kick:
			r.gather()
		case <-tick.C:
			r.sub.Tick()
		}
		r.tick(time.Now())
	}
	r.finish()
}

// gatherFor is how long what comes is left to wait: a disk is in no hurry, and one who wakes up for each frame costs more.
const gatherFor = 50 * time.Millisecond

// gather waits for more to come.
func (r *Recorder) gather() {
	r.gathering.Reset(gatherFor)
	select {
	case <-r.gathering.C:
	case <-r.quit: // the loop sees it too
	}
}

// guard ends a recording whose goroutine panics, and that alone.
func (r *Recorder) guard() {
	if p := recover(); p != nil {
		r.store.counts.Panics.Add(1)
		r.store.counts.Failed.Add(1)
		r.store.log.Error("panic in a recording", "recording", r.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		r.tell(relay.RecordFailed, WhyPanic)
		r.store.over(r)
		r.member.Leave("closed")
	}
}

// over reports whether the recording ends by itself.
func (r *Recorder) over() bool {
	age := time.Since(r.began)
	return r.came && len(r.people) == 0 || !r.came && age > emptyWait || age > r.store.o.MaxLength
}

// pull takes what is there, and reports whether there may be more. What was pulled counts as received.
func (r *Recorder) pull() (more bool) {
	r.out, more = r.sub.Pull(r.out[:0])
	for _, o := range r.out {
		r.acked += uint64(len(o.Data))
	}
	r.sub.Acked(r.acked, time.Since(r.began)+1)
	for _, o := range r.out {
		if o.Event != nil {
			r.event(o.Event)
		} else if len(o.Data) > 0 {
			r.message(o.Data, o.At)
		}
	}
	more = more || len(r.out) > 0 // the link has room again for what waits
	clear(r.out)
	return more
}

// tick does what time brings about.
func (r *Recorder) tick(now time.Time) {
	if r.sub.Overflowed() {
		r.store.log.Warn("a recording was too far behind, and starts over", "recording", r.id)
		r.gap(WhySlow)
		if r.member.Resume(carries, r.notify) != nil || r.attend() != nil {
			r.Stop()
			return
		}
	}
	switch {
	case r.paused:
		r.retry(now)
	case len(r.held) > 0:
		r.settle(now)
	}
	if r.part != nil && now.Sub(r.part.flushed) >= flushEvery {
		r.flush(now)
	}
}

func (r *Recorder) event(e *relay.Event) {
	switch e.Kind {
	case relay.MemberJoined:
		r.people[e.Member], r.came = e.Name, true
	case relay.MemberLeft:
		delete(r.people, e.Member)
	case relay.TrackAdded:
		r.know(e.Member, e.Track)
	case relay.TrackUpdated:
		if t := r.find(e.Member, e.Track.ID); t != nil {
			t.update(e.Track)
		}
	case relay.TrackRemoved:
		if t := r.find(e.Member, e.Track.ID); t != nil {
			r.lose(t)
		}
	case relay.DropReport:
		r.countDrops(e.Drops)
	}
}

// countDrops notes what was dropped on the way to the file: each report tells all of a track so far.
func (r *Recorder) countDrops(drops []relay.TrackDrops) {
	for _, d := range drops {
		n := d.Frames[media.DropBytes] + d.Frames[media.DropCatchUp]
		key := d.Member + "/" + d.Track
		if was := r.dropped[key]; n > was {
			r.lost(n - was)
			r.gap(WhySlow)
		}
		r.dropped[key] = n
	}
}

func (r *Recorder) lost(frames uint64) {
	r.store.counts.Dropped.Add(frames)
	r.mu.Lock()
	r.info.Dropped += frames
	r.mu.Unlock()
}

// tell tells the room how the recording does.
func (r *Recorder) tell(state relay.RecordState, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellLocked(state, why)
}

func (r *Recorder) tellLocked(state relay.RecordState, why string) {
	r.state = state
	r.info.State, r.info.Why = stateNames[state], why
	r.member.SetRecording(relay.Recording{ID: r.id, State: state, Why: why, By: r.order.By, Name: r.order.Name, Of: r.order.Of, Since: r.began})
}
