package relay

import (
	"sync/atomic"
	"time"

	"landline/media"
)

// feed is one track on its way to one subscriber: a queue, and for video the gate in front of it. All
// fields are guarded by the subscriber's lock.
type feed struct {
	sub    *Subscriber
	member string
	track  string
	source *Track        // nil in a sender's own uplink
	layer  *Layer        // of source, that is sent
	target *Layer        // and that is to be sent from its next key frame on; nil: none
	takes  atomic.Uint32 // layerSet: those that the track passes to this feed; read without the lock
	alias  uint16        // of layer
	class  Class

	priority int
	maxAge   time.Duration
	paused   bool
	height   int  // the tallest picture that is of use; 0 = any
	hold     bool // that layer always, whatever the link

	*switching      // of a track with several layers, else nil
	trouble    bool // something was dropped since the last look, for want of room
	thin       thin

	queue   fifo
	bytes   int // queued, burst not included
	nextSeq uint64
	skip    bool // the frame now arriving is being dropped, chunk by chunk

	speaker speaker // audio

	closed   bool // video: nothing passes until the next group
	slow     bool // and that only if the receiver keeps up: it closed since this receiver was slow
	closedAt time.Duration
	asked    time.Duration // when the gate last asked for a key frame
	askWait  time.Duration // and how long to the next time

	burst      burst
	burstGroup *item // first item of the group that was last caught up with
	ended      bool  // End was queued

	// What the receiver has: the group of which something was sent, its first frame not wholly sent.
	sentAny   bool
	sentGroup uint32
	sentNext  uint16
	sentOpen  bool // a frame was begun and not finished

	drops    DropCounts
	reported uint64 // total of drops in the last report
	stamp    uint64 // bytes it has had, by which its turn comes among equals: smallest first
}

func (f *feed) video() bool { return f.class != ClassAudio }

func (f *feed) maxBytes() int {
	if f.maxAge > longAge {
		return queueBytesLong
	}
	return queueBytes
}

// waiting reports whether Pull would find something.
func (f *feed) waiting() bool { return f.burst.state != burstNone || f.queue.len() > 0 }

// push takes the next item of the track.
func (f *feed) push(it *item, now time.Duration) {
	if it.head.Alias != f.alias && !f.turns(it, now) {
		return
	}
	if it.seq < f.nextSeq {
		return // it was in the catch-up burst already
	}
	f.nextSeq = it.seq + 1
	switch it.kind {
	case media.KindChunk:
		f.pushChunk(it, now)
	case media.KindAbandon:
		f.skip = false
		if f.closed || f.paused {
			return
		}
		f.drop(f.dropOpenTail(it), media.DropReason(it.Data[1]))
		f.queue.push(entry{it, now})
		if f.video() {
			f.close(now, false)
		}
	case media.KindEnd:
		f.ended = true
		f.queue.push(entry{it, now})
	}
}

func (f *feed) pushChunk(it *item, now time.Duration) {
	if f.paused {
		return
	}
	if it.opensGroup() && f.burst.state != burstNone && now-f.burst.began > f.maxAge {
		f.cutBurst(now) // it has taken long, and here is a picture that is new
		f.closed = false
	}
	if it.begins() {
		f.skip = false
		if f.class == ClassAudio {
			f.speaker.hear(&it.head, now)
		}
		if f.speaker.muffled {
			f.skip = true
			f.drop(1, media.DropQuiet)
		}
		if f.closed && it.opensGroup() && (!f.slow || f.sub.ready(now)) {
			f.closed = false
		}
		if f.closed {
			f.skip = true
			f.drop(1, media.DropGate)
		} else if f.thins(it, now) {
			f.thinned()
		}
	}
	if f.skip || f.closed {
		f.expire(now)
		return
	}
	f.queue.push(entry{it, now})
	f.bytes += len(it.Data)
	f.expire(now)
	if f.burst.state != burstNone && f.bytes > groupBytes {
		f.cutBurst(now)
	}
	f.fit(now)
}

// fit drops what is over the cap: old groups first, and then of the last one all but its key frame and what still fits,
// since a queued key frame is never thrown out for a delta.
func (f *feed) fit(now time.Duration) {
	if f.sub.archive {
		f.sub.fitArchive(now)
		return
	}
	for f.burst.state == burstNone && f.bytes > f.maxBytes() {
		f.passAbandons()
		if !f.headFrameComplete() {
			return
		}
		first, last := f.queue.first(), f.queue.last()
		if f.video() && first.head.Frame == 0 && last.kind == media.KindChunk && first.head.Group == last.head.Group {
			f.cutTail(now)
			return
		}
		f.cutHead(now, media.DropBytes)
	}
}

// cutTail drops frames at the tail until the rest fits, and closes the gate behind it.
func (f *feed) cutTail(now time.Duration) {
	var frames uint64
	c := media.Control{Kind: media.KindAbandon, Code: byte(media.DropBytes), Alias: f.alias}
	for f.bytes > f.maxBytes() && f.headFrameComplete() {
		last := f.queue.last().item
		c.Group, c.Frame = last.head.Group, last.head.Frame
		frames += f.dropOpenTail(last)
	}
	f.drop(frames, media.DropBytes)
	f.queue.push(entry{controlItem(c), now})
	f.skip = true
	f.close(now, true)
}

// close shuts the gate: nothing passes until a group opens it again.
func (f *feed) close(now time.Duration, slow bool) {
	f.closed, f.slow, f.closedAt = true, slow, now
	f.asked, f.askWait = now, gateAskFirst
}

