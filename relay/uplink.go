package relay

import (
	"time"

	"landline/media"
	"landline/relay/rate"
)

// Uplink is a sender's own queue towards a relay: the same Subscriber that a relay keeps for each of its
// receivers, fed by the sender's tracks. What the sender drops, it drops by the relay's rules.
type Uplink struct {
	*Subscriber
	totals Totals
}

// NewUplink makes an empty uplink. notify is called when there is something to pull; see Join.
func NewUplink(notify func(audio bool)) *Uplink {
	u := &Uplink{}
	start := time.Now()
	u.Subscriber = newSubscriber(notify, func() time.Duration { return time.Since(start) }, &u.totals)
	return u
}

// Drops gives the frames dropped here, by reason.
func (u *Uplink) Drops() DropCounts { return u.totals.Drops() }

// UplinkTrack is one track of an Uplink. Its methods are called by one goroutine.
type UplinkTrack struct {
	uplink *Uplink
	feed   *feed
	seq    uint64
	last   media.ChunkHeader
}

// Add opens a track, or a layer of one, under its alias. More priority goes first, between those of the same class.
func (u *Uplink) Add(alias uint16, class Class, priority int) *UplinkTrack {
	f := &feed{sub: u.Subscriber, alias: alias, class: class}
	f.apply(Want{Priority: priority})
	u.mu.Lock()
	defer u.mu.Unlock()
	u.add(f)
	return &UplinkTrack{uplink: u, feed: f}
}

// Write queues one chunk; c is m.Data parsed. It reports whether the rest of the group is being dropped,
// so that the next frame had better be a key frame.
func (t *UplinkTrack) Write(c *media.Chunk, m Message) (keyWanted bool) {
	t.last = c.ChunkHeader
	t.push(&item{Message: m, kind: media.KindChunk, head: c.ChunkHeader})
	t.uplink.mu.Lock()
	defer t.uplink.mu.Unlock()
	return t.feed.closed
}

// End queues the track's End.
func (t *UplinkTrack) End(why media.EndReason) {
	c := media.Control{Kind: media.KindEnd, Code: byte(why), Alias: t.feed.alias, Group: t.last.Group, Frame: t.last.Frame + 1}
	t.push(controlItem(c))
}

// Wait changes how long a frame may wait here; 0 means the class's time.
func (t *UplinkTrack) Wait(maxAge time.Duration) {
	t.uplink.mu.Lock()
	defer t.uplink.mu.Unlock()
	t.feed.apply(Want{MaxAge: maxAge, Priority: t.feed.priority})
}

// Drops gives the frames of the track that were dropped, by reason.
func (t *UplinkTrack) Drops() DropCounts {
	t.uplink.mu.Lock()
	defer t.uplink.mu.Unlock()
	return t.feed.drops
}

func (t *UplinkTrack) push(it *item) {
	it.seq = t.seq
	t.seq++
	if wake, _ := t.uplink.pushItem(t.feed, it, t.uplink.now()); wake {
		t.uplink.notify(!t.feed.video())
	}
}

// Drained reports whether everything written was sent and acknowledged.
func (u *Uplink) Drained() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, f := range u.feeds {
		if f.waiting() {
			return false
		}
	}
	return len(u.events) == 0 && len(u.urgent) == 0 && u.link.InFlight() == 0
}

// Room is how many bytes may be sent now; what is sent besides the queue is held to it by the sender.
func (u *Uplink) Room() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.link.Room() <= 0 {
		u.link.Wait(u.now())
	}
	return u.link.Room()
}

// Batch is how many bytes go to the link at once, so that audio waits for no more.
func (u *Uplink) Batch() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.batch(u.now())
}

// Age is how long the oldest waiting frame has waited.
func (u *Uplink) Age() (oldest time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, f := range u.feeds {
		oldest = max(oldest, f.age(u.now()))
	}
	return oldest
}

// Reconnected starts over on a new connection: what waited is dropped, except an End, and video waits for its
// next group.
func (u *Uplink) Reconnected() {
	now := u.now()
	u.mu.Lock()
	u.link, u.behind, u.felt, u.told, u.urgent = rate.New(), 0, feeling{}, toldNothing, nil
	for _, f := range u.feeds {
		ended := f.ended
		var end entry
		if ended {
			end = *f.queue.last()
		}
		f.sentAny, f.sentOpen = false, false
		f.clear(media.DropLost)
		if f.video() {
			f.close(now, false)
		}
		if ended {
			f.queue.push(end)
		}
	}
	wake := u.something() && u.wake(true)
	u.mu.Unlock()
	if wake {
		u.notify(true)
	}
}

// UplinkObject is the queue of one stream of an object.
type UplinkObject struct {
	uplink *Uplink
	bulk   bulk
}

// AddObject opens the queue of a stream. Nothing bounds it but its user, who keeps to the credit.
func (u *Uplink) AddObject() *UplinkObject {
	o := &UplinkObject{uplink: u}
	u.addBulk(&o.bulk)
	return o
}

// Write queues a chunk, whose payload is copied.
func (o *UplinkObject) Write(c *media.ObjectChunk) {
	m := Message{Data: c.Append(make([]byte, 0, media.ObjectHeaderSize+len(c.Payload)))}
	o.bulk.mu.Lock()
	o.bulk.push(m)
	o.bulk.mu.Unlock()
	if o.uplink.bulkReady() {
		o.uplink.notify(false)
	}
}

// Waiting is how many bytes wait.
func (o *UplinkObject) Waiting() int { return o.bulk.left() }

// Close forgets what waits.
func (o *UplinkObject) Close() { o.uplink.removeBulk(&o.bulk) }
