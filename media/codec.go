package media

// Codec names a codec the way the protocol does.
type Codec string

// Codecs that the relay carries untouched. What else a container may hold is given under the
// lower-case name ffmpeg uses for it ("aac", "vorbis", "flac", "mp3", "hevc", "mpeg4", ...), so
// that messages can name it.
const (
	Opus Codec = "opus"
	VP8  Codec = "vp8"
	VP9  Codec = "vp9"
	H264 Codec = "h264"
	AV1  Codec = "av1"
)

// Format describes one encoded stream: what a decoder must be told before its first frame.
type Format struct {
	Kind  Kind
	Codec Codec
	// CodecString is the WebCodecs codec string (https://www.w3.org/TR/webcodecs-codec-registry/):
	// "opus", "vp8", "vp09.00.10.08", "avc1.42e01f", "av01.0.04M.08".
	CodecString string
	// Config is the decoder configuration outside the frames: the OpusHead packet (RFC 7845 section
	// 5.1) for Opus. It is empty for VP8, VP9, H.264 (Annex B with inline parameter sets) and AV1
	// (sequence header inline in key frames).
	Config []byte
	// Width and Height are the picture's size in pixels; 0 if unknown.
	Width, Height int
	// SampleRate is in Hz. Channels counts them.
	SampleRate, Channels int
	// Colour is the colour space; nil if the container does not say.
	Colour *Colour
	// Reorders is set when frames are presented in another order than they are decoded (B-frames): the
	// relay does not carry such a stream. Of the codecs that are carried only H.264 can do so. Where its
	// SPS rules it out (h264.Info.MayReorder), it is never set. Else a container with timestamps goes by
	// those of the frames that it looks at when it is opened, and a file without any (.h264) is taken to
	// reorder. Many encoders allow reordering and never do it: a stream that may reorder and shows none
	// among those frames is carried, whatever comes later.
	Reorders bool
}

// Carried reports whether the relay carries the format untouched.
func (f Format) Carried() bool {
	switch f.Codec {
	case Opus:
		return f.Channels <= 2
	case VP8, VP9, H264, AV1:
		return !f.Reorders
	}
	return false
}
