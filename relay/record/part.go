package record

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"landline/media"
	"landline/media/webm"
	"landline/relay"
)

// How a part grows, and waits for the disk.
const (
	flushEvery = 400 * time.Millisecond
	retryFull  = 500 * time.Millisecond
	retryError = 2 * time.Second
	spare      = 1 << 20 // bytes that must be free beyond the reserve, before a recording goes on
)

// part is a file of the room, and beside it those of its members where they were ordered. All have the same 0.
type part struct {
	isWebM  bool
	zero    int64 // the relay's time in µs at which it begins
	flushed time.Time
	placed  []*track
	past    []*track  // those that have ended: they may come again
	files   []*output // the room's first
	seats   []seat    // by the tracks' places in the room's file
}

// takeUp gives a track that was published again its place in the file.
func (p *part) takeUp(t *track) {
	for i, o := range p.past {
		if t.same(o) {
			t.part, t.place, t.last = p, o.place, o.last
			p.placed[t.place] = t
			p.past = slices.Delete(p.past, i, i+1)
			return
		}
	}
}

// begin makes a part for what was held, the earliest first.
func (r *Recorder) begin(list []held) bool {
	fits := !slices.ContainsFunc(list, func(h held) bool { return !webm.FitsWebM(h.track.info.Format) })
	p, err := r.create(fits)
	if err != nil {
		r.lost(uint64(len(list)))
		r.trouble(err)
		return false
	}
	r.part, p.zero = p, list[0].at()
	return true
}

// create makes the file of the next part.
func (r *Recorder) create(isWebM bool) (*part, error) {
	if err := r.room(0); err != nil {
		return nil, err
	}
	name := r.id
	if r.parts++; r.parts > 1 {
		name = fmt.Sprintf("%s.%d", name, r.parts)
	}
	if name += ".mkv"; isWebM {
		name = name[:len(name)-len(".mkv")] + ".webm"
	}
	o, err := r.output(name, isWebM)
	if err != nil {
		return nil, err
	}
	o.about.AtMs = time.Since(r.began).Milliseconds()
	return &part{isWebM: isWebM, flushed: time.Now(), files: []*output{o}}, nil
}

// room checks that the disk has room for more than the reserve.
func (r *Recorder) room(more uint64) error {
	var free uint64
	err := r.ask(func() (err error) {
		free, err = r.store.disk.free()
		return err
	})
	if err == nil && free < r.store.o.Reserve+more {
		return errReserve
	}
	return err
}

// write puts a frame into the part.
func (r *Recorder) write(h held) {
	p, t := r.part, h.track
	if t.part != p && !r.place(h) {
		return
	}
	at := max(0, h.at()-p.zero)
	if t.last >= 0 {
		at = max(at, t.last+1000) // times of a track grow, by a millisecond at least
	}
	t.last = at
	h.frame.Timestamp = at
	err := p.write(t.place, h.frame)
	switch {
	case p.failed() != nil:
		r.trouble(p.failed())
	case err == nil && p.files[0].g.Size() >= r.store.o.MaxFile: // those of members have less
		r.roll()
	case err != nil:
		r.lost(1)
		r.store.log.Debug("a frame cannot be recorded", "recording", r.id, "track", t.title(), "error", err)
	}
}

// place gives a track its place in the part, or the part gives way to another; false: the frame is dealt with.
func (r *Recorder) place(h held) bool {
	p, t := r.part, h.track
	f := t.format(h.alias)
	fits := !p.isWebM || webm.FitsWebM(f)
	err := webm.ErrHeadFull
	if fits {
		t.place, err = p.files[0].g.Add(f, t.title(), h.frame)
	}
	if err == nil && r.order.PerMember {
		if err := r.seat(p, t, f, h.frame); err != nil { // of the disk: the format has found its place in the room's file
			r.lost(1)
			r.trouble(err)
			return false
		}
	}
	switch {
	case err == nil:
		t.part, t.last = p, -1
		p.placed = append(p.placed, t)
		about := &p.files[0].about
		about.Tracks = append(about.Tracks, Track{Member: t.member, Name: t.name, Track: t.info.ID, Kind: string(f.Kind), Codec: string(f.Codec),
			AtMs: (h.at() - p.zero) / 1000})
		return true
	case p.failed() != nil:
		r.lost(1)
		r.trouble(p.failed())
	case errors.Is(err, webm.ErrHeadFull) && fits && r.crowded(p):
		t.refused = true
		r.lost(1)
		r.gap(WhyTracks)
		r.store.log.Warn("a track finds no place in a recording: too many are there at once", "recording", r.id, "track", t.title())
	case errors.Is(err, webm.ErrHeadFull):
		r.roll()
		if r.takes(t, h.frame.Key) {
			r.put(h)
		}
	default:
		t.refused = true
		r.store.log.Warn("a track cannot be recorded", "recording", r.id, "track", t.title(), "error", err)
	}
	return false
}

