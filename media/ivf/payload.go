package ivf

import (
	"landline/media"
	"landline/media/av1"
	"landline/media/vpx"
)

// picture is what a payload says of itself. Sizes are 0 where it does not say.
type picture struct {
	key           bool
	width, height int
	codecString   string
	colour        *media.Colour
}

// vpxPicture is what a VP8 or VP9 frame says.
func vpxPicture(h vpx.Header, err error) (picture, error) {
	return picture{key: h.Key, width: h.Width, height: h.Height, codecString: h.CodecString, colour: h.Colour}, err
}

// av1Picture reads a temporal unit; sequence is its sequence header, nil if it has none.
func av1Picture(unit, sequence []byte) (picture, error) {
	p := picture{key: av1.IsKey(unit)}
	if sequence == nil {
		return p, nil
	}
	s, err := av1.ParseSequenceHeader(sequence)
	if err != nil {
		return p, err
	}
	p.width, p.height, p.codecString, p.colour = s.Width, s.Height, s.CodecString(), s.Colour
	return p, nil
}
