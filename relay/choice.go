package relay

import "time"

// choice decides which layer of a track one subscriber is sent. It is pure: all it knows of the world is what it is shown.
type choice struct {
	most    int           // the highest layer that the link is thought to carry; MaxLayers = any
	layer   int           // chosen last
	why     LayerWhy      // and why not a better one
	since   time.Duration // when it was chosen
	began   time.Duration // when it was made
	calm    time.Duration // when there was trouble last
	climbed time.Duration // when the last step up was made
	up      bool          // there was one, and it has not held for climbHeld yet
	bars    [MaxLayers]bar
}

// bar keeps a layer that did not fit from being tried again too soon.
type bar struct {
	until  time.Duration
	failed int
}

// LayerWhy says why a subscriber is sent the layer that it is sent.
type LayerWhy uint8

// The reasons.
const (
	WhyAsked     LayerWhy = iota // it is the one that the subscription asks for
	WhyLink                      // the link carries no more
	WhyPublisher                 // the publisher does not make the one that is asked for
)

// view is what a choice is made from.
type view struct {
	now     time.Duration
	asked   int      // the layer that the subscription asks for
	hold    bool     // always that one
	made    layerSet // those that the publisher makes
	rates   [MaxLayers]int
	trouble bool          // frames waited for long, or were dropped, since the last look
	moving  bool          // the layer that was chosen last has not come yet
	arrived time.Duration // when the one that is sent had come
	share   int           // bytes a second that the link carries for this track; 0 = not known, it was not full of late
	shown   int           // bytes a second that the link was seen to carry at some moment of late, for this track
}

const (
	calmTime  = 5 * time.Second  // without trouble before a step up
	settle    = time.Second      // after a change, trouble is still that of before
	moveMost  = 3 * time.Second  // and so long where the key frame does not come
	climbHeld = 10 * time.Second // a layer that is lost sooner has failed
	barFirst  = time.Minute
	barMost   = 5 * time.Minute
	barBegun  = 20 * time.Second // where it was lost at the beginning
	barSeen   = 20 * time.Second // what failed twice is not believed to fit sooner, whatever was seen of the link

	fills      = 0.8 // of what the link carries is what a layer may need
	fillsShown = 0.6 // of what it was seen to carry for a moment, which tells less
)

func newChoice(v view) choice {
	c := choice{most: MaxLayers, began: v.now, calm: v.now}
	c.settleOn(v)
	return c
}

// look takes a look at the world, and decides.
func (c *choice) look(v view) {
	if c.up && v.now-c.climbed >= climbHeld {
		c.up = false
		c.bars[c.layer].failed = 0
	}
	switch {
	case v.hold:
		c.most = MaxLayers
	case v.trouble:
		c.calm = v.now
		if v.now-max(c.since, v.arrived) >= settle && (!v.moving || v.now-c.since >= moveMost) {
			c.down(v)
		}
	case v.now-c.calm >= calmTime && v.now-c.since >= calmTime && !v.moving:
		c.climb(v)
	}
	c.settleOn(v)
}

// settleOn makes the best of what is asked for, made, and carried the one that is chosen.
func (c *choice) settleOn(v view) {
	layer, ok := v.made.from(min(v.asked, c.most))
	if !ok {
		return // nothing is made: it stays
	}
	c.why = WhyAsked
	if best, _ := v.made.from(v.asked); best != v.asked {
		c.why = WhyPublisher
	}
	if c.most < v.asked && layer <= c.most {
		c.why = WhyLink
	}
	if layer != c.layer {
		c.layer, c.since = layer, v.now
	}
}

// from is the highest layer of a set up to one, or else the lowest.
func (s layerSet) from(most int) (layer int, ok bool) {
	for i := min(most, MaxLayers-1); i >= 0; i-- {
		if s.has(i) {
			return i, true
		}
	}
	for i := range MaxLayers {
		if s.has(i) {
			return i, true
		}
	}
	return 0, false
}

// down steps down to the highest layer that fits.
func (c *choice) down(v view) {
	lower, ok := v.made.from(c.layer - 1)
	if !ok || lower >= c.layer {
		return
	}
	for v.share > 0 && lower > 0 && !fit(v.rates[lower], v.share) {
		next, _ := v.made.from(lower - 1)
		if next >= lower {
			break
		}
		lower = next
	}
	switch b := &c.bars[c.layer]; {
	case c.up || v.share > 0 && !fit(v.rates[c.layer], v.share):
		b.failed++
		if b.until = v.now + barFirst; b.failed > 1 {
			b.until = v.now + barMost
		}
	case v.now-c.began < climbHeld: // what it began with was a try as well, though beginnings have troubles of their own
		b.failed++
		b.until = v.now + barBegun
	}
	c.most, c.up = lower, false
}

// climb steps up by one layer, unless it is known not to fit.
func (c *choice) climb(v view) {
	if c.most >= v.asked {
		c.most = MaxLayers
		return
	}
	next := c.layer + 1
	for next < v.asked && !v.made.has(next) {
		next++
	}
	b := &c.bars[next]
	// What failed twice is not tried for what was seen of the link at once, which may have been what misled the last time.
	seen := float64(v.rates[next]) <= fillsShown*float64(v.shown) && (b.failed < 2 || v.now >= b.until-barMost+barSeen)
	if !v.made.has(next) || !seen && (v.now < b.until || v.share > 0 && !fit(v.rates[next], v.share)) {
		return
	}
	c.most, c.climbed, c.up = next, v.now, true
}

func fit(rate, share int) bool { return float64(rate) <= fills*float64(share) }

// wantedLayer is the index of the smallest layer that is as tall as height or taller, or of the tallest; 0 asks for the tallest.
func wantedLayer(layers []LayerInfo, height int) int {
	for i, l := range layers {
		if height > 0 && l.Height >= height {
			return i
		}
	}
	return len(layers) - 1
}

// guess fills in rates that are not known, by the sizes of the layers in pixels.
func guess(rates *[MaxLayers]int, pixels []int) {
	const bytesPerPixel = 0.3 // a second: 30 frames at a tenth of a bit or so
	perPixel := bytesPerPixel
	for i, n := range pixels {
		if rates[i] > 0 && n > 0 {
			perPixel = float64(rates[i]) / float64(n)
		}
	}
	for i, n := range pixels {
		if rates[i] == 0 {
			rates[i] = int(perPixel * float64(n))
		}
	}
}

// fairShare is what a total leaves for one more beside others that need so much each: equal shares, and who needs less leaves the
// rest.
func fairShare(total int, needs []int) int {
	left, sharing := total, len(needs)+1
	for again := true; again; {
		again = false
		for i, n := range needs {
			if n >= 0 && n <= left/sharing {
				left, sharing, needs[i], again = left-n, sharing-1, -1, true
			}
		}
	}
	return left / sharing
}
