package vpx

import "landline/media"

// Header is what a frame says of itself. All but Key and CodecString is of key frames only.
type Header struct {
	Key bool
	// Width and Height are in pixels.
	Width, Height int
	// CodecString is the WebCodecs codec string: "vp8" for any VP8 frame, "vp09.00.10.08" for a VP9 key
	// frame and empty for any other, which does not say it.
	CodecString string
	// Colour is nil if the frame does not say.
	Colour *media.Colour
}
