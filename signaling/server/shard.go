package server

import (
	"sync"
	"time"
)

// shard writes for its share of the sessions.
type shard struct {
	server *Server
	mu     sync.Mutex
	wake   sync.Cond
	audio  queue
	video  queue
	run    int // sessions served from audio in a row
	closed bool

	load    load
	window  time.Duration // for how long dense sessions wait for more while the shard is busy
	waiting queue         // those that do, in the order in which they are due
	timer   *time.Timer   // of the first of them
}

// audioRun is how many sessions may be served for audio in a row while others wait for video.
const audioRun = 32

// turn is where a session stands with its shard; guarded by shard.mu.
type turn struct {
	want    urgency // in which queue it waits
	writing bool    // the shard or a goroutine is writing
	again   urgency // scheduled meanwhile
	dense   bool    // messages come so close together that it pays to wait for more of them
	due     time.Duration
	held    bool // it waits until due
}

type urgency uint8

const (
	idle urgency = iota
	later
	atOnce
)

// queue is a list of sessions, oldest first.
type queue struct {
	list []*Session
	head int
}

func (q *queue) push(ss *Session) {
	if q.head > 64 && q.head*2 > len(q.list) {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, ss)
}

func (q *queue) len() int        { return len(q.list) - q.head }
func (q *queue) first() *Session { return q.list[q.head] }

func (q *queue) pop() *Session {
	if q.head == len(q.list) {
		return nil
	}
	ss := q.list[q.head]
	q.list[q.head] = nil
	q.head++
	if q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
	return ss
}

func newShard(s *Server) *shard {
	sh := &shard{server: s, window: s.cfg.Coalesce}
	sh.wake.L = &sh.mu
	return sh
}

// schedule has a session written soon: before all that only video waits for, if urgent.
func (sh *shard) schedule(ss *Session, urgent bool) {
	want := later
	if urgent {
		want = atOnce
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	t := &ss.turn
	if t.writing {
		t.again = max(t.again, want)
		return
	}
	if t.want >= want || sh.closed {
		return
	}
	if t.held {
		t.want = want
		return
	}
	if t.dense && t.want == idle && sh.window > 0 {
		sh.hold(ss, want)
		return
	}
	sh.enqueue(ss, want)
}

// enqueue puts a session into the queue of its urgency. One that waits for video already is found there again later,
// and passed over.
func (sh *shard) enqueue(ss *Session, want urgency) {
	ss.turn.want = want
	if want == atOnce {
		sh.audio.push(ss)
	} else {
		sh.video.push(ss)
	}
	sh.wake.Signal()
}

// hold lets a session wait for more messages to go with the first.
func (sh *shard) hold(ss *Session, want urgency) {
	ss.turn.want, ss.turn.held, ss.turn.due = want, true, sh.server.elapsed()+sh.window
	sh.waiting.push(ss)
	if sh.waiting.len() > 1 {
		return
	}
	if sh.timer == nil {
		sh.timer = time.AfterFunc(sh.window, sh.release)
	} else {
		sh.timer.Reset(sh.window)
	}
}

// release is the timer's: sessions that have waited long enough are served, and those for which a quarter of the window is left at most:
// a timer for each would cost more than the waiting saves.
func (sh *shard) release() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := sh.server.elapsed()
	for sh.waiting.len() > 0 {
		ss := sh.waiting.first()
		if wait := ss.turn.due - now; wait > sh.window/4 && !sh.closed {
			sh.timer.Reset(wait)
			return
		}
		sh.waiting.pop()
		ss.turn.held = false
		sh.enqueue(ss, ss.turn.want)
	}
}

// take waits for the next session to write for; nil when the shard is closed.
func (sh *shard) take() *Session {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for {
		if sh.closed {
			return nil
		}
		ss := sh.pop()
		if ss == nil {
			sh.wake.Wait()
			continue
		}
		if ss.turn.want == idle || ss.turn.writing {
			continue // it was served through the other queue
		}
		ss.turn.want, ss.turn.writing = idle, true
		return ss
	}
}

// pop takes from audio first, and now and then from video, so that neither starves nor grows.
func (sh *shard) pop() *Session {
	if sh.run < audioRun {
		if ss := sh.audio.pop(); ss != nil {
			sh.run++
			return ss
		}
	}
	sh.run = 0
	if ss := sh.video.pop(); ss != nil {
		return ss
	}
	return sh.audio.pop()
}

// written ends a session's turn. If there is more than went into its write, the rest goes out at once: it has waited for company already.
func (sh *shard) written(ss *Session, more bool) {
	sh.mu.Lock()
	t := &ss.turn
	sh.load.note(ss.flow.batch)
	t.writing, t.dense = false, sh.load.busy && ss.flow.dense()
	again := t.again
	t.again = idle
	if more && !sh.closed {
		sh.enqueue(ss, max(again, later))
	}
	sh.mu.Unlock()
	if !more && again != idle {
		sh.schedule(ss, again == atOnce)
	}
}

// serveAll serves sessions until close.
func (sh *shard) serveAll() {
	defer sh.server.stopped.Done()
	var b batch
	for ss := sh.take(); ss != nil; ss = sh.take() {
		sh.serve(ss, &b)
	}
}

func (sh *shard) serve(ss *Session, b *batch) {
	handed := false
	more := false
	ss.guard(func() {
		if ss.stands() {
			handed = true
			go ss.drain(nil, true, false)
			return
		}
		rest, m, last := ss.flush(b)
		more = m
		if len(rest) > 0 {
			handed = true
			go ss.drain(rest, more, last)
			return
		}
		if last {
			ss.hangUp()
		}
	})
	if !handed {
		sh.written(ss, more)
	}
}

func (sh *shard) close() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.closed = true
	if sh.timer != nil {
		sh.timer.Stop()
	}
	sh.wake.Broadcast()
}
