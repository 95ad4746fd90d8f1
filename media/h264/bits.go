package h264

import "landline/media/internal/bitio"

// bitReader reads an RBSP (section 7.2).
type bitReader struct{ bitio.Reader }

// newBitReader strips a NAL unit's header byte and its emulation prevention bytes (section 7.4.1.1);
// of what follows it takes at most limit bytes.
func newBitReader(nal []byte, limit int) *bitReader {
	data := make([]byte, 0, min(len(nal), limit))
	zeros := 0
	for _, c := range nal[1:] {
		if len(data) == limit {
			break
		}
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		data = append(data, c)
	}
	return &bitReader{bitio.Reader{Data: data}}
}

// ue reads an unsigned Exp-Golomb number (section 9.1). Those longer than 32 bits are not legal
// anywhere, and count as the end of the data.
func (b *bitReader) ue() uint32 {
	zeros := 0
	for !b.Flag() {
		zeros++
		if b.Short || zeros > 31 {
			b.Short = true
			return 0
		}
	}
	return 1<<zeros - 1 + b.Bits(zeros)
}

// se reads a signed Exp-Golomb number (section 9.1.1).
func (b *bitReader) se() int64 {
	v := int64(b.ue())
	if v%2 == 1 {
		return (v + 1) / 2
	}
	return -v / 2
}
