package webm

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"time"

	"landline/media"
)

// maxCuesSize bounds the index that is read, in bytes: more than maxCues of them need.
const maxCuesSize = 2 << 20

// Seekable reads a file that a Growing wrote and closed, from any place on from which playing can start.
type Seekable struct {
	*Reader
	file  layout
	index index
}

// NewSeekable opens a file of size bytes. A file that is not complete, or that no Growing wrote, is an error that wraps
// media.ErrFormat.
func NewSeekable(r io.ReaderAt, size int64) (*Seekable, error) {
	s := &Seekable{file: layout{r: r, size: size}}
	err := s.file.readHead()
	if err == nil && !s.file.done {
		err = fail(media.ErrFormat, "Segment", s.file.pos.segment, "it was not completed")
	}
	if err == nil {
		err = s.readCues()
	}
	if err != nil {
		return nil, fmt.Errorf("webm: %w", err)
	}
	s.Reader, err = NewReader(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Length is the time of the end of the last frame.
func (s *Seekable) Length() time.Duration { return time.Duration(s.file.length) * time.Millisecond }

// readCues reads the index, where there is one.
func (s *Seekable) readCues() error {
	toc, err := s.file.header(s.file.pos.segment)
	if err != nil {
		return err
	}
	b, err := s.file.read(toc.data, int(toc.size))
	if err != nil || toc.id != idSeekHead {
		return err
	}
	cuesAt := int64(-1)
	err = children(b, "SeekHead", toc.data, func(id uint32, data []byte, at int64) error {
		var what, where uint64
		err := children(data, "Seek", at, func(id uint32, data []byte, _ int64) error {
			switch id {
			case idSeekID:
				what = uintOf(data)
			case idSeekPosition:
				where = uintOf(data)
			}
			return nil
		})
		if what == idCues && where < uint64(s.file.size) {
			cuesAt = s.file.pos.segment + int64(where)
		}
		return err
	})
	if err != nil || cuesAt < 0 {
		return err
	}
	cues, err := s.file.header(cuesAt)
	if err != nil || cues.id != idCues || cues.size < 0 || cues.size > maxCuesSize {
		return fail(media.ErrFormat, "SeekHead", toc.at, "no index at byte %d", cuesAt)
	}
	if b, err = s.file.read(cues.data, int(cues.size)); err != nil {
		return err
	}
	return children(b, "Cues", cues.data, s.cuePoint)
}

// cuePoint reads one entry of the index. Those that lead nowhere are left out.
func (s *Seekable) cuePoint(id uint32, data []byte, at int64) error {
	if id != idCuePoint {
		return nil
	}
	c := cue{at: -1}
	err := children(data, "CuePoint", at, func(id uint32, data []byte, at int64) error {
		switch id {
		case idCueTime:
			c.time = int64(min(uintOf(data), 1<<40))
		case idCueTrackPos:
			return children(data, "CueTrackPositions", at, func(id uint32, data []byte, _ int64) error {
				switch id {
				case idCueClusterPos:
					c.at = s.file.pos.segment + int64(min(uintOf(data), 1<<60))
				case idCueTrack:
					c.track = byte(min(uintOf(data), 255))
				}
				return nil
			})
		}
		return nil
	})
	known := s.index.cues
	if err == nil && c.at >= s.file.clusters && c.at < s.file.size && (len(known) == 0 || c.time >= known[len(known)-1].time) {
		s.index.add(c)
	}
	return err
}

// stillFor is how old a picture may be that stands for a track until its next key frame.
const stillFor = 10_000 // ms

// SeekTo goes on from the last place at or before a time (µs) from which playing can start, or from the first one, and returns the time of that. Of
// tracks of video other than the one that begins there, what comes before their next key frames cannot be decoded: stills are their last key frames
// before, none for those without one in the last 10 s.
func (s *Seekable) SeekTo(us int64) (from int64, stills []media.Packet, err error) {
	cues := s.index.cues
	n := sort.Search(len(cues), func(i int) bool { return cues[i].time*1000 > us })
	if n == 0 {
		return 0, nil, s.goTo(s.file.clusters)
	}
	at := cues[n-1]
	seen := map[byte]bool{at.track: true}
	for _, c := range slices.Backward(cues[:n-1]) {
		if at.time-c.time > stillFor {
			break
		}
		if t := s.tracks[uint64(c.track)]; seen[c.track] || t == nil || t.format.Kind != media.Video {
			continue
		}
		seen[c.track] = true
		if p, ok := s.keyAt(c); ok {
			stills = append(stills, p)
		}
	}
	return at.time * 1000, stills, s.goTo(at.at)
}

// keyAt reads the key frame with which a Cluster begins.
func (s *Seekable) keyAt(c cue) (p media.Packet, ok bool) {
	if s.goTo(c.at) != nil {
		return p, false
	}
	p, err := s.Next()
	return p, err == nil && p.Key && p.Track == s.tracks[uint64(c.track)].index
}

func (s *Seekable) goTo(at int64) error {
	return s.restart(io.NewSectionReader(s.file.r, at, s.file.size-at), at)
}

// restart goes on with the Cluster that r begins with, at an offset in the file.
func (r *Reader) restart(from io.Reader, at int64) error {
	r.src = newSource(from)
	r.src.at = at
	r.queue, r.head, r.err, r.inCluster = nil, 0, nil, false
	e, err := r.src.peekHeader("Segment")
	if err == nil && e.id != idCluster {
		err = fail(media.ErrFormat, "Cues", at, "no Cluster stands there")
	}
	if err != nil {
		r.err = fmt.Errorf("webm: %w", err)
	}
	return r.err
}