// crowded reports whether another part would soon be as full: most of those that have a place are still there.
func (r *Recorder) crowded(p *part) bool {
	live := 0
	for _, t := range p.placed {
		if r.lives(t) {
			live++
		}
	}
	return live*2 >= len(p.placed)
}

// flush writes what is in memory.
func (r *Recorder) flush(now time.Time) {
	p := r.part
	p.flushed = now
	if now.Sub(r.freeAt) >= time.Second {
		r.freeAt = now
		if err := r.room(0); err != nil {
			r.trouble(err)
			return
		}
	}
	for _, o := range p.files {
		if err := o.g.Flush(); err != nil {
			r.trouble(err)
			return
		}
	}
}

// roll completes the part; what comes goes into another.
func (r *Recorder) roll() {
	r.closePart()
	if r.parts >= maxParts {
		r.Stop()
	}
	r.startOver()
}

// startOver has every track begin with a key frame, for which it asks.
func (r *Recorder) startOver() {
	r.run++
	asked := map[*track]bool{}
	for _, t := range r.tracks {
		t.refused = false
		if t.info.Kind == media.Video && !asked[t] {
			asked[t] = true
			_ = r.member.KeyFrame(t.member, t.info.ID) // it may have ended
		}
	}
}

// closePart completes the part, which is saved then.
func (r *Recorder) closePart() {
	p := r.part
	if r.part = nil; p == nil {
		return
	}
	for _, o := range p.files {
		r.closeOutput(o)
	}
}

// trouble stops writing until the disk takes something again.
func (r *Recorder) trouble(err error) {
	why := whyOf(err)
	if p := r.part; p != nil {
		r.part = nil
		for _, o := range p.files {
			r.leave(o)
		}
	}
	r.lost(uint64(len(r.held)))
	r.held, r.bytes = nil, 0
	r.startOver()
	if r.retryAt = time.Now().Add(retryFull); why == WhyDisk {
		r.retryAt = time.Now().Add(retryError)
	}
	if r.paused {
		return
	}
	r.paused = true
	r.gap(why)
	if why == WhyFull {
		r.store.counts.Full.Add(1)
	} else {
		r.store.counts.Errors.Add(1)
	}
	r.store.log.Warn("a recording waits for the disk", "recording", r.id, "room", r.order.Room, "why", why, "error", err)
	r.tell(relay.RecordWait, why)
}

// retry goes on, in another part, once the disk has room.
func (r *Recorder) retry(now time.Time) {
	if now.Before(r.retryAt) {
		return
	}
	r.retryAt = now.Add(retryFull)
	if r.room(spare) != nil || !r.completeOpen() {
		return
	}
	r.paused = false
	r.gapOver()
	r.store.log.Info("a recording goes on", "recording", r.id, "room", r.order.Room)
	r.tell(relay.Recorded, "")
	r.startOver()
}

// finish completes what there is.
func (r *Recorder) finish() {
	for !r.paused && len(r.held) > 0 { // one part may not have room for all
		r.release(func(*clock) bool { return true })
	}
	r.store.over(r)
	r.tell(relay.RecordOver, "")
	r.closePart()
	whole := r.completeOpen()
	r.mu.Lock()
	files := len(r.info.Files)
	r.info.Ended = time.Now().UTC()
	r.mu.Unlock()
	switch {
	case !whole:
		r.store.counts.Failed.Add(1)
		r.tell(relay.RecordFailed, WhyFull)
		r.describe()
	case files == 0:
		r.tell(relay.RecordFailed, WhyNothing)
		_ = r.store.disk.remove(r.id + infoSuffix) // where there is none, all is well
	default:
		r.store.counts.Saved.Add(1)
		r.mu.Lock()
		r.info.State = StateSaved
		r.mu.Unlock()
		r.describe()
		r.store.log.Info("a recording is saved", "recording", r.id, "room", r.order.Room, "files", files)
		r.tell(relay.RecordSaved, "")
	}
	r.member.Leave("bye")
}
