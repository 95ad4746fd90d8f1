package relay

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const s1 = time.Second

// look is one look of a scenario: what is seen from a time on, and the layer that is to be chosen.
type look struct {
	at      time.Duration
	trouble bool
	share   int
	shown   int
	want    int
	why     LayerWhy
}

func TestChoiceByLink(t *testing.T) {
	rates := [MaxLayers]int{20, 60, 200}
	for name, list := range map[string][]look{
		"a hiccup on a link that carries all": {{at: 11 * s1, trouble: true, want: 1, why: WhyLink}, {at: 15 * s1, want: 1, why: WhyLink},
			{at: 16 * s1, want: 2}},
		"a hiccup at the beginning": {{at: 5 * s1, trouble: true, want: 1, why: WhyLink}, {at: 24 * s1, want: 1, why: WhyLink},
			{at: 25 * s1, want: 2}},
		"what is lost at the beginning, and again, waits for five minutes": {{at: 5 * s1, trouble: true, want: 1, why: WhyLink}, {at: 25 * s1, want: 2},
			{at: 30 * s1, trouble: true, want: 1, why: WhyLink}, {at: 329 * s1, want: 1, why: WhyLink}, {at: 330 * s1, want: 2}},
		"down to what fits":           {{at: 5 * s1, trouble: true, share: 100, want: 1, why: WhyLink}},
		"down to what fits, two down": {{at: 5 * s1, trouble: true, share: 60, want: 0, why: WhyLink}},
		"down to the lowest where nothing fits": {{at: 5 * s1, trouble: true, share: 10, want: 0, why: WhyLink},
			{at: 20 * s1, trouble: true, share: 10, want: 0, why: WhyLink}},
		"at first trouble is that of a beginning": {{at: s1 / 2, trouble: true, share: 100, want: 2}, {at: s1, trouble: true, share: 100, want: 1, why: WhyLink}},
		"trouble right after a step is that of before": {{at: 5 * s1, trouble: true, share: 100, want: 1, why: WhyLink},
			{at: 5*s1 + s1/2, trouble: true, share: 60, want: 1, why: WhyLink}, {at: 6 * s1, trouble: true, share: 60, want: 0, why: WhyLink}},
		"known not to fit": {{at: 5 * s1, trouble: true, share: 100, want: 1, why: WhyLink}, {at: 60 * s1, want: 1, why: WhyLink},
			{at: 65 * s1, share: 100, want: 1, why: WhyLink}, {at: 66 * s1, want: 2}},
		"a climb that is lost waits for five minutes": {{at: 5 * s1, trouble: true, share: 100, want: 1, why: WhyLink}, {at: 65 * s1, want: 2},
			{at: 70 * s1, trouble: true, want: 1, why: WhyLink}, {at: 369 * s1, want: 1, why: WhyLink}, {at: 370 * s1, want: 2}},
		"and is not tried for a minute, though it was seen to fit": {{at: 5 * s1, trouble: true, share: 100, want: 1, why: WhyLink}, {at: 65 * s1, want: 2},
			{at: 70 * s1, trouble: true, want: 1, why: WhyLink}, {at: 80 * s1, shown: 500, want: 1, why: WhyLink},
			{at: 130 * s1, shown: 300, want: 1, why: WhyLink}, {at: 131 * s1, shown: 500, want: 2}},
		"a climb that held starts over": {{at: 5 * s1, trouble: true, share: 100, want: 1, why: WhyLink}, {at: 65 * s1, want: 2},
			{at: 76 * s1, want: 2}, {at: 80 * s1, trouble: true, share: 100, want: 1, why: WhyLink}, {at: 140 * s1, want: 2}},
		"seen to fit": {{at: 5 * s1, trouble: true, share: 100, want: 1, why: WhyLink}, {at: 10 * s1, share: 100, shown: 300, want: 1, why: WhyLink},
			{at: 11 * s1, share: 100, shown: 334, want: 2}},
		"one layer at a time": {{at: 5 * s1, trouble: true, share: 60, want: 0, why: WhyLink}, {at: 10 * s1, want: 1, why: WhyLink},
			{at: 14 * s1, want: 1, why: WhyLink}, {at: 65 * s1, want: 2}},
	} {
		v := view{asked: 2, made: 7, rates: rates}
		c := newChoice(v)
		for _, l := range list {
			v.now, v.trouble, v.share, v.shown = l.at, l.trouble, l.share, l.shown
			if c.look(v); c.layer != l.want || c.why != l.why {
				t.Errorf("%s: at %v layer %d (%d), want %d (%d)", name, l.at, c.layer, c.why, l.want, l.why)
			}
		}
	}
}

