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
	if b.flag() && b.u(8) == extendedSAR {
		b.u(32)
	}
	if b.flag() { // overscan_info_present_flag
		b.u(1)
	}
	if b.flag() { // video_signal_type_present_flag
		v.parseColour(b)
	}
	if b.flag() { // chroma_loc_info_present_flag
		b.ue()
		b.ue()
	}
	if b.flag() { // timing_info_present_flag
		v.parseTiming(b)
	}
	nal := b.flag()
	if nal {
		skipHRD(b)
	}
	vcl := b.flag()
	if vcl {
		skipHRD(b)
	}
	if nal || vcl {
		b.u(1) // low_delay_hrd_flag
	}
	b.u(1)        // pic_struct_present_flag
	if b.flag() { // bitstream_restriction_flag
		b.u(1) // motion_vectors_over_pic_boundaries_flag
		b.ue() // max_bytes_per_pic_denom
		b.ue() // max_bits_per_mb_denom
		b.ue() // log2_max_mv_length_horizontal
		b.ue() // log2_max_mv_length_vertical
		v.stated, v.maxReorder = true, b.ue()
		b.ue() // max_dec_frame_buffering
	}
}

func (v *vui) parseColour(b *bitReader) {
	b.u(3) // video_format
	full := b.flag()
	const unspecified = 2
	primaries, transfer, matrix := uint32(unspecified), uint32(unspecified), uint32(unspecified)
	if b.flag() {
		primaries, transfer, matrix = b.u(8), b.u(8), b.u(8)
	}
	v.colour = colour(primaries, transfer, matrix, full)
}

// parseTiming takes a frame for two ticks, which holds for field and frame pictures alike.
func (v *vui) parseTiming(b *bitReader) {
	units, scale := b.u(32), b.u(32)
	b.u(1) // fixed_frame_rate_flag
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
		b.short = true
		return
	}
	b.u(8) // bit_rate_scale, cpb_size_scale
	for range n + 1 {
		b.ue()
		b.ue()
		b.u(1)
	}
	b.u(20) // four lengths of 5 bits
}
