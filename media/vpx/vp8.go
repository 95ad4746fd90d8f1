package vpx

import (
	"bytes"
	"fmt"

	"landline/media"
)

// ParseVP8 reads a frame tag and, of a key frame, the header behind it (RFC 6386 section 9.1). Its errors
// wrap media.ErrFormat.
func ParseVP8(frame []byte) (Header, error) {
	const tag, keyHeader = 3, 10
	h := Header{CodecString: "vp8"}
	if len(frame) < tag {
		return h, fmt.Errorf("%w: VP8 frame of %d bytes", media.ErrFormat, len(frame))
	}
	if frame[0]&1 != 0 {
		return h, nil
	}
	if len(frame) < keyHeader || !bytes.Equal(frame[3:6], []byte{0x9d, 0x01, 0x2a}) {
		return h, fmt.Errorf("%w: VP8 key frame of %d bytes without its start code", media.ErrFormat, len(frame))
	}
	h.Key = true
	h.Width, h.Height = int(frame[6])|int(frame[7]&0x3f)<<8, int(frame[8])|int(frame[9]&0x3f)<<8
	return h, nil
}
