package h264

// bitReader reads an RBSP (section 7.2) most significant bit first. Reading past its end gives zeros
// and sets short, so that a parser needs to look only once.
type bitReader struct {
	data  []byte
	at    int // in bits
	short bool
}

// newBitReader strips a NAL unit's header byte and its emulation prevention bytes (section 7.4.1.1);
// of what follows it takes at most limit bytes.
func newBitReader(nal []byte, limit int) *bitReader {
	b := &bitReader{data: make([]byte, 0, min(len(nal), limit))}
	zeros := 0
	for _, c := range nal[1:] {
		if len(b.data) == limit {
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
		b.data = append(b.data, c)
	}
	return b
}

// u reads n bits, at most 32.
func (b *bitReader) u(n int) uint32 {
	var v uint32
	for range n {
		v <<= 1
		if b.at/8 >= len(b.data) {
			b.short = true
			continue
		}
		v |= uint32(b.data[b.at/8]>>(7-b.at%8)) & 1
		b.at++
	}
	return v
}

func (b *bitReader) flag() bool { return b.u(1) == 1 }

// ue reads an unsigned Exp-Golomb number (section 9.1). Those longer than 32 bits are not legal
// anywhere, and count as the end of the data.
func (b *bitReader) ue() uint32 {
	zeros := 0
	for !b.flag() {
		zeros++
		if b.short || zeros > 31 {
			b.short = true
			return 0
		}
	}
	return 1<<zeros - 1 + b.u(zeros)
}

// se reads a signed Exp-Golomb number (section 9.1.1).
func (b *bitReader) se() int64 {
	v := int64(b.ue())
	if v%2 == 1 {
		return (v + 1) / 2
	}
	return -v / 2
}
