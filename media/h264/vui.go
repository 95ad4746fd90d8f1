package h264

import "landline/media"

// vui holds what is used of the video usability information (section E.1.1).
type vui struct {
	colour     *media.Colour
	frameRate  float64
	stated     bool // maxReorder is given
	maxReorder uint32
}

func (v *vui) parse(b *bitReader) {
	const extendedSAR = 255
	if b.Flag() && b.Bits(8) == extendedSAR {
		b.Bits(32)
	}
	if b.Flag() { // overscan_info_present_flag
		b.Bits(1)
	}
	if b.Flag() { // video_signal_type_present_flag
		v.parseColour(b)
	}
	if b.Flag() { // chroma_loc_info_present_flag
		b.ue()
		b.ue()
	}
	if b.Flag() { // timing_info_present_flag
		v.parseTiming(b)
	}
	nal := b.Flag()
	if nal {
		skipHRD(b)
	}
	vcl := b.Flag()
	if vcl {
		skipHRD(b)
	}
	if nal || vcl {
		b.Bits(1) // low_delay_hrd_flag
	}
	b.Bits(1)     // pic_struct_present_flag
	if b.Flag() { // bitstream_restriction_flag
		b.Bits(1) // motion_vectors_over_pic_boundaries_flag
		b.ue()    // max_bytes_per_pic_denom
		b.ue()    // max_bits_per_mb_denom
		b.ue()    // log2_max_mv_length_horizontal
		b.ue()    // log2_max_mv_length_vertical
		v.stated, v.maxReorder = true, b.ue()
		b.ue() // max_dec_frame_buffering
	}
}

func (v *vui) parseColour(b *bitReader) {
	b.Bits(3) // video_format
	full := b.Flag()
	const open = media.ColourUnspecified
	primaries, transfer, matrix := open, open, open
	if b.Flag() {
		primaries, transfer, matrix = b.Int(8), b.Int(8), b.Int(8)
	}
	v.colour = media.ColourOf(primaries, transfer, matrix, full)
}

// parseTiming takes a frame for two ticks, which holds for field and frame pictures alike.
func (v *vui) parseTiming(b *bitReader) {
	units, scale := b.Bits(32), b.Bits(32)
	b.Bits(1) // fixed_frame_rate_flag
	if units == 0 {
		return
	}
	if rate := float64(scale) / float64(units) / 2; rate >= 1.0/maxFrameRate && rate <= maxFrameRate {
		v.frameRate = rate
	}
}

// skipHRD passes over hrd_parameters (section E.1.2).
func skipHRD(b *bitReader) {
	const maxCPB = 31
	n := b.ue()
	if n > maxCPB {
		b.Short = true
		return
	}
	b.Bits(8) // bit_rate_scale, cpb_size_scale
	for range n + 1 {
		b.ue()
		b.ue()
		b.Bits(1)
	}
	b.Bits(20) // four lengths of 5 bits
}
