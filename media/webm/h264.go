package webm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"landline/media"
	"landline/media/h264"
)

// h264 takes the format from the avcC, or from the first key frame when the avcC has no parameter sets.
func (t *track) h264(e entry) error {
	if len(e.private) == 0 {
		return fmt.Errorf("%w: H.264 without a CodecPrivate", media.ErrUnsupported)
	}
	conv, err := h264.FromAVCC(e.private)
	if err != nil {
		return err
	}
	t.convert = conv.AnnexB
	if conv.SPS() != nil {
		t.settle, err = t.describeH264(conv.SPS())
		return err
	}
	t.format.CodecString = fmt.Sprintf("avc1.%02x%02x%02x", e.private[1], e.private[2], e.private[3])
	var watch func(media.Frame) bool
	described := false
	t.settle = func(f media.Frame) bool {
		if !described {
			_, sps, _, err := h264.ToAVCC(f.Data)
			if err != nil || len(sps) == 0 {
				return false
			}
			described = true
			watch, _ = t.describeH264(sps[0]) // the decoder will say what is wrong with it
		}
		return watch == nil || watch(f)
	}
	return nil
}

// reorderFrames is how many frames are watched for times that go backwards.
const reorderFrames = 32

// describeH264 takes the format from an SPS. Where that does not rule reordering out, watch tells by the
// times of the first frames; it returns true when it knows.
func (t *track) describeH264(sps []byte) (watch func(media.Frame) bool, err error) {
	info, err := h264.Describe(sps)
	if err != nil {
		return nil, err
	}
	t.format.CodecString = info.CodecString
	if t.format.Width == 0 || t.format.Height == 0 {
		t.format.Width, t.format.Height = info.Width, info.Height
	}
	if t.format.Colour == nil {
		t.format.Colour = info.Colour
	}
	if !info.MayReorder {
		return nil, nil
	}
	count, last := 0, int64(0)
	return func(f media.Frame) bool {
		t.format.Reorders = count > 0 && f.Timestamp < last
		count, last = count+1, f.Timestamp
		return t.format.Reorders || count == reorderFrames
	}, nil
}

// avcSample turns a frame in Annex B into a sample. The first frame with parameter sets gives the
// CodecPrivate; sets that differ from those stay inline, from the first difference on.
func (t *outTrack) avcSample(f media.Frame) ([]byte, error) {
	sample, sps, pps, err := h264.ToAVCC(f.Data)
	if err != nil {
		return nil, err
	}
	if t.private == nil {
		if len(sps) == 0 || len(pps) == 0 {
			return sample, nil
		}
		return sample, t.avcConfig(sps, pps)
	}
	sets := slices.Concat(sps, pps)
	for _, s := range sets {
		known := slices.ContainsFunc(t.sets, func(k []byte) bool { return bytes.Equal(s, k) })
		t.setsChanged = t.setsChanged || !known
	}
	if !t.setsChanged || len(sets) == 0 {
		return sample, nil
	}
	var inline []byte
	for _, s := range sets {
		inline = append(binary.BigEndian.AppendUint32(inline, uint32(len(s))), s...)
	}
	return append(inline, sample...), nil
}

func (t *outTrack) avcConfig(sps, pps [][]byte) error {
	info, err := h264.Describe(sps[0])
	if err != nil {
		return err
	}
	config, err := h264.AVCC(sps, pps)
	if err != nil {
		return err
	}
	t.private = config
	for _, s := range slices.Concat(sps, pps) {
		t.sets = append(t.sets, bytes.Clone(s))
	}
	t.size(info.Width, info.Height)
	return nil
}
