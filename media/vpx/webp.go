package vpx

import (
	"encoding/binary"

	"landline/media"
)

// WebP makes a still picture of a VP8 key frame, without decoding it: a simple lossy file (RFC 9649 section 2.5). Its errors wrap
// media.ErrFormat.
func WebP(key []byte) ([]byte, error) {
	h, err := ParseVP8(key)
	if err != nil {
		return nil, err
	}
	if !h.Key || h.Width == 0 || h.Height == 0 || key[0]&0x10 == 0 {
		return nil, media.ErrFormat // RFC 6386 section 9.1: not a picture that is shown
	}
	size := len(key) + len(key)&1 // chunks are padded to even sizes
	file := make([]byte, 20, 20+size)
	copy(file, "RIFF")
	binary.LittleEndian.PutUint32(file[4:], uint32(12+size))
	copy(file[8:], "WEBPVP8 ")
	binary.LittleEndian.PutUint32(file[16:], uint32(len(key)))
	file = append(file, key...)
	return file[:20+size], nil
}
