package ivf

import (
	"bytes"
	"fmt"

	"landline/media"
	"landline/media/av1"
)

// picture is what a payload says of itself. Sizes are 0 where it does not say.
type picture struct {
	key           bool
	width, height int
	codecString   string
	colour        *media.Colour
}

// vp8 reads a frame tag and, of a key frame, the header behind it (RFC 6386 section 9.1).
func vp8(b []byte) (picture, error) {
	const tag, keyHeader = 3, 10
	p := picture{codecString: "vp8"}
	if len(b) < tag {
		return p, fmt.Errorf("%w: VP8 frame of %d bytes", media.ErrFormat, len(b))
	}
	if b[0]&1 != 0 {
		return p, nil
	}
	if len(b) < keyHeader || !bytes.Equal(b[3:6], []byte{0x9d, 0x01, 0x2a}) {
		return p, fmt.Errorf("%w: VP8 key frame of %d bytes without its start code", media.ErrFormat, len(b))
	}
	p.key = true
	p.width, p.height = int(b[6])|int(b[7]&0x3f)<<8, int(b[8])|int(b[9]&0x3f)<<8
	return p, nil
}

// vp9 reads the uncompressed header of the first frame of a frame or superframe (VP9 bitstream
// specification section 6.2). A superframe with a key frame begins with it, and its index is at its
// end.
func vp9(b []byte) (picture, error) {
	const marker, profile3, longest = 2, 3, 12
	r := &bitReader{b: b[:min(len(b), longest)]}
	frameMarker := r.bits(2)
	profile := r.bits(1) | r.bits(1)<<1
	if profile == profile3 {
		r.bits(1)
	}
	p := picture{}
	showExisting := r.bits(1) == 1
	inter := r.bits(1) == 1
	if len(b) == 0 || frameMarker != marker {
		return p, fmt.Errorf("%w: VP9 frame of %d bytes without its frame marker", media.ErrFormat, len(b))
	}
	if showExisting || inter {
		return p, nil
	}
	r.bits(2) // show_frame, error_resilient_mode
	if sync := r.bits(24); sync != 0x498342 {
		return p, fmt.Errorf("%w: VP9 key frame with sync code %06x, want 498342", media.ErrFormat, sync)
	}
	p.key = true
	depth := 8
	if profile >= 2 {
		depth = 10 + 2*r.bits(1)
	}
	p.colour = vp9Colour(r, profile)
	p.width, p.height = r.bits(16)+1, r.bits(16)+1
	if r.short {
		return picture{}, fmt.Errorf("%w: VP9 key frame of %d bytes ends inside its header", media.ErrFormat, len(b))
	}
	p.codecString = fmt.Sprintf("vp09.%02d.%02d.%02d", profile, vp9Level(p.width, p.height), depth)
	return p, nil
}

// vp9Colour reads the rest of color_config after the bit depth (section 6.2.2, with the code points
// of ISO/IEC 23091-2 that go with each color_space).
func vp9Colour(r *bitReader, profile int) *media.Colour {
	const sRGB, unspecified = 7, 2
	space := r.bits(3)
	if space == sRGB {
		r.bits(profile & 1) // reserved_zero
		return av1.Colour(1, 13, 0, true)
	}
	full := r.bits(1) == 1
	if profile&1 == 1 {
		r.bits(3) // subsampling_x, subsampling_y, reserved_zero
	}
	points := [sRGB]int{unspecified, 6, 1, 6, 7, 9, unspecified} // unknown, 601, 709, SMPTE 170, SMPTE 240, 2020, reserved
	transfer := points[space]
	if transfer == 9 {
		transfer = 14 // BT.2020, 10 bits
	}
	return av1.Colour(points[space], transfer, points[space], full)
}

// vp9Level is the lowest level that has room for the picture (VP9 bitstream specification annex A).
func vp9Level(width, height int) int {
	levels := []struct{ area, level int }{
		{36864, 10}, {73728, 11}, {122880, 20}, {245760, 21}, {552960, 30}, {983040, 31}, {2228224, 40}, {8912896, 50},
	}
	for _, l := range levels {
		if width*height <= l.area {
			return l.level
		}
	}
	return 60
}

// av1Picture reads a temporal unit; sequence is its sequence header, nil if it has none.
func av1Picture(unit, sequence []byte) (picture, error) {
	p := picture{key: av1Key(unit)}
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

// av1Key reports whether the first frame of a temporal unit is a key frame that is shown (AV1
// specification section 5.9.2). Still pictures with a reduced header count as key frames only by
// chance: they are no video.
func av1Key(unit []byte) bool {
	const frameHeader, frame = 3, 6
	const showExisting, frameType, show = 0x80, 0x60, 0x10
	for len(unit) > 0 {
		u, rest, err := av1.Next(unit)
		if err != nil {
			return false
		}
		if (u.Type == frameHeader || u.Type == frame) && len(u.Payload) > 0 {
			return u.Payload[0]&(showExisting|frameType|show) == show
		}
		unit = rest
	}
	return false
}

// bitReader reads most significant bits first; past its end it gives zeros and sets short.
type bitReader struct {
	b     []byte
	at    int
	short bool
}

func (r *bitReader) bits(n int) (v int) {
	for range n {
		v <<= 1
		if r.at/8 >= len(r.b) {
			r.short = true
			continue
		}
		v |= int(r.b[r.at/8]>>(7-r.at%8)) & 1
		r.at++
	}
	return v
}
