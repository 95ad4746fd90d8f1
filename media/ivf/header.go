package ivf

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"landline/media"
)

// The file header; all numbers are little-endian. Units of time are scale/rate seconds.
//
//	 0  4  "DKIF"
//	 4  2  version, 0
//	 6  2  length of this header, 32
//	 8  4  codec: "VP80", "VP90", "AV01"
//	12  2  width in pixels
//	14  2  height in pixels
//	16  4  rate
//	20  4  scale
//	24  4  libvpx: number of frames; ffmpeg: length in units of time. Not relied on by either.
//	28  4  unused
//
// Before each frame stands its size (4 bytes) and its time (8 bytes).
const (
	magic           = "DKIF"
	headerSize      = 32
	maxHeaderSize   = 1024
	lengthOffset    = 24
	frameHeaderSize = 12
)

var fourCC = map[media.Codec]string{media.VP8: "VP80", media.VP9: "VP90", media.AV1: "AV01"}

// unit is the unit of time.
type unit struct{ rate, scale uint32 }

// parseHeader reads the first headerSize bytes. extra is how much longer the file's header is.
func parseHeader(b []byte) (f media.Format, u unit, extra int, err error) {
	if string(b[:4]) != magic {
		return f, u, 0, fmt.Errorf("%w: not an IVF file: it begins with %q, not with %q", media.ErrFormat, b[:4], magic)
	}
	version, size := binary.LittleEndian.Uint16(b[4:]), int(binary.LittleEndian.Uint16(b[6:]))
	if version != 0 {
		return f, u, 0, fmt.Errorf("%w: IVF version %d at offset 4", media.ErrUnsupported, version)
	}
	if size < headerSize || size > maxHeaderSize {
		return f, u, 0, fmt.Errorf("%w: IVF header length %d at offset 6, want %d", media.ErrFormat, size, headerSize)
	}
	u = unit{rate: binary.LittleEndian.Uint32(b[16:]), scale: binary.LittleEndian.Uint32(b[20:])}
	if u.rate == 0 || u.scale == 0 {
		return f, u, 0, fmt.Errorf("%w: IVF time unit of %d/%d s at offset 16", media.ErrFormat, u.scale, u.rate)
	}
	f = media.Format{
		Kind: media.Video, Width: int(binary.LittleEndian.Uint16(b[12:])), Height: int(binary.LittleEndian.Uint16(b[14:])),
	}
	for codec, cc := range fourCC {
		if string(b[8:12]) == cc {
			f.Codec = codec
			return f, u, size - headerSize, nil
		}
	}
	return f, u, 0, fmt.Errorf("%w: IVF file with codec %q, want VP80, VP90 or AV01", media.ErrUnsupported, b[8:12])
}

// micros is a time in µs, rounded to the nearest; ok is false if it is past what a timestamp holds.
func (u unit) micros(t uint64) (us int64, ok bool) {
	const limit = 1 << 62
	high, low := bits.Mul64(t, 1_000_000)
	if high >= 1<<30 { // or the product with the scale would not fit into 128 bits
		return 0, false
	}
	h2, l2 := bits.Mul64(low, uint64(u.scale))
	h2 += high * uint64(u.scale)
	l2, carry := bits.Add64(l2, uint64(u.rate)/2, 0)
	h2 += carry
	if h2 >= uint64(u.rate) {
		return 0, false
	}
	q, _ := bits.Div64(h2, l2, uint64(u.rate))
	return int64(q), q < limit
}

// appendHeader makes the header of a file with times in µs.
func appendHeader(b []byte, f media.Format, width, height int) []byte {
	const rate, scale = 1_000_000, 1
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint16(b, headerSize)
	b = append(b, fourCC[f.Codec]...)
	b = binary.LittleEndian.AppendUint16(b, uint16(width))
	b = binary.LittleEndian.AppendUint16(b, uint16(height))
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, scale)
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0)
}
