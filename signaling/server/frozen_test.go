package server

import (
	"errors"
	"testing"
	"time"
)

// The show of this test: frames of one size, many of them, as fast as the server takes them.
const (
	showFrame = 20_000
	showGroup = 30 // frames
	showAhead = 12 // frames that the publisher is ahead of the good reader at most
	showBytes = 12 << 20
)

// TestFrozenReaderStopsNobody has three readers of one publisher: a good one, one that reads half of what comes,
// and one that reads nothing at all for a while.
func TestFrozenReaderStopsNobody(t *testing.T) {
	patient := protocolTimes // a reader that is frozen for too long is closed: that is another test
	patient.write, patient.dead = time.Hour, time.Hour
	s, url := startWith(t, Config{}, patient, plain)
	ann, joined := enter(t, url, "r", `"name":"Ann","publish":[`+camera+`]`)
	alias := joined.Self.Tracks[0].Layers[0].Alias
	read := func(p *probe, join string) (*follower, string) {
		p, j := p.enter("r", join)
		return &follower{probe: p, alias: alias, size: showFrame}, j.Self.ID
	}
	good, goodID := read(dial(t, url), `"subscribe":[{"maxAgeMs":5000}]`)
	half, halfID := read(dial(t, url), `"subscribe":[{}]`)
	frozen, frozenID := read(narrow(t, url), `"subscribe":[{}]`)
	show := &show{t: t, ann: ann, alias: alias, taken: make(chan struct{}, 1<<16), credit: make(chan int, 1<<16)}
	done := make(chan error, 3)
	go func() { done <- show.watch(good) }()
	go func() { done <- show.watchHalf(half) }()

	for i := range showBytes / showFrame {
		show.frame()
		if i%100 != 99 {
			continue
		}
		for _, id := range []string{halfID, frozenID} {
			link := status(t, url, id).Link
			if link.QueueBytes > 1<<20 || link.QueueAgeMs > 1500 { // 400 ms, and the second between two looks
				t.Fatalf("after %d frames the queue has %d bytes of %.0f ms", i, link.QueueBytes, link.QueueAgeMs)
			}
		}
	}
	for id, name := range map[string]string{halfID: "half-rate", frozenID: "frozen"} {
		if d := status(t, url, id).Link.Drops; d["age"]+d["bytes"] == 0 {
			t.Errorf("%s reader's drops are not named: %v", name, d)
		}
	}
	if d := status(t, url, goodID).Link.Drops; len(d) != 0 {
		t.Errorf("the good reader lost frames: %v", d)
	}
	if s.stats.partial.Load() == 0 {
		t.Error("no write was cut short: the frozen reader's socket was never full")
	}

	thawed, frozenAt := make(chan struct{}), show.group
	go func() { done <- thaw(frozen, frozenAt, thawed) }()
	show.until(thawed)
	ann.text(`{"type":"unpublish","track":"camera"}`)
	for range 3 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if good.frames != show.sent || good.asm.Abandoned != 0 {
		t.Errorf("the good reader has %d frames of %d", good.frames, show.sent)
	}
	if half.frames < showGroup || half.drops["age"]+half.drops["bytes"] == 0 {
		t.Errorf("the half-rate reader has %d frames of %d, and was told of drops %v", half.frames, show.sent, half.drops)
	}
	if frozen.drops["age"]+frozen.drops["bytes"] == 0 {
		t.Errorf("the frozen reader was told of drops %v", frozen.drops)
	}
}

// show is the publisher's side.
type show struct {
	t      *testing.T
	ann    *probe
	alias  uint16
	sent   int
	group  uint32
	taken  chan struct{} // a frame has reached the good reader
	credit chan int      // bytes that the half-rate reader may read
}

// frame sends one frame, once the good reader is near enough.
func (s *show) frame() {
	s.t.Helper()
	if s.sent >= showAhead {
		select {
		case <-s.taken:
		case <-time.After(patience):
			s.t.Fatalf("the good reader has not got frame %d", s.sent-showAhead)
		}
	}
	s.group = uint32(s.sent/showGroup) + 1
	for _, m := range patterned(s.alias, s.group, uint16(s.sent%showGroup), showFrame) {
		s.ann.binary(m)
	}
	s.sent++
}

// until goes on with the show at a camera's pace until stop is closed.
func (s *show) until(stop chan struct{}) {
	s.t.Helper()
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for end := time.After(patience); ; {
		select {
		case <-stop:
			return
		case <-end:
			s.t.Fatal("the frozen reader gets no picture any more")
		case <-pace.C:
			s.frame()
		}
	}
}

func (s *show) watch(f *follower) error {
	defer close(s.credit)
	for !f.ended {
		frames, got := f.frames, f.got
		if err := f.step(); err != nil {
			return err
		}
		s.credit <- int(f.got-got) / 2
		if f.frames > frames {
			s.taken <- struct{}{}
			if f.frames != int(f.last.Group-1)*showGroup+int(f.last.Frame)+1 {
				return errors.New("the good reader missed a frame")
			}
		}
	}
	return nil
}

// watchHalf reads half of what the good reader has read, and all that is left when that one is through.
func (s *show) watchHalf(f *follower) error {
	for may, ok := 0, true; !f.ended; {
		for ok && int(f.got) >= may {
			var n int
			n, ok = <-s.credit
			may += n
		}
		if err := f.step(); err != nil {
			return err
		}
	}
	return nil
}

// thaw reads on where the reader froze. Once it has whole groups from after that again, it says so.
func thaw(f *follower, frozenAt uint32, again chan struct{}) error {
	for told := false; !f.ended; {
		if err := f.step(); err != nil {
			return err
		}
		if !told && f.last.Group > frozenAt+1 && f.drops != nil {
			told = true
			close(again)
		}
	}
	return nil
}
