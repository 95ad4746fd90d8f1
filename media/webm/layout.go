package webm

import (
	"io"

	"landline/media"
)

// layout is where things are in a file that a Growing wrote.
type layout struct {
	r    io.ReaderAt
	size int64

	pos      positions
	tracks   int
	video    map[uint64]bool // numbers of tracks
	done     bool            // it is complete
	clusters int64           // offset of the first
	length   int64           // ms
}

func (l *layout) read(at int64, n int) ([]byte, error) {
	b := make([]byte, min(int64(n), max(0, l.size-at)))
	got, err := l.r.ReadAt(b, at)
	if err == io.EOF {
		err = nil
	}
	return b[:got], err
}

// header reads the header of the element at an offset.
func (l *layout) header(at int64) (element, error) {
	b, err := l.read(at, 12)
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
func (l *layout) readHead() error {
	e, err := l.header(0)
	if err != nil || e.id != idEBML || e.size < 0 || e.size > maxEBML {
		return fail(media.ErrFormat, "the file", 0, "no EBML header")
	}
	segment, err := l.header(e.end())
	if err != nil || segment.id != idSegment {
		return fail(media.ErrFormat, "the file", e.end(), "no Segment")
	}
	l.pos.segment = segment.data
	toc, err := l.header(segment.data)
	if err != nil || toc.id != idVoid && toc.id != idSeekHead || toc.end()-toc.at != seekHeadSize {
		return fail(media.ErrFormat, "Segment", segment.data, "no place for a SeekHead")
	}
	info, err := l.header(toc.end())
	if err != nil || info.id != idInfo || info.size < durationSize || info.size > maxHead {
		return fail(media.ErrFormat, "Segment", toc.end(), "no Info")
	}
	duration, err := l.header(info.data)
	if err != nil || duration.end()-duration.at != durationSize {
		return fail(media.ErrFormat, "Info", info.data, "no place for a Duration")
	}
	l.pos.info, l.pos.duration, l.pos.tracks = info.at, info.data, info.end()
	tracks, err := l.header(info.end())
	if err != nil || tracks.id != idTracks || tracks.size < 0 || tracks.size > maxHead {
		return fail(media.ErrFormat, "Segment", info.end(), "no Tracks")
	}
	if l.done = segment.size != unknownSize; l.done {
		if segment.end() != l.size {
			return fail(media.ErrFormat, "Segment", segment.at, "it ends at byte %d, the file at %d", segment.end(), l.size)
		}
		b, _ := l.read(duration.data, int(duration.size))
		l.length = int64(floatOf(b))
	}
	l.clusters = tracks.end()
	return l.readTracks(tracks)
}

func (l *layout) readTracks(tracks element) error {
	b, err := l.read(tracks.data, int(tracks.size))
	if err != nil || int64(len(b)) < tracks.size {
		return fail(media.ErrTruncated, "Tracks", tracks.at, "the file ends in it")
	}
	l.video = map[uint64]bool{}
	return children(b, "Tracks", tracks.data, func(id uint32, data []byte, at int64) error {
		if id != idTrackEntry {
			return nil
		}
		e, err := parseEntry(data, at)
		if l.tracks++; err == nil && e.kind == typeVideo {
			l.video[e.number] = true
		}
		return err
	})
}
