package relay

import (
	"time"

	"landline/media"
)

// switching is what a feed needs that may take its track from more than one layer.
type switching struct {
	choice   choice
	lookedAt time.Duration // when the last look was
	moved    bool          // another layer came since
	catching bool          // it comes with a catch-up, which is not through
	arrived  time.Duration // when it had come
	said     said
	saidAt   time.Duration
}

// layered reports whether it may.
func (f *feed) layered() bool { return f.switching != nil }

// start picks the layer that a feed of a video track begins with.
func (f *feed) start(now time.Duration) {
	f.layer = f.source.layers[0]
	if len(f.source.layers) > 1 {
		f.switching = &switching{}
		f.choice = newChoice(f.look(now))
		f.layer = f.source.layers[f.choice.layer]
		f.said = said{height: f.source.info.Load().Layers[f.aim()].Height}
	}
	f.alias = f.layer.alias
	f.take()
}

// take tells the track which layers to pass to this feed.
func (f *feed) take() {
	var set layerSet
	if f.layer != nil && !f.paused {
		set = only(f.layer.index)
		if f.target != nil {
			set |= only(f.target.index)
		}
	}
	f.takes.Store(uint32(set))
}

// consider looks whether another layer had better be sent, and moves on to it. It is called again and again.
func (s *Subscriber) consider(f *feed, now time.Duration) {
	if !f.layered() || f.paused || f.ended {
		return
	}
	if f.moved { // what it took before may not be wanted any more
		f.moved = false
		s.asks = append(s.asks, ask{layer: f.layer})
	}
	if now-f.lookedAt < lookEvery {
		return
	}
	s.choose(f, now)
	s.tellLayer(f, now)
}

const lookEvery = 100 * time.Millisecond

// choose does so at once.
func (s *Subscriber) choose(f *feed, now time.Duration) {
	if layerSet(f.source.over.Load()).has(f.layer.index) {
		return // what is left of it is all that comes
	}
	if f.catching && f.burst.state == burstNone {
		f.catching, f.arrived = false, now
	}
	f.choice.look(f.look(now))
	f.lookedAt, f.trouble = now, false
	s.watch()
	f.head(f.source.layers[f.choice.layer], now)
}

// watch has the link looked at closely while it is thought to carry less than is asked for.
func (s *Subscriber) watch() {
	s.limited = false
	for _, f := range s.feeds {
		s.limited = s.limited || f.layered() && !f.paused && f.choice.why == WhyLink
	}
	s.link.Watch(s.limited)
}

// look is what the choice is made from.
func (f *feed) look(now time.Duration) view {
	info := f.source.info.Load()
	v := view{now: now, made: layerSet(f.source.made.Load()), hold: f.hold, moving: f.target != nil || f.catching, arrived: f.arrived}
	var pixels [MaxLayers]int
	for i, l := range f.source.layers {
		pixels[i] = info.Layers[i].Height * info.Layers[i].Width
		v.rates[i] = int(l.rate.Load())
	}
	guess(&v.rates, pixels[:len(f.source.layers)])
	v.asked = f.aim()
	full := f.sub.link.Capacity(now) > 0
	v.trouble = f.trouble || f.closed && f.slow || full && f.late(now)
	if full {
		v.share = f.sub.shareOf(f, f.sub.link.Capacity(now))
	}
	v.shown = f.sub.shareOf(f, f.sub.link.Shown(now))
	return v
}

// aim is the index of the layer that the subscription asks for.
func (f *feed) aim() int { return wantedLayer(f.source.info.Load().Layers, f.height) }

// late reports whether what waits has waited for so long that a smaller layer had better come, where leaving out
// upper temporal layers does not help.
func (f *feed) late(now time.Duration) bool {
	if f.burst.state != burstNone {
		return now-f.burst.began > burstLate
	}
	return f.age(now) > f.half() && !f.thinning(now)
}

const (
	burstLate = time.Second // a catch-up that takes longer is too large for its link
	ageLate   = time.Second // the same for a frame that waits, where half its age is longer
)

func (f *feed) half() time.Duration { return min(f.maxAge/2, ageLate) }

