package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// worker is a process with members. All but connections under TLS happens in one thread, which Work runs.
type worker struct {
	mu      sync.Mutex // held but for waiting; contended under TLS alone
	loop    *loop
	agenda  agenda
	buf     []byte
	orders  []byte // what has come of the next order
	members []*member
	tallies map[role]*tally
	relay   address
	aliases [1 << 16]alias
	plan    plan
	webRTC  bool

	// A join that is under way.
	queue    []*member
	open     int // joins under way
	pending  int
	failed   error
	joining  bool
	slowRate float64

	outlets  []*outlet
	owner    []*member // of each outlet
	slice    *slice
	keyAsked uint64

	parting bool
	left    int
	over    bool
}

// atATime is how many joins of a worker may be under way. A relay joins one after another, and each join is told to
// all who are in the room: more at a time would measure the length of that queue.
const atATime = 8

// bufferSize is what a worker reads of a socket at most.
const bufferSize = 1 << 20

// Worker takes orders from stdin until its end.
func Worker() error {
	runtime.LockOSThread()
	raiseLimit()
	loop, err := newLoop()
	if err != nil {
		return err
	}
	defer loop.close()
	w := &worker{loop: loop, buf: make([]byte, bufferSize+maxMessage), tallies: map[role]*tally{}}
	if err := unix.SetNonblock(0, true); err != nil {
		return err
	}
	if err := loop.watch(0, unix.EPOLLIN, w.listen); err != nil {
		return fmt.Errorf("%w: stdin must be a pipe, since this command is landline bench's own", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.over {
		at, ok := w.agenda.next()
		for t := now(); ok && at <= t; at, ok = w.agenda.next() {
			w.agenda.pop().do(t)
		}
		if w.over {
			return nil
		}
		loop.arm(at)
		w.mu.Unlock()
		n, err := loop.poll()
		w.mu.Lock()
		if err != nil {
			return err
		}
		loop.dispatch(n)
	}
	return nil
}

// listen reads orders.
func (w *worker) listen(uint32) {
	var buf [64 << 10]byte
	n, errno := read(0, buf[:])
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return
	}
	if errno != 0 || n == 0 {
		w.loop.drop(0)
		w.part()
		return
	}
	w.orders = append(w.orders, buf[:n]...)
	for {
		line, rest, whole := bytes.Cut(w.orders, []byte("\n"))
		if !whole {
			return
		}
		var o order
		if err := json.Unmarshal(line, &o); err != nil {
			w.answer(answer{Error: "an order that cannot be read: " + err.Error()})
		} else {
			w.do(&o)
		}
		w.orders = append([]byte(nil), rest...)
	}
}

func (w *worker) do(o *order) {
	switch {
	case o.Join != nil:
		w.join(o.Join)
	case o.Floor != nil:
		w.joinFloor(o.Floor)
	case o.Send != nil:
		w.send(o.Send)
	case o.Stop:
		w.slice.until = min(w.slice.until, now())
	case o.Take != nil:
		w.take(o.Take)
	case o.Leave:
		w.part()
	}
}

func (w *worker) answer(a answer) {
	line, err := json.Marshal(a)
	if err == nil {
		_, err = os.Stdout.Write(append(line, '\n'))
	}
	if err != nil {
		w.over = true // nobody listens any more
	}
}

// join begins what order says; settled ends it.
func (w *worker) join(o *joinOrder) {
	w.relay, w.plan, w.slowRate, w.webRTC = o.Relay, o.Plan, o.SlowRate, o.WebRTC
	perRoom := 0
	for _, a := range o.Aliases {
		w.aliases[a.Alias] = a
		perRoom = max(perRoom, a.Track+1)
	}
	w.joining = true
	outlets := w.plan.outlets()
	for _, spec := range o.Members {
		m := w.member(spec, perRoom)
		if spec.Role == publisher {
			per := len(outlets) / (w.plan.Rooms * w.plan.Publishers)
			n := len(w.outlets)
			m.own = outlets[n : n+per]
			for range m.own {
				w.owner = append(w.owner, m)
			}
			w.outlets = outlets[:n+per]
		}
	}
	w.proceed()
}

func (w *worker) joinFloor(o *floorOrder) {
	w.relay, w.joining, w.webRTC = address{Dial: o.Dial}, true, o.WebRTC
	perRoom := 0
	for _, a := range w.aliases {
		if a.Alias != 0 {
			perRoom = max(perRoom, a.Track+1)
		}
	}
	for _, room := range o.Rooms {
		w.member(memberSpec{Role: onFloor, Room: room}, perRoom)
	}
	w.proceed()
}

// member adds a member that will be connected in its turn.
func (w *worker) member(spec memberSpec, tracks int) *member {
	t := w.tallies[spec.Role]
	if t == nil {
		t = newTally()
		w.tallies[spec.Role] = t
	}
	m := &member{spec: spec, w: w, tally: t, phase: rand.Int64N(int64(time.Second)), tracks: make([]received, tracks)}
	w.members = append(w.members, m)
	w.queue = append(w.queue, m)
	w.pending++
	return m
}

// proceed connects as many as may be under way.
func (w *worker) proceed() {
	for w.open < atATime && len(w.queue) > 0 {
		m := w.queue[0]
		w.queue = w.queue[1:]
		w.open++
		w.connect(m)
	}
	if w.joining && w.pending == 0 {
		w.joining = false
		w.answer(w.joined())
	}
}

func (w *worker) joined() (a answer) {
	if w.failed != nil {
		a.Error = w.failed.Error()
	}
	track, room := 0, -1
	for _, o := range w.outlets {
		if o.room != room {
			room, track = o.room, 0
		}
		a.Aliases = append(a.Aliases, alias{Alias: o.alias, Room: o.room, Track: track, Audio: o.audio})
		track++
	}
	return a
}

// connect begins a connection of a member, its first or another.
func (w *worker) connect(m *member) {
	if w.parting {
		return
	}
	m.epoch++
	m.stage, m.began, m.any = connecting, now(), false
	m.got, m.ack, m.fresh, m.planned, m.frag = 0, 0, false, false, nil
	m.interval = int64(100 * time.Millisecond)
	m.drops = nil
	clear(m.tracks)
	m.after(joinTime, func() {
		if m.stage != inRoom && m.stage != leaving {
			m.lost(fmt.Sprintf("not joined within %v", joinTime))
		}
	})
	if w.relay.TLS && m.spec.Role != onFloor {
		dialTLS(w, m)
		return
	}
	to := w.relay.Dial
	s, err := dialSocket(w, m, to)
	if err != nil {
		m.stage = away
		w.settled(m, err)
		return
	}
	m.line = s
}

// settled is called when a member is in its room, or failed to come there.
func (w *worker) settled(m *member, err error) {
	if s, ok := m.line.(*socket); ok && err == nil && m.spec.Role == slow {
		s.slowly(w.slowRate)
	}
	if m.epoch > 2 || w.parting { // it was there before
		if err != nil {
			m.tally.Closes["no way back: "+err.Error()]++
		}
		return
	}
	if w.failed == nil && err != nil {
		w.failed = err
		w.pending -= len(w.queue)
		w.queue = nil
	}
	w.open--
	w.pending--
	w.proceed()
}

// take answers with what was counted.
func (w *worker) take(o *takeOrder) {
	if o.Brief {
		brief := map[role]*tally{}
		for r, t := range w.tallies {
			b := &tally{}
			b.Audio.Frames, b.Audio.CaughtUp = t.Audio.Frames, t.Audio.CaughtUp
			b.Video.Frames, b.Video.CaughtUp = t.Video.Frames, t.Video.CaughtUp
			brief[r] = b
		}
		w.answer(answer{Tallies: brief})
		return
	}
	w.answer(answer{Tallies: w.tallies, CPU: cpuSeconds(unix.RUSAGE_SELF)})
	if o.Reset {
		for r, t := range w.tallies {
			*t = *newTally()
			w.tallies[r] = t
		}
	}
}

// part has all members leave and ends the worker.
func (w *worker) part() {
	if w.parting {
		return
	}
	w.parting = true
	w.queue = nil
	w.agenda.add(now()+int64(3*time.Second), func(int64) { w.over = true })
	w.left = 1
	for _, m := range w.members {
		if m.stage == away {
			continue
		}
		w.left++
		if m.leave(); m.stage != leaving {
			m.ended()
		}
	}
	w.gone()
}

// gone counts those who have left.
func (w *worker) gone() {
	if w.left--; w.left == 0 {
		w.over = true
	}
}

// cpuSeconds is what a process or a thread has used of the processor.
func cpuSeconds(who int) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// raiseLimit allows as many descriptors as the system does. Go does so too for its own process; the limit is asked
// for in so many words since everything here depends on it.
func raiseLimit() {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &l)
	}
}
