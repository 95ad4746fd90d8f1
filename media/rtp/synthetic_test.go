package rtp

import (
	"math/rand/v2"

	"landline/media"
)

var videoCodecs = []media.Codec{media.VP8, media.VP9, media.H264, media.AV1}

// fill gives n random bytes, none of which is 0: no start code comes about.
func fill(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(1 + r.IntN(255))
	}
	return b
}

// synthetic makes a frame whose head is sound, and the rest n random bytes.
func synthetic(r *rand.Rand, c media.Codec, key bool, n int) []byte {
	switch c {
	case media.VP8:
		head := []byte{0x11, 0, 0}
		if key {
			head = []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 98, 0, 66, 0}
		}
		return append(head, fill(r, n)...)
	case media.VP9:
		head := []byte{0x86, 0, 0}
		if key {
			head = []byte{0x82, 0x49, 0x83, 0x42, 0x20, 0, 0xf0, 0, 0xf0}
		}
		return append(head, fill(r, n)...)
	case media.H264:
		return h264Frame(r, key, n)
	case media.AV1:
		return av1Frame(r, key, n)
	}
	return fill(r, max(n, 1))
}

func h264Frame(r *rand.Rand, key bool, n int) (frame []byte) {
	nal := func(t byte, size int) { frame = append(append(append(frame, startCode...), 0x60|t), fill(r, size)...) }
	if key {
		nal(nalSPS, 20)
		nal(nalPPS, 4)
		nal(nalIDR, n+1)
		return frame
	}
	nal(1, n/2+1)
	nal(1, n/2+1)
	return frame
}

func av1Frame(r *rand.Rand, key bool, n int) (frame []byte) {
	obu := func(t byte, payload []byte) {
		frame = append(frame, t<<3|0x02)
		size := len(payload)
		for ; size >= 0x80; size >>= 7 {
			frame = append(frame, byte(size)|0x80)
		}
		frame = append(append(frame, byte(size)), payload...)
	}
	head := byte(0x30)
	if key {
		obu(1, fill(r, 11))
		head = 0x10
	}
	obu(6, append([]byte{head}, fill(r, n)...))
	return frame
}
