package webm

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"landline/media"
)

// Partial is a file that a Growing left behind.
type Partial interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
}

// Recovered tells what Recover found.
type Recovered struct {
	Size     int64 // bytes of the file now
	Cut      int64 // bytes taken off its end
	LengthMs int64 // time of the last frame
	Tracks   int
	Done     bool // the file had been completed before
}

// ErrNothing says that a file has no whole Cluster.
var ErrNothing = errors.New("webm: the file holds no frame")

const (
	maxCluster = 8 << 20 // more than any Growing writes: a Cluster has growBytes and one frame
	maxHead    = 64 << 10
)

// Recover completes a file of size bytes that a Growing did not close: what is behind its last whole Cluster is cut off, and duration and index
// are written. It reads the head, a few bytes of each Cluster, and the last Clusters; a file that no Growing wrote is an error that
// wraps media.ErrFormat, and stays as it is.
func Recover(f Partial, size int64) (Recovered, error) {
	s := &salvage{layout: layout{r: f, size: size}, f: f}
	if err := s.readHead(); err != nil {
		return Recovered{}, fmt.Errorf("webm: %w", err)
	}
	s.at = s.clusters
	if s.done {
		return Recovered{Size: size, LengthMs: s.length, Tracks: s.tracks, Done: true}, nil
	}
	if err := s.walk(); err != nil {
		return Recovered{}, fmt.Errorf("webm: %w", err)
	}
	if len(s.last) == 0 {
		return Recovered{}, ErrNothing
	}
	for _, c := range s.last {
		if s.measure(c) != nil {
			s.cutBefore(c) // what the disk had not written when the machine went down
			break
		}
	}
	if err := f.Truncate(s.at); err != nil {
		return Recovered{}, err
	}
	if err := complete(f, s.pos, &s.index, s.at, s.length); err != nil {
		return Recovered{}, err
	}
	now := s.at
	if !s.index.empty() {
		now += int64(len(s.index.element(s.pos.segment)))
	}
	return Recovered{Size: now, Cut: size - s.at, LengthMs: s.length, Tracks: s.tracks}, nil
}

// salvage is one Recover under way.
type salvage struct {
	layout
	f     Partial
	at    int64 // end of what is whole
	index index
	last  []element // the last Clusters
}

// lastClusters are looked at for the file's duration: frames of some tracks may lie behind those of others.
const lastClusters = 16

// walk passes from Cluster to Cluster, as far as they are whole.
func (s *salvage) walk() error {
	for {
		e, err := s.header(s.at)
		if errors.Is(err, media.ErrFormat) || err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if e.id != idCluster || e.size == unknownSize || e.size > maxCluster || e.end() > s.size {
			return nil
		}
		ok, err := s.look(e)
		if err != nil || !ok {
			return err
		}
		if s.last = append(s.last, e); len(s.last) > lastClusters {
			s.last = s.last[1:]
		}
		s.at = e.end()
	}
}

// look reads how a Cluster begins, for the index; ok is false for what no Growing writes.
func (s *salvage) look(e element) (ok bool, err error) {
	b, err := s.read(e.data, 32)
	if err != nil {
		return false, err
	}
	time, rest, ok := child(b, idTimestamp)
	if !ok {
		return false, nil
	}
	id, _, n, err := header(rest)
	if err != nil || id != idSimpleBlock || len(rest) < n+4 {
		return false, nil
	}
	track, offset, flags := block4(rest[n:])
	at := int64(uintOf(time)) + offset
	if key := flags&flagKey != 0 && s.video[track]; key || len(s.video) == 0 || s.index.empty() {
		s.index.add(cue{time: at, at: e.at, track: byte(track)})
	}
	return true, nil
}

// child takes a whole element with an ID off the front of b.
func child(b []byte, want uint32) (data, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	id, size, n, err := header(b)
	if err != nil || id != want || size < 0 || size > 8 || int64(len(b)) < int64(n)+size {
		return nil, nil, false
	}
	return b[n : n+int(size)], b[n+int(size):], true
}

// block4 reads the first four bytes of a block of a Growing, whose track numbers have one byte.
func block4(b []byte) (track uint64, offset int64, flags byte) {
	return uint64(b[0] &^ 0x80), int64(int16(uint16(b[1])<<8 | uint16(b[2]))), b[3]
}

// cutBefore takes a Cluster, and what is behind it, for not written.
func (s *salvage) cutBefore(e element) {
	s.at = e.at
	s.index.cues = slices.DeleteFunc(s.index.cues, func(c cue) bool { return c.at >= e.at })
}

// measure looks for the last frame in a Cluster.
func (s *salvage) measure(e element) error {
	b, err := s.read(e.data, int(e.size))
	if err != nil {
		return err
	}
	start := int64(0)
	return children(b, "Cluster", e.data, func(id uint32, data []byte, _ int64) error {
		switch {
		case id == idTimestamp:
			start = int64(min(uintOf(data), 1<<40))
		case id == idSimpleBlock && len(data) >= 4:
			_, offset, _ := block4(data)
			s.length = max(s.length, start+offset)
		}
		return nil
	})
}