func TestChoiceByWhatIsAskedAndMade(t *testing.T) {
	for _, c := range []struct {
		asked int
		made  layerSet
		want  int
		why   LayerWhy
	}{{2, 7, 2, WhyAsked}, {1, 7, 1, WhyAsked}, {0, 7, 0, WhyAsked}, {2, 3, 1, WhyPublisher}, {2, 1, 0, WhyPublisher}, {1, 5, 0, WhyPublisher},
		{0, 6, 1, WhyPublisher}, {0, 4, 2, WhyPublisher}, {1, 4, 2, WhyPublisher}} {
		if got := newChoice(view{asked: c.asked, made: c.made}); got.layer != c.want || got.why != c.why {
			t.Errorf("%+v: layer %d (%d)", c, got.layer, got.why)
		}
	}
	c := newChoice(view{asked: 2, made: 7})
	if c.look(view{asked: 2, now: s1}); c.layer != 2 {
		t.Errorf("with nothing made: layer %d", c.layer)
	}
	c.look(view{asked: 2, made: 7, hold: true, trouble: true, share: 1, now: 5 * s1})
	if c.layer != 2 || c.why != WhyAsked {
		t.Errorf("held: layer %d (%d)", c.layer, c.why)
	}
}

// Whatever comes: the layer is one that is made, never above what is asked for while a lower one is made, and without trouble it goes
// up at most once in five seconds.
func TestChoiceKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := view{asked: rapid.IntRange(0, 2).Draw(t, "asked"), made: layerSet(rapid.IntRange(1, 7).Draw(t, "made"))}
		for i := range v.rates {
			v.rates[i] = rapid.IntRange(0, 1000).Draw(t, "rate")
		}
		c := newChoice(v)
		rose := -calmTime
		for range rapid.IntRange(1, 200).Draw(t, "looks") {
			before := c.layer
			v.now += time.Duration(rapid.SampledFrom([]int{100, 100, 1000, 5000}).Draw(t, "ms")) * time.Millisecond
			v.trouble, v.moving = rapid.IntRange(0, 9).Draw(t, "trouble") == 0, rapid.IntRange(0, 9).Draw(t, "moving") == 0
			v.share, v.shown = rapid.SampledFrom([]int{0, 0, 100, 1000}).Draw(t, "share"), rapid.SampledFrom([]int{0, 100, 2000}).Draw(t, "shown")
			c.look(v)
			if !v.made.has(c.layer) {
				t.Fatalf("layer %d of %b", c.layer, v.made)
			}
			if lower, _ := v.made.from(v.asked); c.layer > max(v.asked, lower) {
				t.Fatalf("layer %d, asked for %d of %b", c.layer, v.asked, v.made)
			}
			if c.layer > before {
				if v.trouble || v.now-rose < calmTime {
					t.Fatalf("up after %v, trouble %v", v.now-rose, v.trouble)
				}
				rose = v.now
			}
		}
	})
}

func TestFairShare(t *testing.T) {
	for _, c := range []struct {
		total int
		needs []int
		want  int
	}{{100, nil, 100}, {100, []int{100}, 50}, {100, []int{20}, 80}, {100, []int{20, 100}, 40}, {100, []int{100, 20}, 40}, {90, []int{100, 100}, 30},
		{100, []int{50}, 50}, {100, []int{0, 0, 0}, 100}, {0, []int{1}, 0}} {
		if got := fairShare(c.total, append([]int(nil), c.needs...)); got != c.want {
			t.Errorf("of %d beside %v: %d, want %d", c.total, c.needs, got, c.want)
		}
	}
}

func TestRatesAreGuessedBySize(t *testing.T) {
	pixels := []int{100, 400, 1600}
	for _, c := range []struct{ rates, want [MaxLayers]int }{{[MaxLayers]int{}, [MaxLayers]int{30, 120, 480}}, {[MaxLayers]int{0, 0, 800}, [MaxLayers]int{50, 200, 800}},
		{[MaxLayers]int{100, 0, 0}, [MaxLayers]int{100, 400, 1600}}, {[MaxLayers]int{1, 2, 3}, [MaxLayers]int{1, 2, 3}}} {
		got := c.rates
		if guess(&got, pixels); got != c.want {
			t.Errorf("%v: guessed %v, want %v", c.rates, got, c.want)
		}
	}
}

func TestMeterOfALayer(t *testing.T) {
	var m meter
	last := 0
	for ms := 0; ms < 10_000; ms += 100 {
		if r := m.add(50, time.Duration(ms)*time.Millisecond); r > 0 {
			last = r
		}
	}
	if last != 500 {
		t.Errorf("50 bytes each 100 ms are %d a second", last)
	}
	if r := m.add(50, time.Minute); r != 0 {
		t.Errorf("after a long silence: %d", r)
	}
}
