package webm

import (
	"bytes"
	"fmt"

	"landline/media"
)

// track is one track that is read.
type track struct {
	index  int // in Reader.formats
	format media.Format
	// prefix is put before every frame (header stripping).
	prefix []byte
	// each is the duration of a frame in µs; 0 if the file states none.
	each int64
	// convert brings a frame into the relay's form; nil if it has that form.
	convert func(data []byte, key bool) ([]byte, error)
	// settle learns what the head of the file left open of the format from a frame, and reports whether
	// nothing is open any more; nil when nothing is.
	settle func(f media.Frame) bool
}

// duration is the duration in µs of a frame, for which its block stated one or 0.
func (t *track) duration(data []byte, stated int64) int64 {
	if t.format.Codec == media.Opus {
		if d, err := media.OpusDuration(data); err == nil {
			return d
		}
	}
	if stated > 0 {
		return stated
	}
	return t.each
}

// entry is a TrackEntry as it stands in the file.
type entry struct {
	at              int64
	number, kind    uint64
	codec           string
	private         []byte
	defaultDuration uint64 // ns
	width, height   int
	top, bottom     int
	left, right     int
	colour          *media.Colour
	rate            float64
	channels        int
	encodings       int
	prefix          []byte // stripped off each frame
	privatePrefix   []byte // stripped off private
	refused         string // why the frames cannot be read; empty if they can
}

func (r *Reader) readTracks(e element) error {
	data, err := r.src.readMaster(e, maxHeader)
	if err != nil {
		return err
	}
	count := 0
	seen := map[uint64]bool{}
	err = children(data, "Tracks", e.data, func(id uint32, data []byte, at int64) error {
		if id != idTrackEntry {
			return nil
		}
		if count++; count > maxTracks {
			return fail(media.ErrTooLarge, "Tracks", e.at, "over %d tracks", maxTracks)
		}
		t, err := parseEntry(data, at)
		if err != nil {
			return err
		}
		if t.number == 0 || seen[t.number] {
			return fail(media.ErrFormat, "TrackEntry", at, "track number %d is used twice or 0", t.number)
		}
		seen[t.number] = true
		return r.addTrack(t)
	})
	if err == nil && len(r.tracks) == 0 {
		return fail(media.ErrUnsupported, "Tracks", e.at, "no audio or video track")
	}
	return err
}

// Track types (RFC 9559 section 5.1.4.1.3).
const (
	typeVideo = 1
	typeAudio = 2
)

func (r *Reader) addTrack(e entry) error {
	if e.kind != typeVideo && e.kind != typeAudio {
		return nil
	}
	if e.refused != "" {
		return fail(media.ErrUnsupported, "TrackEntry", e.at, "track %d (%s): %s", e.number, e.codec, e.refused)
	}
	t, err := newTrack(e)
	if err != nil {
		return inside(err, fmt.Sprintf("track %d (%s)", e.number, e.codec), e.at)
	}
	t.index = len(r.formats)
	r.tracks[e.number] = t
	r.formats = append(r.formats, t.format)
	return nil
}

func parseEntry(data []byte, at int64) (entry, error) {
	e := entry{at: at, channels: 1, rate: 8000}
	err := children(data, "TrackEntry", at, func(id uint32, data []byte, at int64) error {
		switch id {
		case idTrackNumber:
			e.number = uintOf(data)
		case idTrackType:
			e.kind = uintOf(data)
		case idCodecID:
			e.codec = stringOf(data)
		case idCodecPrivate:
			e.private = data
		case idDefaultDuration:
			e.defaultDuration = uintOf(data)
		case idVideo:
			return children(data, "Video", at, e.video)
		case idAudio:
			return children(data, "Audio", at, e.audio)
		case idEncodings:
			return children(data, "ContentEncodings", at, e.encoding)
		}
		return nil
	})
	if e.privatePrefix != nil && e.private != nil {
		e.private = append(e.privatePrefix, e.private...)
	}
	return e, err
}

func (e *entry) video(id uint32, data []byte, at int64) error {
	switch id {
	case idPixelWidth:
		e.width = intOf(data)
	case idPixelHeight:
		e.height = intOf(data)
	case idCropTop:
		e.top = intOf(data)
	case idCropBottom:
		e.bottom = intOf(data)
	case idCropLeft:
		e.left = intOf(data)
	case idCropRight:
		e.right = intOf(data)
	case idColour:
		return e.readColour(data, at)
	}
	return nil
}

func (e *entry) audio(id uint32, data []byte, _ int64) error {
	switch id {
	case idSamplingFreq:
		e.rate = floatOf(data)
	case idChannels:
		e.channels = intOf(data)
	}
	return nil
}

// maxPrefix bounds the header that is stripped off each frame.
const maxPrefix = 1 << 10

// encoding reads one ContentEncoding. Header stripping is undone; anything else makes the track refused.
func (e *entry) encoding(id uint32, data []byte, at int64) error {
	if id != idEncoding {
		return nil
	}
	scope, kind, algorithm := uint64(1), uint64(0), uint64(0)
	var settings []byte
	err := children(data, "ContentEncoding", at, func(id uint32, data []byte, at int64) error {
		switch id {
		case idEncodingScope:
			scope = uintOf(data)
		case idEncodingType:
			kind = uintOf(data)
		case idCompression:
			return children(data, "ContentCompression", at, func(id uint32, data []byte, _ int64) error {
				switch id {
				case idCompAlgo:
					algorithm = uintOf(data)
				case idCompSettings:
					settings = data
				}
				return nil
			})
		}
		return nil
	})
	e.encodings++
	switch {
	case kind == 1:
		e.refused = "it is encrypted"
	case kind != 0 || algorithm > 3:
		e.refused = fmt.Sprintf("content encoding type %d, algorithm %d", kind, algorithm)
	case algorithm != 3:
		e.refused = [...]string{"zlib", "bzlib", "lzo"}[algorithm] + " compression"
	case e.encodings > 1:
		e.refused = "more than one content encoding"
	case len(settings) > maxPrefix:
		e.refused = fmt.Sprintf("a stripped header of %d bytes", len(settings))
	default:
		if scope&1 != 0 {
			e.prefix = bytes.Clone(settings)
		}
		if scope&2 != 0 {
			e.privatePrefix = bytes.Clone(settings)
		}
	}
	return err
}
