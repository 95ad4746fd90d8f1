package webm

import (
	"fmt"

	"landline/media"
)

// picture is what the head of a VP8 or VP9 key frame says.
type picture struct{ width, height, profile, depth int }

// vp8Key reads the head of a VP8 key frame (RFC 6386 section 9.1).
func vp8Key(b []byte) (picture, bool) {
	if len(b) < 10 || b[0]&1 != 0 || b[3] != 0x9d || b[4] != 0x01 || b[5] != 0x2a {
		return picture{}, false
	}
	return picture{width: int(b[6]) | int(b[7]&0x3f)<<8, height: int(b[8]) | int(b[9]&0x3f)<<8, depth: 8}, true
}

// vp9Key reads the uncompressed header of a VP9 key frame (VP9 bitstream specification section 6.2).
func vp9Key(b []byte) (picture, bool) {
	const longest = 11 // bytes as far as the size, in any profile
	if len(b) < longest {
		return picture{}, false
	}
	pos := 0
	bits := func(n int) (v int) {
		for range n {
			v = v<<1 | int(b[pos>>3]>>(7-pos&7))&1
			pos++
		}
		return v
	}
	marker := bits(2)
	p := picture{depth: 8}
	p.profile = bits(1) | bits(1)<<1
	if p.profile == 3 {
		bits(1)
	}
	existing, inter := bits(1), bits(1)
	bits(2) // show_frame, error_resilient_mode
	if marker != 2 || existing == 1 || inter == 1 || bits(24) != 0x498342 {
		return picture{}, false
	}
	if p.profile >= 2 {
		p.depth = 10 + 2*bits(1)
	}
	const sRGB = 7
	switch space := bits(3); {
	case space != sRGB && p.profile&1 == 0:
		bits(1) // color_range
	case space != sRGB:
		bits(4) // color_range, subsampling_x, subsampling_y, reserved
	case p.profile&1 == 1:
		bits(1)
	}
	p.width = bits(16) + 1
	p.height = bits(16) + 1
	return p, true
}

// vp9Level guesses the level by the picture size alone (VP9 bitstream specification annex A).
func vp9Level(width, height int) int {
	for _, l := range []struct{ size, level int }{
		{36864, 10}, {73728, 11}, {122880, 20}, {245760, 21}, {552960, 30}, {983040, 31}, {2228224, 40}, {8912896, 50},
	} {
		if width*height <= l.size {
			return l.level
		}
	}
	return 60
}

// vp9String is the short form of the codec string (VP codec ISO media file format binding).
func vp9String(profile, level, depth int) string {
	return fmt.Sprintf("vp09.%02d.%02d.%02d", profile, level, depth)
}

func (t *track) settleVP8(f media.Frame) bool {
	p, ok := vp8Key(f.Data)
	if ok {
		t.format.Width, t.format.Height = p.width, p.height
	}
	return ok
}

func (t *track) settleVP9(f media.Frame) bool {
	p, ok := vp9Key(f.Data)
	if !ok {
		return false
	}
	if t.format.Width == 0 || t.format.Height == 0 {
		t.format.Width, t.format.Height = p.width, p.height
	}
	t.format.CodecString = vp9String(p.profile, vp9Level(p.width, p.height), p.depth)
	return true
}
