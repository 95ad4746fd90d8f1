package play

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// missing is no recording of any shelf.
const missing = "20261128-200000-kitchen-00000000"

// TestOneBehindTheOther: what is played behind a recording begins when it ends or is skipped, and what is gone is passed over.
func TestOneBehindTheOther(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		first := play(t, d, Order{By: "vera", Next: []string{missing, recording, recording}})
		length := first.State().Length
		<-first.Done()
		synctest.Wait()
		second := d.Find("room")
		if second == nil || second.State().By != "vera" || !slices.Equal(second.State().Next, []string{recording}) {
			t.Fatalf("behind the first: %+v", second)
		}
		time.Sleep(time.Second)
		if err := second.Change(t.Context(), Change{Skip: true}); err != nil {
			t.Fatal(err)
		}
		<-second.Done()
		synctest.Wait()
		third := d.Find("room")
		if third == nil || len(third.State().Next) != 0 {
			t.Fatalf("behind the second: %+v", third)
		}
		if err := third.Change(t.Context(), Change{Skip: true}); !errors.Is(err, ErrNoNext) {
			t.Errorf("the last is skipped: %v", err)
		}
		list := make([]string, maxNext+1)
		if err := third.Change(t.Context(), Change{Next: &list}); !errors.Is(err, ErrLong) {
			t.Errorf("a long list: %v", err)
		}
		if _, err := d.Play(Order{Room: "other", Recording: recording, Next: list}); !errors.Is(err, ErrLong) {
			t.Errorf("a long list from the beginning: %v", err)
		}
		<-third.Done()
		synctest.Wait()
		v.leave()
		var whys []string
		for _, state := range v.states {
			if state.Over {
				whys = append(whys, state.Why)
			}
		}
		if !slices.Equal(whys, []string{WhyNext, WhyNext, WhyEnded}) || d.Find("room") != nil {
			t.Errorf("they ended with %q", whys)
		}
		if off := time.Since(v.began) - (2*length + time.Second); off.Abs() > 100*time.Millisecond { // the last frames have a length, too
			t.Errorf("all together took %v more than they are long", off)
		}
	})
}

// TestStoppedIsStopped: nothing comes behind what somebody has ended, or has another played in place of.
func TestStoppedIsStopped(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{Next: []string{recording}})
		other := play(t, d, Order{})
		if <-p.Done(); p.State().Why != WhyReplaced || d.Find("room") != other {
			t.Errorf("replaced: %+v", p.State())
		}
		next := []string{recording}
		if err := other.Change(t.Context(), Change{Next: &next}); err != nil {
			t.Fatal(err)
		}
		other.Stop(WhyStopped)
		<-other.Done()
		synctest.Wait()
		if d.Find("room") != nil {
			t.Error("something is played behind what was stopped")
		}
		v.leave()
	})
}
