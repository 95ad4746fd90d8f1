package webm

import (
	"landline/media"
	"landline/media/vpx"
)

func (t *track) settleVP8(f media.Frame) bool {
	h, err := vpx.ParseVP8(f.Data)
	if err != nil || !h.Key {
		return false
	}
	t.format.Width, t.format.Height = h.Width, h.Height
	return true
}

func (t *track) settleVP9(f media.Frame) bool {
	h, err := vpx.ParseVP9(f.Data)
	if err != nil || !h.Key {
		return false
	}
	if t.format.Width == 0 || t.format.Height == 0 {
		t.format.Width, t.format.Height = h.Width, h.Height
	}
	t.format.CodecString = h.CodecString
	return true
}

// vpxFrame takes the picture size from the first key frame where the format left it open.
func (t *outTrack) vpxFrame(parse func([]byte) (vpx.Header, error)) func(media.Frame) ([]byte, error) {
	return func(f media.Frame) ([]byte, error) {
		if t.format.Width == 0 || t.format.Height == 0 {
			if h, err := parse(f.Data); err == nil && h.Key {
				t.size(h.Width, h.Height)
			}
		}
		return f.Data, nil
	}
}
