package vpx

import (
	"fmt"

	"landline/media"
	"landline/media/internal/bitio"
)

// ParseVP9 reads the uncompressed header of the first frame of a frame or superframe (VP9 specification
// section 6.2): a superframe with a key frame begins with it, and its index is at its end. Its errors wrap
// media.ErrFormat.
func ParseVP9(frame []byte) (Header, error) {
	const marker, longest = 2, 12
	r := &bitio.Reader{Data: frame[:min(len(frame), longest)]}
	frameMarker := r.Int(2)
	profile := r.Int(1) | r.Int(1)<<1
	if profile == 3 {
		r.Skip(1) // reserved_zero
	}
	showExisting, inter := r.Flag(), r.Flag()
	if len(frame) == 0 || frameMarker != marker {
		return Header{}, fmt.Errorf("%w: VP9 frame of %d bytes without its frame marker", media.ErrFormat, len(frame))
	}
	if showExisting || inter {
		return Header{}, nil
	}
	r.Skip(2) // show_frame, error_resilient_mode
	if sync := r.Bits(24); sync != 0x498342 {
		return Header{}, fmt.Errorf("%w: VP9 key frame with sync code %06x, want 498342", media.ErrFormat, sync)
	}
	h, depth := Header{Key: true}, 8
	if profile >= 2 {
		depth = 10 + 2*r.Int(1)
	}
	h.Colour = vp9Colour(r, profile)
	h.Width, h.Height = r.Int(16)+1, r.Int(16)+1
	if r.Short {
		return Header{}, fmt.Errorf("%w: VP9 key frame of %d bytes ends inside its header", media.ErrFormat, len(frame))
	}
	h.CodecString = VP9String(profile, VP9Level(h.Width, h.Height), depth)
	return h, nil
}

// vp9Colour reads the rest of color_config after the bit depth (section 6.2.2, with the code points
// of ISO/IEC 23091-2 that go with each color_space). The subsampling is passed over: the short codec string
// has no place for it.
func vp9Colour(r *bitio.Reader, profile int) *media.Colour {
	const sRGB, open = 7, media.ColourUnspecified
	hasSubsampling := profile&1 == 1
	space := r.Int(3)
	if space == sRGB {
		if hasSubsampling {
			r.Skip(1) // reserved_zero
		}
		return media.ColourOf(1, 13, 0, true)
	}
	full := r.Flag()
	if hasSubsampling {
		r.Skip(3) // subsampling_x, subsampling_y, reserved_zero
	}
	points := [sRGB]int{open, 6, 1, 6, 7, 9, open} // unknown, 601, 709, SMPTE 170, SMPTE 240, 2020, reserved
	transfer := points[space]
	if transfer == 9 {
		transfer = 14 // BT.2020, 10 bits
	}
	return media.ColourOf(points[space], transfer, points[space], full)
}

// VP9Level is the lowest level, times ten, that has room for the picture (section A). The rates of pictures
// and bits, which could ask for a higher one, are not looked at.
func VP9Level(width, height int) int {
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

// VP9String is the short form of the codec string; level is times ten, depth in bits a sample.
func VP9String(profile, level, depth int) string {
	return fmt.Sprintf("vp09.%02d.%02d.%02d", profile, level, depth)
}