// headFrameComplete reports whether more than one frame is queued: a single one is never over the cap.
func (f *feed) headFrameComplete() bool {
	if f.queue.len() < 2 || f.queue.first().kind != media.KindChunk {
		return false
	}
	first, last := f.queue.first(), f.queue.last()
	return first.head.Group != last.head.Group || first.head.Frame != last.head.Frame
}

// expire drops what has waited too long.
func (f *feed) expire(now time.Duration) {
	if !f.waiting() {
		return
	}
	if f.burst.state != burstNone {
		if now <= f.burst.deadline {
			return
		}
		f.cutBurst(now)
	}
	for f.passAbandons(); f.queue.len() > 0 && !f.sub.archive; f.passAbandons() {
		e := f.queue.first()
		if e.kind == media.KindEnd {
			return // it is the last, and never dropped
		}
		if now-e.at <= f.maxAge {
			return
		}
		if !f.video() {
			f.sub.tooLate(f, now)
		}
		f.cutHead(now, media.DropAge)
	}
}

// passAbandons passes on the Abandons at the head of the queue: they wait for nothing.
func (f *feed) passAbandons() {
	for f.queue.len() > 0 && f.queue.first().kind == media.KindAbandon {
		e := f.queue.pop()
		f.abandonSent(e.head.Group, media.DropReason(e.Data[1]))
	}
}

// age is how long the oldest queued frame has waited.
func (f *feed) age(now time.Duration) time.Duration {
	if f.queue.len() == 0 || f.burst.state != burstNone || f.queue.first().kind != media.KindChunk {
		return 0
	}
	return now - f.queue.first().at
}

// cutHead drops the frame at the head and, of video, all that depends on it: the rest of its group. A later
// group in the queue stays; if nothing is left the gate closes.
func (f *feed) cutHead(now time.Duration, why media.DropReason) {
	group, frame := f.queue.first().head.Group, f.queue.first().head.Frame
	var frames uint64
	arriving := true // the last frame taken out has not come to its end yet
	for f.queue.len() > 0 {
		e := f.queue.first()
		if e.kind != media.KindChunk || e.head.Group != group || !f.video() && e.head.Frame != frame {
			arriving = false
			break
		}
		if e.begins() || frames == 0 {
			frames++
		}
		arriving = !e.head.Last
		f.bytes -= len(e.Data)
		f.queue.pop()
	}
	f.drop(frames, why)
	f.skip = f.skip || arriving
	f.closeIfEmpty(now)
	f.abandonSent(group, why)
}

// closeIfEmpty shuts the gate after a cut that left nothing: what arrives belongs to the group that was cut. If
// something is left, it is a later group, End, or an Abandon that has shut the gate before.
func (f *feed) closeIfEmpty(now time.Duration) {
	if f.video() && f.queue.len() == 0 {
		f.close(now, true)
	}
}

// abandonSent tells the receiver that the rest of a group is not coming, if it had any of it.
func (f *feed) abandonSent(group uint32, why media.DropReason) {
	if !f.sentAny || f.sentGroup != group || !f.video() && !f.sentOpen {
		return
	}
	c := media.Control{Kind: media.KindAbandon, Code: byte(why), Alias: f.alias, Group: group, Frame: f.sentNext}
	f.sub.urgent = append(f.sub.urgent, Message{Data: c.Append(nil)})
	f.sentAny, f.sentOpen = false, false
}

// dropOpenTail takes the chunks of an unfinished frame off the queue's tail, since the publisher abandoned
// it, and returns how many frames that were.
func (f *feed) dropOpenTail(it *item) uint64 {
	n := 0
	for i := len(f.queue.buf) - 1; i >= f.queue.head; i-- {
		e := f.queue.buf[i]
		if e.kind != media.KindChunk || e.head.Group != it.head.Group || e.head.Frame != it.head.Frame {
			break
		}
		f.bytes -= len(e.Data)
		f.queue.buf[i] = entry{}
		f.queue.buf = f.queue.buf[:i]
		n++
	}
	if f.queue.len() == 0 {
		f.queue = fifo{}
	}
	return uint64(min(n, 1))
}

// clear forgets all that is queued: the subscription was paused or taken back.
func (f *feed) clear(why media.DropReason) {
	f.empty(why)
	f.skip = true // until a frame begins
	f.abandonSent(f.sentGroup, why)
	f.endBurst()
}

// empty drops all that is queued, and counts the frames of which something was not sent yet.
func (f *feed) empty(why media.DropReason) {
	frames := f.burst.left()
	for f.queue.len() > 0 {
		if e := f.queue.pop(); e.begins() || frames == 0 && e.kind == media.KindChunk {
			frames++
		}
	}
	f.bytes = 0
	f.drop(frames, why)
}

func (f *feed) drop(frames uint64, why media.DropReason) {
	if frames == 0 || why >= media.DropReasons {
		return
	}
	f.trouble = f.trouble || why == media.DropAge || why == media.DropBytes || why == media.DropCatchUp
	f.drops[why] += frames
	f.sub.dropped(frames, why)
}

// Times of a closed gate: it asks for a key frame after 2 s, then ever more seldom.
const (
	gateAskFirst = 2 * time.Second
	gateAskMost  = 30 * time.Second
)

// wantsKeyFrame reports whether a gate has been closed for so long that it asks upstream.
func (f *feed) wantsKeyFrame(now time.Duration) bool {
	if !f.closed || f.paused || f.ended || now-f.asked < f.askWait || !f.sub.ready(now) {
		return false
	}
	f.asked, f.askWait = now, min(2*f.askWait, gateAskMost)
	return true
}
