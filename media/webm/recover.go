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
	s := &salvage{f: f, size: size}
	if err := s.readHead(); err != nil {
		return Recovered{}, fmt.Errorf("webm: %w", err)
	}
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
	f    Partial
	size int64

	pos    positions
	tracks int
	video  map[uint64]bool
	done   bool
	at     int64 // end of what is whole
	index  index
	last   []element // the last Clusters
	length int64     // ms
}

// lastClusters are looked at for the file's duration: frames of some tracks may lie behind those of others.
const lastClusters = 16

func (s *salvage) read(at int64, n int) ([]byte, error) {
	b := make([]byte, min(int64(n), max(0, s.size-at)))
	got, err := s.f.ReadAt(b, at)
	if err == io.EOF {
		err = nil
	}
	return b[:got], err
}

// header reads the header of the element at an offset.
func (s *salvage) header(at int64) (element, error) {
	b, err := s.read(at, 12)
	if err != nil {
		return element{}, err
	}
	if len(b) == 0 {
		return element{}, io.EOF
	}
	id, size, n, err := header(b)
	if err != nil || n > len(b) {
		return element{}, fail(media.ErrFormat, "the file", at, "no element")
	}
	return element{id: id, size: size, at: at, data: at + int64(n)}, nil
}

// readHead finds the places that a Growing keeps open.
func (s *salvage) readHead() error {
	e, err := s.header(0)
	if err != nil || e.id != idEBML || e.size < 0 || e.size > maxEBML {
		return fail(media.ErrFormat, "the file", 0, "no EBML header")
	}
	segment, err := s.header(e.end())
	if err != nil || segment.id != idSegment {
		return fail(media.ErrFormat, "the file", e.end(), "no Segment")
	}
	s.pos.segment = segment.data
	toc, err := s.header(segment.data)
	if err != nil || toc.id != idVoid && toc.id != idSeekHead || toc.end()-toc.at != seekHeadSize {
		return fail(media.ErrFormat, "Segment", segment.data, "no place for a SeekHead")
	}
	info, err := s.header(toc.end())
	if err != nil || info.id != idInfo || info.size < durationSize || info.size > maxHead {
		return fail(media.ErrFormat, "Segment", toc.end(), "no Info")
	}
	duration, err := s.header(info.data)
	if err != nil || duration.end()-duration.at != durationSize {
		return fail(media.ErrFormat, "Info", info.data, "no place for a Duration")
	}
	s.pos.info, s.pos.duration, s.pos.tracks = info.at, info.data, info.end()
	tracks, err := s.header(info.end())
	if err != nil || tracks.id != idTracks || tracks.size < 0 || tracks.size > maxHead {
		return fail(media.ErrFormat, "Segment", info.end(), "no Tracks")
	}
	if s.done = segment.size != unknownSize; s.done {
		if segment.end() != s.size {
			return fail(media.ErrFormat, "Segment", segment.at, "it ends at byte %d, the file at %d", segment.end(), s.size)
		}
		b, _ := s.read(duration.data, int(duration.size))
		s.length = int64(floatOf(b))
	}
	s.at = tracks.end()
	return s.readTracks(tracks)
}

func (s *salvage) readTracks(tracks element) error {
	b, err := s.read(tracks.data, int(tracks.size))
	if err != nil || int64(len(b)) < tracks.size {
		return fail(media.ErrTruncated, "Tracks", tracks.at, "the file ends in it")
	}
	s.video = map[uint64]bool{}
	return children(b, "Tracks", tracks.data, func(id uint32, data []byte, at int64) error {
		if id != idTrackEntry {
			return nil
		}
		e, err := parseEntry(data, at)
		if s.tracks++; err == nil && e.kind == typeVideo {
			s.video[e.number] = true
		}
		return err
	})
}

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
