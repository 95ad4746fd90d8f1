package h264

import (
	"fmt"

	"landline/media"
)

// Info is what a sequence parameter set says about a stream.
type Info struct {
	// Width and Height are in pixels, after cropping.
	Width, Height int
	// CodecString is the WebCodecs codec string: "avc1." and profile, constraints and level in hex.
	CodecString string
	// Colour is nil if the stream does not say.
	Colour *media.Colour
	// MayReorder is set unless the parameter set rules out that frames are shown in another order than
	// they are sent. It does so by stating max_num_reorder_frames as 0 or, where it does not state it
	// (section E.2.1), by the Baseline profile, an intra profile or pic_order_cnt_type 2. Whether such a
	// stream does reorder only the order of its times tells: see media.Format.Reorders.
	MayReorder bool
	// FrameRate is in frames per second; 0 if the stream does not say.
	FrameRate float64
}

// Profiles (annex A.2) that are told apart here.
const (
	profileBaseline = 66
	maxMacroblocks  = 1055 // of a side: sqrt(8 * 139264), level 6.2 (section A.3.1)
	maxFrameRate    = 1000
)

// sps holds the fields of seq_parameter_set_data (section 7.3.2.1.1) that anything here needs.
type sps struct {
	profile, constraints, level byte
	id                          uint32
	chromaFormat                uint32
	lumaDepth, chromaDepth      uint32
	separatePlanes              bool
	frameNumBits                int
	pocType                     uint32
	pocLsbBits                  int
	deltaPOCAlwaysZero          bool
	frameMBsOnly                bool
	width, height               int
	vui                         vui
}

// Describe reads a sequence parameter set: a NAL unit of type 7, header byte included, emulation
// prevention bytes in place.
func Describe(nal []byte) (Info, error) {
	s, err := parseSPS(nal)
	if err != nil {
		return Info{}, err
	}
	return Info{
		Width:       s.width,
		Height:      s.height,
		CodecString: fmt.Sprintf("avc1.%02x%02x%02x", s.profile, s.constraints, s.level),
		Colour:      s.vui.colour,
		MayReorder:  s.mayReorder(),
		FrameRate:   s.vui.frameRate,
	}, nil
}

func (s *sps) mayReorder() bool {
	const constraintSet3 = 0x10
	if s.vui.stated {
		return s.vui.maxReorder > 0
	}
	if s.profile == profileBaseline || s.pocType == 2 {
		return false
	}
	switch s.profile {
	case 44, 86, 100, 110, 122, 244:
		return s.constraints&constraintSet3 == 0
	}
	return true
}

func parseSPS(nal []byte) (*sps, error) {
	switch {
	case len(nal) < 4:
		return nil, fmt.Errorf("%w: h264 SPS of %d bytes", media.ErrTruncated, len(nal))
	case nalType(nal) != nalSPS:
		return nil, fmt.Errorf("%w: h264 NAL unit of type %d where an SPS (7) is wanted", media.ErrFormat, nalType(nal))
	case len(nal) > maxParameterSize:
		return nil, fmt.Errorf("%w: h264 SPS of %d bytes, at most %d are read", media.ErrTooLarge, len(nal), maxParameterSize)
	}
	b := newBitReader(nal, maxParameterSize)
	s := &sps{profile: byte(b.Bits(8)), constraints: byte(b.Bits(8)), level: byte(b.Bits(8)), id: b.ue()}
	if err := s.parseFormat(b); err != nil {
		return nil, err
	}
	if err := s.parseOrder(b); err != nil {
		return nil, err
	}
	if err := s.parseSize(b); err != nil {
		return nil, err
	}
	if b.Flag() {
		s.vui.parse(b)
	}
	if b.Short {
		return nil, fmt.Errorf("%w: h264 SPS of %d bytes ends before its last field", media.ErrTruncated, len(nal))
	}
	return s, nil
}

