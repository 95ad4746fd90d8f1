package rtc

import (
	"sync"
	"time"

	pion "github.com/pion/rtp"

	"landline/media/rtp"
)

// Bounds of a receiver.
const (
	maxUnplaced = 1024 // packets that wait for the word whose they are
	keyAskEvery = 500 * time.Millisecond
	endWait     = time.Second // for the last packets of a track
)

// receiver makes frames of the packets of one m-line that comes in: of one track after the other.
type receiver struct {
	mid   string
	start time.Time
	wait  time.Duration // for missing packets

	ask   func()                 // for a key frame
	again func(missing []uint16) // asks for packets

	mu       sync.Mutex
	in       *rtp.Depacketizer // nil: it is not known whose the packets are
	sink     func(rtp.Frame)
	unplaced []*pion.Packet
	askedAt  time.Time
	asks     bool // video

	ending bool
	last   uint16 // the first packet that is not the track's any more
	endBy  time.Time
	then   func()
}

// begin says whose the packets are, from a number on if that is known.
func (r *receiver) begin(o rtp.Options, sink func(rtp.Frame)) error {
	o.Wait = r.wait
	in, err := rtp.NewDepacketizer(o)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ending { // of the track before: what is missing of it does not come any more
		r.giveUp(time.Now())
	}
	r.in, r.sink, r.ending, r.asks = in, sink, false, in.KeyWanted()
	early := r.unplaced
	r.unplaced = nil
	for _, p := range early {
		r.take(p)
	}
	return nil
}

// push takes a packet, which nobody changes any more.
func (r *receiver) push(p *pion.Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.in == nil {
		if len(r.unplaced) < maxUnplaced {
			r.unplaced = append(r.unplaced, p)
		}
		return
	}
	r.take(p)
}

func (r *receiver) take(p *pion.Packet) {
	if r.ending && int16(p.SequenceNumber-r.last) >= 0 { // of the next track
		if len(r.unplaced) < maxUnplaced {
			r.unplaced = append(r.unplaced, p)
		}
		return
	}
	r.in.Push(p, time.Since(r.start))
	r.frames(time.Since(r.start))
}

// frames hands on what is whole.
func (r *receiver) frames(now time.Duration) {
	for {
		f, ok := r.in.Next(now)
		if !ok {
			break
		}
		r.sink(f)
	}
	if wall := time.Now(); r.asks && r.in.KeyWanted() && wall.Sub(r.askedAt) >= keyAskEvery {
		r.askedAt = wall
		r.ask()
	}
	if missing := r.in.Missing(now); len(missing) > 0 {
		r.again(missing)
	}
	if r.ending && r.in.Passed(r.last) {
		r.finish()
	}
}

// end says where the track ends; then is called once all of it has come, or was given up.
func (r *receiver) end(last uint16, then func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.in == nil || r.ending {
		then()
		return
	}
	r.ending, r.last, r.then, r.endBy = true, last, then, time.Now().Add(endWait+r.wait)
	r.frames(time.Since(r.start))
}

func (r *receiver) finish() {
	then := r.then
	r.in, r.sink, r.then, r.ending = nil, nil, nil, false
	then()
}

// tick gives up what has been waited for for long enough.
func (r *receiver) tick(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.in == nil {
		return
	}
	r.frames(now.Sub(r.start))
	if r.in != nil && r.ending && now.After(r.endBy) {
		r.giveUp(now)
	}
}

// giveUp waits no longer for the last packets of a track.
func (r *receiver) giveUp(now time.Time) {
	r.frames(now.Add(time.Hour).Sub(r.start))
	if r.in != nil {
		r.finish()
	}
}
