package av1

import (
	"fmt"

	"landline/media"
	"landline/media/internal/bitio"
)

// SequenceHeader holds what a container or a decoder must know of a sequence header (section 5.5.1).
type SequenceHeader struct {
	Profile, Level, Tier int
	BitDepth             int
	// Width and Height are the largest picture size in pixels.
	Width, Height int
	Monochrome    bool
	// SubsamplingX and SubsamplingY are 1 where chroma has half the resolution.
	SubsamplingX, SubsamplingY int
	ChromaSamplePosition       int
	// Colour is nil when the header leaves the colour space open.
	Colour *media.Colour
}

// CodecString is the WebCodecs codec string in its short form, "av01.0.04M.08" (AV1-ISOBMFF section 5).
func (s SequenceHeader) CodecString() string {
	return fmt.Sprintf("av01.%d.%02d%c.%02d", s.Profile, s.Level, "MH"[s.Tier], s.BitDepth)
}

// ParseSequenceHeader reads a sequence header OBU, given whole with its OBU header.
func ParseSequenceHeader(obu []byte) (SequenceHeader, error) {
	u, _, err := Next(obu)
	if err != nil {
		return SequenceHeader{}, err
	}
	if u.Type != SequenceHeaderOBU {
		return SequenceHeader{}, fmt.Errorf("%w: AV1: OBU of type %d where a sequence header was expected", media.ErrFormat, u.Type)
	}
	r := &bitReader{bitio.Reader{Data: u.Payload}}
	s := SequenceHeader{Profile: r.Int(3)}
	r.Int(1) // still_picture
	reduced := r.Flag()
	if reduced {
		s.Level = r.Int(5)
	} else {
		operatingPoints(r, &s)
	}
	widthBits, heightBits := r.Int(4)+1, r.Int(4)+1
	s.Width, s.Height = r.Int(widthBits)+1, r.Int(heightBits)+1
	codingTools(r, reduced)
	colourConfig(r, &s)
	if r.Short {
		return SequenceHeader{}, fmt.Errorf("%w: AV1: sequence header of %d bytes is too short", media.ErrFormat, len(u.Payload))
	}
	if s.Profile > 2 {
		return SequenceHeader{}, fmt.Errorf("%w: AV1: profile %d", media.ErrUnsupported, s.Profile)
	}
	return s, nil
}

// operatingPoints reads the timing information and the operating points; the first names level and tier.
func operatingPoints(r *bitReader, s *SequenceHeader) {
	decoderModel, delayBits := false, 0
	if r.Flag() { // timing_info_present_flag
		r.Skip(64)
		if r.Flag() { // equal_picture_interval
			r.uvlc()
		}
		if decoderModel = r.Flag(); decoderModel {
			delayBits = r.Int(5) + 1
			r.Skip(32 + 5 + 5)
		}
	}
	displayDelay := r.Flag()
	count := r.Int(5) + 1
	for i := range count {
		r.Skip(12) // operating_point_idc
		level, tier := r.Int(5), 0
		if level > 7 {
			tier = r.Int(1)
		}
		if i == 0 {
			s.Level, s.Tier = level, tier
		}
		if decoderModel && r.Flag() {
			r.Skip(2*delayBits + 1)
		}
		if displayDelay && r.Flag() {
			r.Skip(4)
		}
	}
}

// codingTools skips what lies between the picture size and the colour configuration.
func codingTools(r *bitReader, reduced bool) {
	if !reduced && r.Flag() { // frame_id_numbers_present_flag
		r.Skip(4 + 3)
	}
	r.Skip(3) // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
	if !reduced {
		r.Skip(4) // interintra, masked compound, warped motion, dual filter
		orderHint := r.Flag()
		if orderHint {
			r.Skip(2) // enable_jnt_comp, enable_ref_frame_mvs
		}
		screenContent := r.Flag() // seq_choose_screen_content_tools
		if !screenContent {
			screenContent = r.Flag() // seq_force_screen_content_tools
		}
		if screenContent && !r.Flag() { // seq_choose_integer_mv
			r.Skip(1)
		}
		if orderHint {
			r.Skip(3)
		}
	}
	r.Skip(3) // enable_superres, enable_cdef, enable_restoration
}

// colourConfig reads color_config (section 5.5.2).
func colourConfig(r *bitReader, s *SequenceHeader) {
	s.BitDepth = 8
	if r.Flag() {
		s.BitDepth = 10
		if s.Profile == 2 && r.Flag() {
			s.BitDepth = 12
		}
	}
	s.Monochrome = s.Profile != 1 && r.Flag()
	const open = media.ColourUnspecified
	primaries, transfer, matrix := open, open, open
	if r.Flag() { // color_description_present_flag
		primaries, transfer, matrix = r.Int(8), r.Int(8), r.Int(8)
	}
	s.SubsamplingX, s.SubsamplingY = 1, 1
	full := true
	switch {
	case s.Monochrome:
		full = r.Flag()
	case primaries == 1 && transfer == 13 && matrix == 0: // sRGB
		s.SubsamplingX, s.SubsamplingY = 0, 0
	default:
		full = r.Flag()
		subsampling(r, s)
	}
	s.Colour = media.ColourOf(primaries, transfer, matrix, full)
}

func subsampling(r *bitReader, s *SequenceHeader) {
	switch {
	case s.Profile == 0:
	case s.Profile == 1:
		s.SubsamplingX, s.SubsamplingY = 0, 0
	case s.BitDepth == 12:
		s.SubsamplingX, s.SubsamplingY = r.Int(1), 0
		if s.SubsamplingX == 1 {
			s.SubsamplingY = r.Int(1)
		}
	default:
		s.SubsamplingY = 0
	}
	if s.SubsamplingX == 1 && s.SubsamplingY == 1 {
		s.ChromaSamplePosition = r.Int(2)
	}
}