// shareOf is how much of a link's rate is for one video feed.
func (s *Subscriber) shareOf(f *feed, rate int) int {
	var needs []int
	for _, other := range s.feeds {
		switch {
		case other == f || other.paused || other.ended || other.layer == nil:
		case other.video():
			needs = append(needs, int(other.source.layers[other.aim()].rate.Load()))
		default:
			rate -= int(other.layer.rate.Load())
		}
	}
	return fairShare(max(rate, 0), needs)
}

// head makes the feed go to a layer: at once with a catch-up where its current group is short, or else at its next key frame.
// Until then the one before goes on.
func (f *feed) head(l *Layer, now time.Duration) {
	if l == f.layer {
		if f.target != nil {
			f.target, f.moved = nil, true
			f.take()
		}
		return
	}
	fresh := l != f.target
	f.target = l
	f.take()
	if g := l.current(now); g != nil && !g.over() && f.short(g, now) {
		f.moveTo(l)
		f.catching = f.startBurst(now)
	}
	if fresh {
		f.sub.asks = append(f.sub.asks, ask{layer: l, key: f.target != nil})
	}
}

// A group that goes through in so short a time is the quickest way to another layer.
const (
	shortTime     = 250 * time.Millisecond
	shortTimeLate = time.Second            // where a key frame has not come, or will not come for being asked for
	lateKey       = 500 * time.Millisecond // after so long
	shortFrames   = 60
)

func (f *feed) short(g *group, now time.Duration) bool {
	if !f.replays() {
		return false
	}
	link := max(f.sub.link.Capacity(now), f.sub.link.Rate())
	most := shortTime
	if !f.source.info.Load().KeyOnRequest || now-f.choice.since > lateKey {
		most = shortTimeLate
	}
	return int(g.frames) <= shortFrames && g.bytes <= max(share(link, most), splitSize)
}

// turns reports whether an item of another layer than the one that is being sent is the beginning of what comes next.
func (f *feed) turns(it *item, now time.Duration) bool {
	if f.target == nil || it.head.Alias != f.target.alias || !it.opensGroup() || f.paused || f.ended {
		return false
	}
	f.moveTo(f.target)
	f.arrived = now
	return true
}

// moveTo goes on with another layer. What the receiver has begun of the one before is ended, and what waits is forgotten.
func (f *feed) moveTo(l *Layer) {
	f.clear(media.DropLayer)
	f.layer, f.alias, f.target = l, l.alias, nil
	f.nextSeq, f.burstGroup, f.catching = 0, nil, false
	f.sentAny, f.sentOpen, f.skip, f.closed, f.slow = false, false, false, false, false
	f.moved = true
	f.sub.totals.Switches.Add(1)
	f.take()
}

// tellLayer tells the receiver which layer it is sent, where that has changed, at most once a second.
func (s *Subscriber) tellLayer(f *feed, now time.Duration) {
	height := f.source.info.Load().Layers[f.layer.index].Height
	if f.target != nil || now-f.saidAt < time.Second || height == f.said.height && f.choice.why == f.said.why {
		return
	}
	f.said, f.saidAt = said{height, f.choice.why}, now
	s.queueEvent(&Event{Kind: LayerSent, Member: f.member, Track: TrackInfo{Offer: Offer{ID: f.track}}, Height: height, Why: f.choice.why})
}

// said is what a receiver was told of the layer that it is sent.
type said struct {
	height int
	why    LayerWhy
}

// ask is something for a publisher that a subscriber has found out with its lock held.
type ask struct {
	layer *Layer
	key   bool // a key frame is needed at once
	gate  bool // a gate has been closed for long
}

// takeAsks takes out what was found. Called with the lock held.
func (s *Subscriber) takeAsks() []ask {
	asks := s.asks
	s.asks = nil
	return asks
}

// tellPublishers passes on what was found. Called without any lock.
func tellPublishers(asks []ask) {
	for _, a := range asks {
		if a.gate {
			a.layer.askKeyFrame()
			continue
		}
		a.layer.track.room.change(func(wakes *[]*Subscriber) { a.layer.tellPublisher(a.key, wakes) })
	}
}

// tellPublisher does so under Room.mu.
func (l *Layer) tellPublisher(key bool, wakes *[]*Subscriber) {
	l.track.review(wakes)
	if key {
		l.askNow(wakes)
	}
}
