package webm

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"landline/media"
	"landline/media/av1"
	"landline/media/vpx"
)

// Codec IDs of what the relay carries.
const (
	codecVP8  = "V_VP8"
	codecVP9  = "V_VP9"
	codecAV1  = "V_AV1"
	codecH264 = "V_MPEG4/ISO/AVC"
	codecOpus = "A_OPUS"
)

// foreign gives the ffmpeg names of codec IDs that are read only to be named.
var foreign = map[string]media.Codec{
	"V_MPEGH/ISO/HEVC": "hevc", "V_MPEGI/ISO/VVC": "vvc", "V_THEORA": "theora", "V_MPEG1": "mpeg1video",
	"V_MPEG2": "mpeg2video", "V_MPEG4/ISO/SP": "mpeg4", "V_MPEG4/ISO/ASP": "mpeg4", "V_MPEG4/ISO/AP": "mpeg4",
	"V_MPEG4/MS/V3": "msmpeg4v3", "V_MJPEG": "mjpeg", "V_PRORES": "prores", "V_FFV1": "ffv1", "V_DIRAC": "dirac",
	"V_UNCOMPRESSED": "rawvideo", "V_SNOW": "snow", "A_AAC": "aac", "A_VORBIS": "vorbis", "A_FLAC": "flac",
	"A_MPEG/L1": "mp1", "A_MPEG/L2": "mp2", "A_MPEG/L3": "mp3", "A_AC3": "ac3", "A_EAC3": "eac3", "A_DTS": "dts",
	"A_TRUEHD": "truehd", "A_MLP": "mlp", "A_ALAC": "alac", "A_TTA1": "tta", "A_WAVPACK4": "wavpack",
	"A_PCM/INT/LIT": "pcm_s16le", "A_PCM/INT/BIG": "pcm_s16be", "A_PCM/FLOAT/IEEE": "pcm_f32le",
}

// codecOf names a codec ID. One that is not known keeps its own name in lower case.
func codecOf(id string) media.Codec {
	switch id {
	case codecVP8:
		return media.VP8
	case codecVP9:
		return media.VP9
	case codecAV1:
		return media.AV1
	case codecH264:
		return media.H264
	case codecOpus:
		return media.Opus
	}
	if c, ok := foreign[id]; ok {
		return c
	}
	for _, family := range []string{"A_AAC", "A_AC3", "A_DTS"} {
		if strings.HasPrefix(id, family+"/") {
			return foreign[family]
		}
	}
	return media.Codec(strings.ToLower(id))
}

// maxSide is the most pixels that a picture side may have.
const maxSide = 1 << 16

// newTrack makes a track of its entry, with all of its format that the head of the file gives away.
func newTrack(e entry) (*track, error) {
	t := &track{prefix: e.prefix, each: int64(min(e.defaultDuration, math.MaxInt64) / 1000)}
	t.format = media.Format{Kind: media.Video, Codec: codecOf(e.codec)}
	if e.kind == typeAudio {
		t.format.Kind = media.Audio
		return t, t.audio(e)
	}
	t.format.Width, t.format.Height = e.width-e.left-e.right, e.height-e.top-e.bottom
	t.format.Colour = e.colour
	if e.width > maxSide || e.height > maxSide || t.format.Width < 0 || t.format.Height < 0 {
		return nil, fmt.Errorf("%w: a picture of %d x %d pixels cropped by %d, %d, %d, %d", media.ErrFormat, e.width, e.height, e.left, e.right, e.top, e.bottom)
	}
	switch t.format.Codec {
	case media.VP8:
		t.format.CodecString = "vp8"
		t.settle = t.settleVP8
		if t.format.Width > 0 {
			t.settle = nil
		}
	case media.VP9:
		t.vp9(e)
	case media.AV1:
		return t, t.av1(e)
	case media.H264:
		return t, t.h264(e)
	}
	return t, nil
}

func (t *track) audio(e entry) error {
	if math.IsNaN(e.rate) || e.rate < 1 || e.rate > math.MaxInt32 || e.channels < 1 || e.channels > 255 {
		return fmt.Errorf("%w: %d channels at %g Hz", media.ErrFormat, e.channels, e.rate)
	}
	t.format.SampleRate, t.format.Channels = int(e.rate), e.channels
	if t.format.Codec != media.Opus {
		return nil
	}
	head, err := media.OpusHeadOf(e.private, e.channels)
	if err != nil {
		return err
	}
	t.format.CodecString, t.format.Config = "opus", head.Marshal()
	t.format.SampleRate, t.format.Channels = media.OpusRate, head.Channels
	return nil
}

// vp9 takes profile, level and depth from the CodecPrivate (VP9 codec mapping for WebM: ID, length and
// value of each feature), or leaves them to the first key frame.
func (t *track) vp9(e entry) {
	feature := map[byte]byte{}
	for p := e.private; len(p) >= 3 && p[1] == 1; p = p[3:] {
		feature[p[0]] = p[2]
	}
	const profile, level, depth = 1, 2, 3
	if feature[level] == 0 || feature[depth] == 0 {
		t.format.CodecString = vpx.VP9String(0, vpx.VP9Level(t.format.Width, t.format.Height), 8)
		t.settle = t.settleVP9
		return
	}
	t.format.CodecString = vpx.VP9String(int(feature[profile]), int(feature[level]), int(feature[depth]))
}

// av1 keeps the sequence header at hand for key frames that come without.
func (t *track) av1(e entry) error {
	var sequence []byte
	t.convert = func(data []byte, key bool) ([]byte, error) {
		unit, inline, err := av1.TemporalUnit(data)
		switch {
		case err != nil || !key && inline == nil:
			return unit, err
		case inline != nil:
			if !bytes.Equal(sequence, inline) {
				sequence = bytes.Clone(inline)
			}
			return unit, nil
		case sequence == nil:
			return nil, fmt.Errorf("%w: AV1 key frame without a sequence header", media.ErrFormat)
		}
		return bytes.Join([][]byte{sequence, unit}, nil), nil
	}
	describe := func() bool {
		s, err := av1.ParseSequenceHeader(sequence)
		if err != nil {
			return false
		}
		t.format.CodecString = s.CodecString()
		if t.format.Width == 0 || t.format.Height == 0 {
			t.format.Width, t.format.Height = s.Width, s.Height
		}
		if t.format.Colour == nil {
			t.format.Colour = s.Colour
		}
		return true
	}
	t.format.CodecString = "av01.0.08M.08"
	t.settle = func(media.Frame) bool { return sequence != nil && describe() }
	if len(e.private) == 0 {
		return nil
	}
	config, err := av1.FromConfig(bytes.Clone(e.private))
	if err != nil {
		return err
	}
	if sequence = config; sequence != nil && describe() {
		t.settle = nil
	}
	return nil
}

// readColour reads a Colour element. Its code points are those of ISO/IEC 23091-2.
func (e *entry) readColour(data []byte, at int64) error {
	const open, full = media.ColourUnspecified, 2
	primaries, transfer, matrix, fullRange := open, open, open, false
	err := children(data, "Colour", at, func(id uint32, data []byte, _ int64) error {
		switch id {
		case idPrimaries:
			primaries = intOf(data)
		case idTransfer:
			transfer = intOf(data)
		case idMatrix:
			matrix = intOf(data)
		case idRange:
			fullRange = intOf(data) == full
		}
		return nil
	})
	e.colour = media.ColourOf(primaries, transfer, matrix, fullRange)
	return err
}
