package av1

// bitReader reads big-endian bit fields. Past the end it gives zeros and sets short.
type bitReader struct {
	b     []byte
	pos   int // in bits
	short bool
}

// bits reads n bits, at most 32.
func (r *bitReader) bits(n int) int {
	v := 0
	for range n {
		v <<= 1
		if r.pos>>3 >= len(r.b) {
			r.short = true
			continue
		}
		v |= int(r.b[r.pos>>3]>>(7-r.pos&7)) & 1
		r.pos++
	}
	return v
}

func (r *bitReader) flag() bool { return r.bits(1) == 1 }

func (r *bitReader) skip(n int) {
	r.pos += n
	if r.pos > 8*len(r.b) {
		r.short = true
	}
}

// uvlc skips a variable length code (section 4.10.3).
func (r *bitReader) uvlc() {
	zeros := 0
	for !r.short && zeros < 32 && !r.flag() {
		zeros++
	}
	if zeros < 32 {
		r.skip(zeros)
	}
}
