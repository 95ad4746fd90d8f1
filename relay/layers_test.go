package relay

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// Rates of the layers in bytes a second: 150 kbit/s, 500 kbit/s and 1.6 Mbit/s.
var layerRates = []int{19_000, 62_000, 200_000}

// switched is what a receiver had, over time.
type switched struct {
	at     time.Duration
	height int
}

// follow runs a studio for a receiver behind a lane, and notes each change of height.
func follow(st *studio, l *lane, d time.Duration, list *[]switched) {
	start := time.Now()
	st.run(d, func() {
		l.step()
		h := l.s.height("ann", "camera")
		if n := len(*list); h != 0 && (n == 0 || (*list)[n-1].height != h) {
			*list = append(*list, switched{time.Since(start), h})
		}
	})
}

// call is a studio and one receiver behind a lane.
func call(t *testing.T, obeys bool, rate int) (*studio, *lane) {
	w := newWorld(t, Options{})
	st := newStudio(w.join("ann"), obeys, 50, layerRates...)
	return st, newLane(w.join("bob", Selector{}), rate)
}

const mbit = 1_000_000 / 8

func heights(list []switched) (h []int) {
	for _, s := range list {
		h = append(h, s.height)
	}
	return h
}

func TestLinkThatGetsThinAndWideAgain(t *testing.T) {
	for _, obeys := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			st, l := call(t, obeys, 3*mbit)
			var list [3][]switched
			for i, rate := range []int{3, 1, 3} {
				l.rate = rate * mbit
				follow(st, l, 30*time.Second, &list[i])
			}
			t.Log(list)
			if !slices.Equal(heights(list[0]), []int{720}) || !slices.Equal(heights(list[1]), []int{720, 360}) || !slices.Equal(heights(list[2]), []int{360, 720}) {
				t.Fatalf("obeys %v: %v", obeys, list)
			}
			if down, up := list[1][1].at, list[2][1].at; down > 2*time.Second || up > 15*time.Second {
				t.Errorf("obeys %v: down after %v, up after %v", obeys, down, up)
			}
			if n := l.s.abandons("ann", "camera", media.DropLayer); n == 0 || n > 2 { // what was too old was abandoned for that
				t.Errorf("%d Abandons for 2 switches", n)
			}
			last := l.s.last(LayerSent)
			if l.s.count(LayerSent) != 2 || last.Height != 720 || last.Why != WhyAsked || last.Member != "ann" || last.Track.ID != "camera" {
				t.Errorf("%d times told, the last %+v", l.s.count(LayerSent), last)
			}
			if obeys && (st.made[0] > 2*fps || st.made[1] > st.made[2]) {
				t.Errorf("frames made of each layer: %v", st.made)
			}
		})
	}
}

func TestRateBetweenTwoLayersMakesFewChanges(t *testing.T) {
	for _, c := range []struct {
		kbits int
		obeys bool
	}{{600, true}, {1300, true}, {1500, false}, {1700, true}} {
		synctest.Test(t, func(t *testing.T) {
			st, l := call(t, c.obeys, c.kbits*125)
			var list []switched
			follow(st, l, 5*time.Minute, &list)
			if changes := len(list) - 1; changes > 3 {
				t.Errorf("%+v: %d changes: %v", c, changes, list)
			}
			if n := l.s.frames("ann", "camera"); n < 300*fps*8/10 {
				t.Errorf("%+v: %d frames of %d", c, n, 300*fps)
			}
		})
	}
}

func TestHiddenTileCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l := call(t, true, 3*mbit)
		st.run(3*time.Second, l.step)
		l.s.subscribe(Selector{}, Want{Paused: true})
		st.run(2*time.Second, l.step)
		made := slices.Clone(st.made)
		l.came = 0
		st.run(10*time.Second, l.step)
		if l.came != 0 || !slices.Equal(made, st.made) || slices.Contains(st.wants, true) {
			t.Errorf("hidden: %d bytes came, %v frames were made, then %v, wanted %v", l.came, made, st.made, st.wants)
		}
		l.s.subscribe(Selector{}, Want{Height: 200})
		had := l.s.frames("ann", "camera")
		st.run(500*time.Millisecond, l.step)
		if n := l.s.frames("ann", "camera"); n == had || l.s.height("ann", "camera") != 360 {
			t.Errorf("shown again: %d frames in 500 ms, of height %d", n-had, l.s.height("ann", "camera"))
		}
	})
}

func TestHeightChoosesTheLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l := call(t, true, 20*mbit)
		for _, c := range []struct{ asked, got int }{{0, 720}, {180, 180}, {181, 360}, {100, 180}, {720, 720}, {360, 360}, {2000, 720}} {
			l.s.subscribe(Selector{}, Want{Height: c.asked})
			st.run(time.Second, l.step)
			if h := l.s.height("ann", "camera"); h != c.got {
				t.Errorf("asked for %d: sent %d, want %d", c.asked, h, c.got)
			}
			st.run(2*time.Second, l.step)
			var want []bool
			for _, h := range []int{180, 360, 720} {
				want = append(want, h == c.got)
			}
			if !slices.Equal(st.wants, want) {
				t.Errorf("asked for %d: wanted %v", c.asked, st.wants)
			}
		}
	})
}

// With hold, a layer stays whatever the link: it is gated.
func TestHeldLayerIsGated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l := call(t, false, mbit)
		l.s.subscribe(Selector{}, Want{Hold: true})
		var list []switched
		follow(st, l, 30*time.Second, &list)
		if st := l.s.sub.Stats(); len(list) != 1 || list[0].height != 720 || st.Drops[media.DropGate] == 0 {
			t.Errorf("%v, drops %v", list, st.Drops)
		}
	})
}

func TestLayerThatIsNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l := call(t, false, 20*mbit)
		st.run(time.Second, l.step)
		say := func(made ...bool) {
			t.Helper()
			if err := st.s.m.Encoding("camera", made); err != nil {
				t.Fatal(err)
			}
			for i := range st.layers {
				st.rates[i] = layerRates[i]
			}
			st.run(3*time.Second, l.step)
		}
		for _, c := range []struct {
			made []bool
			got  int
			why  LayerWhy
		}{{[]bool{true, true, false}, 360, WhyPublisher}, {[]bool{true, false, false}, 180, WhyPublisher}, {[]bool{false, false, true}, 720, WhyAsked},
			{[]bool{true, true, true}, 720, WhyAsked}} {
			say(c.made...)
			if st := l.s.sub.Stats().Layers; l.s.height("ann", "camera") != c.got || len(st) != 1 || st[0].Height != c.got || st[0].Why != c.why {
				t.Errorf("made %v: sent %d, %+v", c.made, l.s.height("ann", "camera"), st)
			}
		}
		if err := st.s.m.Encoding("camera", []bool{true}); err != ErrLayers {
			t.Errorf("another number of layers: %v", err)
		}
		if err := st.s.m.Encoding("other", nil); err != ErrNoSuchTrack {
			t.Errorf("another track: %v", err)
		}
	})
}

// A track ends with all its layers, and its receiver hears it once. Before that, one that ends is not made any more.
func TestEndOfLayers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l := call(t, false, 20*mbit)
		l.s.subscribe(Selector{}, Want{Height: 360})
		st.run(time.Second, l.step)
		st.layers[2].end()
		l.s.subscribe(Selector{}, Want{})
		if err := st.s.m.Encoding("camera", []bool{true, true, true}); err != nil {
			t.Fatal(err)
		}
		st.layers = st.layers[:2]
		st.run(3*time.Second, l.step)
		if l.s.height("ann", "camera") != 360 || l.s.of("ann", "camera").of.ended {
			t.Fatalf("sent %d", l.s.height("ann", "camera"))
		}
		of := l.s.of("ann", "camera").of
		st.layers[1].end()
		st.layers = st.layers[:1]
		st.run(time.Second, func() {})
		if l.s.height("ann", "camera") != 360 { // with what waits of it
			t.Errorf("moved to %d at the end", l.s.height("ann", "camera"))
		}
		st.layers[0].end()
		for range 200 {
			l.step()
			wait(5 * time.Millisecond)
		}
		if !of.ended || l.s.count(TrackRemoved) != 1 {
			t.Errorf("ended %v, removed %d", of.ended, l.s.count(TrackRemoved))
		}
	})
}
