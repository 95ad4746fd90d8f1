package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"landline/media"
)

// timed is a packet with the track it belongs to among those that are published, and its time in the order of
// sending: its timestamp, but never before that of the packet before it on its track.
type timed struct {
	media.Packet
	at int64 // µs of the source
}

// ordered gives the packets of a source by time. Files interleave their tracks more or less well: packets are read
// ahead until each track has one. The order within a track stays.
type ordered struct {
	src    *source
	queues [][]timed
	last   []int64 // at of the newest packet of each track
	begun  []bool  // a key frame was seen
	held   int     // bytes queued
	err    error   // what ended the reading
}

// maxAhead bounds what is read ahead, in bytes.
const maxAhead = 16 << 20

func newOrdered(src *source) *ordered {
	n := len(src.tracks)
	return &ordered{src: src, queues: make([][]timed, n), last: make([]int64, n), begun: make([]bool, n)}
}

// next returns the next packet. Its error is io.EOF at the end.
func (o *ordered) next() (timed, error) {
	for o.err == nil && o.wants() {
		o.err = o.read()
	}
	best := -1
	for i, q := range o.queues {
		if len(q) > 0 && (best < 0 || q[0].at < o.queues[best][0].at) {
			best = i
		}
	}
	if best < 0 {
		return timed{}, o.err
	}
	p := o.queues[best][0]
	o.queues[best] = o.queues[best][1:]
	o.held -= len(p.Data)
	return p, nil
}

// wants reports whether more must be read to know what comes next.
func (o *ordered) wants() bool {
	some, all := false, true
	for _, q := range o.queues {
		some = some || len(q) > 0
		all = all && len(q) > 0
	}
	if o.src.inOrder {
		return !some
	}
	return !all && o.held < maxAhead
}

// read takes one packet of the source. What comes before the first key frame of a track cannot be decoded and is left out.
func (o *ordered) read() error {
	p, err := o.src.reader.Next()
	if err != nil {
		return err
	}
	for i, t := range o.src.tracks {
		if t.index != p.Track || len(p.Data) == 0 {
			continue
		}
		if !o.begun[i] {
			if !p.Key && t.format.Kind == media.Video {
				return nil
			}
			o.begun[i], o.last[i] = true, p.Timestamp
		}
		o.last[i] = max(o.last[i], p.Timestamp)
		p.Track = i
		o.queues[i] = append(o.queues[i], timed{p, o.last[i]})
		o.held += len(p.Data)
	}
	return nil
}

// skipTo passes over what comes before a position, which counts from the first packet, but for what is needed to begin
// there: of video, the group that is under way. It returns what to begin with.
func (o *ordered) skipTo(start time.Duration) (begin []timed, err error) {
	first, held := int64(0), 0
	for n := 0; ; n++ {
		p, err := o.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("--start %v is behind the end", start)
			}
			return nil, err
		}
		if n == 0 {
			first = p.at
		}
		if p.at-first > start.Microseconds() {
			return append(begin, p), nil
		}
		if p.Key && (o.src.video() < 0 || p.Track == o.src.video()) {
			begin, held = begin[:0], 0
		}
		begin = append(begin, p)
		if held += len(p.Data); held > maxBegin {
			return nil, fmt.Errorf("over %d bytes between key frames before --start: use --gop", maxBegin)
		}
	}
}

// maxBegin bounds the group that --start falls into, in bytes.
const maxBegin = 64 << 20

// video is the place of the video track among those published; -1 if there is none.
func (s *source) video() int {
	for i, t := range s.tracks {
		if t.format.Kind == media.Video {
			return i
		}
	}
	return -1
}