// parseFormat reads the chroma format, the bit depths and the scaling lists of the high profiles.
func (s *sps) parseFormat(b *bitReader) error {
	s.chromaFormat, s.lumaDepth, s.chromaDepth = 1, 8, 8
	switch s.profile {
	default:
		return s.checkFormat()
	case 44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244:
	}
	if s.chromaFormat = b.ue(); s.chromaFormat == 3 {
		s.separatePlanes = b.Flag()
	}
	s.lumaDepth, s.chromaDepth = b.ue()+8, b.ue()+8
	b.Bits(1) // qpprime_y_zero_transform_bypass_flag
	if err := s.checkFormat(); err != nil || !b.Flag() {
		return err
	}
	lists := 8
	if s.chromaFormat == 3 {
		lists = 12
	}
	for i := range lists {
		if !b.Flag() {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		skipScalingList(b, size)
	}
	return nil
}

func (s *sps) checkFormat() error {
	if s.id > 31 || s.chromaFormat > 3 || s.lumaDepth > 14 || s.chromaDepth > 14 {
		return fmt.Errorf("%w: h264 SPS %d with chroma format %d and %d and %d bits a sample",
			media.ErrFormat, s.id, s.chromaFormat, s.lumaDepth, s.chromaDepth)
	}
	return nil
}

// skipScalingList passes over one list (section 7.3.2.1.1.1).
func skipScalingList(b *bitReader, size int) {
	last, next := int64(8), int64(8)
	for range size {
		if next != 0 {
			next = (last + b.se()) & 0xff
		}
		if next != 0 {
			last = next
		}
	}
}

// parseOrder reads how frames are numbered and put in order.
func (s *sps) parseOrder(b *bitReader) error {
	const maxLog2, maxCycle = 12, 255
	frameNum := b.ue()
	s.pocType = b.ue()
	if frameNum > maxLog2 || s.pocType > 2 {
		return fmt.Errorf("%w: h264 SPS with log2_max_frame_num_minus4 %d, pic_order_cnt_type %d", media.ErrFormat, frameNum, s.pocType)
	}
	s.frameNumBits = int(frameNum) + 4
	switch s.pocType {
	case 0:
		lsb := b.ue()
		if lsb > maxLog2 {
			return fmt.Errorf("%w: h264 SPS with log2_max_pic_order_cnt_lsb_minus4 %d", media.ErrFormat, lsb)
		}
		s.pocLsbBits = int(lsb) + 4
	case 1:
		s.deltaPOCAlwaysZero = b.Flag()
		b.se() // offset_for_non_ref_pic
		b.se() // offset_for_top_to_bottom_field
		n := b.ue()
		if n > maxCycle {
			return fmt.Errorf("%w: h264 SPS with a picture order cycle of %d", media.ErrFormat, n)
		}
		for range n {
			b.se()
		}
	}
	b.ue()    // max_num_ref_frames
	b.Bits(1) // gaps_in_frame_num_value_allowed_flag
	return nil
}

// parseSize reads the picture's size and cropping (sections 7.4.2.1.1 and 6.2, table 6-1).
func (s *sps) parseSize(b *bitReader) error {
	width, height := b.ue(), b.ue()
	s.frameMBsOnly = b.Flag()
	if !s.frameMBsOnly {
		b.Bits(1) // mb_adaptive_frame_field_flag
	}
	b.Bits(1) // direct_8x8_inference_flag
	var left, right, top, bottom uint32
	if b.Flag() {
		left, right, top, bottom = b.ue(), b.ue(), b.ue(), b.ue()
	}
	if b.Short {
		return nil // said by the caller
	}
	if width >= maxMacroblocks || height >= maxMacroblocks {
		return fmt.Errorf("%w: h264 picture of %d x %d macroblocks, at most %d a side", media.ErrFormat, uint64(width)+1, uint64(height)+1, maxMacroblocks)
	}
	fields, unitX, unitY := int64(1), int64(1), int64(1)
	if !s.frameMBsOnly {
		fields, unitY = 2, 2
	}
	if !s.separatePlanes && (s.chromaFormat == 1 || s.chromaFormat == 2) {
		unitX = 2
	}
	if !s.separatePlanes && s.chromaFormat == 1 {
		unitY *= 2
	}
	w := (int64(width)+1)*16 - unitX*(int64(left)+int64(right))
	h := (int64(height)+1)*16*fields - unitY*(int64(top)+int64(bottom))
	if w <= 0 || h <= 0 {
		return fmt.Errorf("%w: h264 picture cropped to %d x %d", media.ErrFormat, w, h)
	}
	s.width, s.height = int(w), int(h)
	return nil
}
