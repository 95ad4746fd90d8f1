package record

import (
	"errors"
	"time"

	"landline/media"
	"landline/media/vpx"
	"landline/media/webm"
)

// ErrNoStill says that no picture can be had of a recording without decoding it.
var ErrNoStill = errors.New("there is no picture of this recording")

// stillShare is how far into a recording its picture is taken: beginnings are dark. stillPackets bounds what is read to find one.
const (
	stillShare   = 10
	stillPackets = 4096
)

// Still gives a picture of a recording, a WebP file: a key frame of its first VP8 track, as it was sent. Other codecs have none: ErrNoStill.
func (s *Store) Still(id string) ([]byte, error) {
	content, _, _, err := s.Media(id, 0)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	file, err := webm.NewSeekable(content, content.Size())
	if err != nil {
		return nil, ErrNoStill
	}
	for i, f := range file.Formats() {
		if f.Codec == media.VP8 {
			return stillOf(file, i)
		}
	}
	return nil, ErrNoStill
}

// stillOf looks for a key frame of a track: where the recording is under way, or from its beginning.
func stillOf(file *webm.Seekable, track int) ([]byte, error) {
	for _, at := range []time.Duration{file.Length() / stillShare, 0} {
		_, stills, err := file.SeekTo(at.Microseconds())
		if err != nil {
			continue
		}
		for _, p := range stills {
			if still, err := vpx.WebP(p.Data); p.Track == track && err == nil {
				return still, nil
			}
		}
		if still := nextStill(file, track); still != nil {
			return still, nil
		}
	}
	return nil, ErrNoStill
}

func nextStill(r media.Reader, track int) []byte {
	for range stillPackets {
		p, err := r.Next()
		if err != nil {
			return nil
		}
		if p.Track != track || !p.Key {
			continue
		}
		if still, err := vpx.WebP(p.Data); err == nil {
			return still
		}
	}
	return nil
}
