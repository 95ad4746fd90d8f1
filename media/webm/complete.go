package webm

import "landline/media"

// How far NewReader reads on for what the head of the file does not say.
const (
	peekPackets = 1024
	peekBytes   = 8 << 20
	peekTime    = 3_000_000 // µs
)

// complete reads packets into the queue until every format is settled, or the bounds are reached.
func (r *Reader) complete() {
	byIndex := make([]*track, len(r.formats))
	open := 0
	for _, t := range r.tracks {
		byIndex[t.index] = t
		if t.settle != nil {
			open++
		}
	}
	size := 0
	for open > 0 && r.err == nil && len(r.queue) < peekPackets && size < peekBytes && r.span() < peekTime {
		n := len(r.queue)
		r.advance()
		for _, p := range r.queue[n:] {
			size += len(p.Data)
			t := byIndex[p.Track]
			if t.settle != nil && t.settle(p.Frame) {
				t.settle = nil
				open--
			}
		}
	}
	for i, t := range byIndex {
		r.formats[i] = t.format
		t.settle = nil
	}
}

// span is the time between the ends of the queue.
func (r *Reader) span() int64 {
	if len(r.queue) == 0 {
		return 0
	}
	first, last := r.queue[0].Frame, r.queue[len(r.queue)-1].Frame
	return last.Timestamp - first.Timestamp
}

var _ media.Reader = (*Reader)(nil)
