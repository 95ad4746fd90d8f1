package relay

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// follow pulls whenever there is something, as the writer of a session does, until stop; and then to the end.
func (s *session) follow(stop <-chan struct{}) {
	for running := true; running; {
		select {
		case <-s.woken:
		case <-stop:
			running = false
		}
		s.drain()
	}
}

// talk publishes and writes, is lost and resumes now and then, and leaves.
func talk(w *world, id string, frames int) {
	s := w.join(id)
	list := s.publish(video("camera"), audio("mic"))
	for i := range frames {
		if i%60 == 59 {
			s.m.Lost(s.sub, nil)
			s = s.resume()
			list[0].s, list[1].s = s, s
		}
		list[0].pieces(list[0].next(i%20 == 0, 100+i*97%20_000, 4096))
		list[1].send(true, 100)
		s.drain()
	}
	list[0].end()
	s.m.Leave("bye")
}

// Writers, readers, joins, leaves, subscriptions and snapshots at once. Every receiver holds its streams to the rules.
func TestEverythingAtOnce(t *testing.T) {
	w := newWorld(t, Options{})
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	var list []*session
	for i := range 5 {
		s := w.join(fmt.Sprint("reader", i), Selector{})
		list = append(list, s)
		readers.Go(func() { s.follow(stop) })
	}
	for i := range 3 {
		writers.Go(func() { talk(w, fmt.Sprint("writer", i), 240) })
	}
	writers.Go(func() { // comes and goes
		for range 60 {
			s := w.join("guest", Selector{})
			s.pull()
			runtime.Gosched()
			s.drain()
			s.m.Leave("bye")
		}
	})
	writers.Go(func() { // changes its mind, and asks
		m := list[0].m
		for i := range 200 {
			if err := m.Subscribe(Selector{}, Want{Paused: i%3 == 0, Priority: i % 10}); err != nil {
				t.Error(err)
			}
			_ = m.KeyFrame("writer0", "camera") // may be gone by now
			if i%7 == 0 {
				m.Unsubscribe(Selector{})
			}
			runtime.Gosched()
		}
	})
	writers.Go(func() {
		for range 200 {
			w.relay.Snapshot()
			for _, s := range list {
				s.sub.Tick()
			}
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
	for i, s := range list {
		if len(s.roster) != 4 {
			t.Errorf("reader %d sees %v after everybody else left", i, s.roster)
		}
	}
	if got := list[1].bytes; got == 0 {
		t.Error("a reader got nothing")
	}
}

// Whoever joins while a group is being written has all of it in the end: the burst and what is live leave no hole and
// bring nothing twice.
func TestJoinsWhileChunksArrive(t *testing.T) {
	const frames = 300
	w := newWorld(t, Options{})
	cam := w.join("ann").camera()
	cam.send(true, 3000)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	var list []*session
	for i := range 8 {
		s := w.join(fmt.Sprint(i))
		s.drain()
		list = append(list, s)
		readers.Go(func() {
			for range i * 20 {
				runtime.Gosched()
			}
			s.subscribe(Selector{}, Want{MaxAge: 30 * time.Second})
			s.follow(stop)
		})
	}
	for range frames - 1 {
		cam.pieces(cam.next(false, 2000, 512))
	}
	close(stop)
	readers.Wait()
	for i, s := range list {
		in := s.of("ann", "camera")
		if len(in.got) != frames || len(in.bursts) != 1 || s.sub.Stats().Drops.Total() != 0 {
			t.Errorf("reader %d has %d frames of %d, %d bursts, drops %v", i, len(in.got), frames, len(in.bursts), s.sub.Stats().Drops)
		}
	}
}

// A grace that ends in the very moment of the resume: the member either came back and stays, or is gone.
func TestResumeRacingWithTheEndOfGrace(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{Grace: time.Second})
			ann := w.join("ann")
			ann.m.Lost(ann.sub, nil)
			wait(time.Second) // the timer goes off in the same instant
			err := ann.m.Resume(everything, func(bool) {})
			synctest.Wait()
			if there := len(w.relay.Snapshot()) == 1; there != (err == nil) {
				t.Fatalf("resume: %v, and the member is there: %v", err, there)
			}
		})
	}
}

// What the old session is writing in the moment of the resume does not get in the way of the new one.
func TestWriteRacingWithAResume(t *testing.T) {
	for range 300 {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		mic := ann.mic()
		track := ann.m.tracks["mic"]
		group := func() uint32 {
			track.mu.Lock()
			defer track.mu.Unlock()
			return track.layers[0].pos.group
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 50 {
				if err := mic.write(mic.next(true, 10, 100)[0]); err != nil {
					t.Error(err)
				}
			}
		})
		runtime.Gosched()
		ann.resume()
		stands := group()
		wg.Wait()
		if g := group(); g != stands {
			t.Fatalf("group %d came through the old handle after the resume, which found group %d", g, stands)
		}
	}
}
