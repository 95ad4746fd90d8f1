package mp4

import (
	"bytes"
	"fmt"

	"landline/media"
	"landline/media/av1"
	"landline/media/h264"
	"landline/media/vpx"
)

// setUps complete the format of a track by the box that its sample entry must have.
var setUps = map[string]struct {
	box string
	do  func(t *track, b box) error
}{
	"avc1": {"avcC", setUpH264},
	"avc3": {"avcC", setUpH264},
	"vp08": {"vpcC", setUpVP8},
	"vp09": {"vpcC", setUpVP9},
	"av01": {"av1C", setUpAV1},
	"Opus": {"dOps", setUpOpus},
}

// setUpH264 takes for a key frame what has an IDR picture.
func setUpH264(t *track, b box) error {
	conv, err := h264.FromAVCC(b.data)
	if err != nil {
		return err
	}
	t.convert = func(data []byte, key bool) ([]byte, bool, error) {
		frame, err := conv.AnnexB(data, key)
		return frame, err == nil && h264.IsKey(frame), err
	}
	if len(conv.SPS()) == 0 { // an avc3 track has it inline
		t.format.CodecString = fmt.Sprintf("avc1.%02x%02x%02x", b.data[1], b.data[2], b.data[3])
		return nil
	}
	info, err := h264.Describe(conv.SPS())
	if err != nil {
		return err
	}
	t.format.CodecString = info.CodecString
	t.format.Width, t.format.Height = info.Width, info.Height
	t.inOrder = !info.MayReorder
	if t.format.Colour == nil {
		t.format.Colour = info.Colour
	}
	return nil
}

func setUpVP8(t *track, _ box) error {
	t.format.CodecString = "vp8"
	return nil
}

// setUpVP9 reads a vpcC (VP codec ISO media file format binding).
func setUpVP9(t *track, b box) error {
	_, _, f := b.full()
	profile, level, v := f.u8(), f.u8(), f.u8()
	primaries, transfer, matrix := f.u8(), f.u8(), f.u8()
	if f.short {
		return fmt.Errorf("%w: %d bytes are too few", media.ErrTruncated, len(b.data))
	}
	t.format.CodecString = vpx.VP9String(int(profile), int(level), int(v>>4))
	if t.format.Colour == nil {
		t.format.Colour = media.ColourOf(int(primaries), int(transfer), int(matrix), v&1 == 1)
	}
	return nil
}

// setUpAV1 keeps the sequence header at hand for key frames that come without.
func setUpAV1(t *track, b box) error {
	sequence, err := av1.FromConfig(bytes.Clone(b.data))
	if err != nil {
		return err
	}
	t.convert = func(data []byte, key bool) ([]byte, bool, error) {
		unit, inline, err := av1.TemporalUnit(data)
		if err != nil {
			return nil, false, err
		}
		if key && inline == nil {
			unit = bytes.Join([][]byte{sequence, unit}, nil)
		}
		return unit, key && (inline != nil || sequence != nil), nil
	}
	if sequence == nil {
		f := &fields{b: b.data}
		f.skip(1)
		v, w := f.u8(), f.u8()
		depth := 8 + 2*int(w>>6&1) + 2*int(w>>5&1)
		t.format.CodecString = fmt.Sprintf("av01.%d.%02d%c.%02d", v>>5, v&0x1f, "MH"[w>>7], depth)
		return nil
	}
	s, err := av1.ParseSequenceHeader(sequence)
	if err != nil {
		return err
	}
	t.format.CodecString = s.CodecString()
	if t.format.Colour == nil {
		t.format.Colour = s.Colour
	}
	return nil
}

// setUpOpus makes an OpusHead of a dOps, which has its fields in the same order but big-endian
// (Encapsulation of Opus in ISO Base Media File Format, section 4.3.2).
func setUpOpus(t *track, b box) error {
	f := &fields{b: b.data}
	if version := f.u8(); version != 0 {
		return fmt.Errorf("%w: dOps version %d", media.ErrUnsupported, version)
	}
	h := media.OpusHead{
		Channels: int(f.u8()), PreSkip: int(f.u16()), InputRate: int(f.u32()), Gain: int16(f.u16()), Family: f.u8(),
	}
	if h.Family != 0 {
		h.Streams, h.Coupled, h.Mapping = int(f.u8()), int(f.u8()), f.b
	}
	if f.short {
		return fmt.Errorf("%w: %d bytes are too few", media.ErrTruncated, len(b.data))
	}
	head, err := media.ParseOpusHead(h.Marshal())
	if err != nil {
		return err
	}
	t.format.CodecString, t.format.Config = "opus", head.Marshal()
	t.format.SampleRate, t.format.Channels = media.OpusRate, head.Channels
	return nil
}

// parseColour reads a colr box; those with an ICC profile say nothing here.
func parseColour(b box) *media.Colour {
	f := &fields{b: b.data}
	kind := string(f.take(4)[:4])
	primaries, transfer, matrix := f.u16(), f.u16(), f.u16()
	if f.short || kind != "nclx" && kind != "nclc" {
		return nil
	}
	full := kind == "nclx" && f.u8()&0x80 != 0
	return media.ColourOf(int(primaries), int(transfer), int(matrix), full)
}

// objectType reads objectTypeIndication of an esds (ISO/IEC 14496-1 section 7.2.6.5); 0 if there is
// none.
func objectType(b box) byte {
	const esDescriptor, decoderConfig = 3, 4
	const dependsOn, hasURL, hasOCR = 0x80, 0x40, 0x20
	_, _, f := b.full()
	if descriptor(f) != esDescriptor {
		return 0
	}
	f.skip(2)
	flags := f.u8()
	if flags&dependsOn != 0 {
		f.skip(2)
	}
	if flags&hasURL != 0 {
		f.skip(int(f.u8()))
	}
	if flags&hasOCR != 0 {
		f.skip(2)
	}
	if descriptor(f) != decoderConfig || f.short {
		return 0
	}
	return f.u8()
}

// descriptor reads the tag of a descriptor and passes over its size, which has up to 4 bytes.
func descriptor(f *fields) byte {
	tag := f.u8()
	for range 4 {
		if f.u8()&0x80 == 0 {
			break
		}
	}
	return tag
}
