package rtp

import (
	"fmt"

	"landline/media"
	"landline/media/av1"
	"landline/media/h264"
	"landline/media/vpx"
)

// Describe gives the format of a stream by one of its key frames, or any packet of Opus: an RTP session tells neither the
// picture's size nor a codec string. Its error says that the frame does not tell.
func Describe(c media.Codec, key []byte) (media.Format, error) {
	f := media.Format{Kind: media.Video, Codec: c, CodecString: string(c)}
	switch c {
	case media.Opus:
		return media.Format{Kind: media.Audio, Codec: c, CodecString: "opus", SampleRate: media.OpusRate, Channels: 2}, nil
	case media.VP8, media.VP9:
		parse := vpx.ParseVP8
		if c == media.VP9 {
			parse = vpx.ParseVP9
		}
		h, err := parse(key)
		f.CodecString, f.Width, f.Height, f.Colour = h.CodecString, h.Width, h.Height, h.Colour
		return f, err
	case media.H264:
		for nal := range h264.NALs(key) {
			if nal[0]&nalTypeMask == nalSPS {
				info, err := h264.Describe(nal)
				f.CodecString, f.Width, f.Height, f.Colour = info.CodecString, info.Width, info.Height, info.Colour
				return f, err
			}
		}
	case media.AV1:
		_, sequence, err := av1.TemporalUnit(key)
		if err == nil && sequence != nil {
			s, err := av1.ParseSequenceHeader(sequence)
			f.CodecString, f.Width, f.Height, f.Colour = s.CodecString(), s.Width, s.Height, s.Colour
			return f, err
		}
	}
	return f, fmt.Errorf("%w: a key frame of %s that does not say its format", media.ErrFormat, c)
}
