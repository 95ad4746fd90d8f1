package bitio

// Reader reads Data, the most significant bit of each byte first. Reading past the end gives zeros and
// sets Short, so that a parser needs to look only once.
type Reader struct {
	Data  []byte
	Short bool
	at    int // in bits
}

// Bits reads n bits, at most 32.
func (r *Reader) Bits(n int) uint32 {
	var v uint32
	for range n {
		v <<= 1
		if r.at/8 >= len(r.Data) {
			r.Short = true
			continue
		}
		v |= uint32(r.Data[r.at/8]>>(7-r.at%8)) & 1
		r.at++
	}
	return v
}

// Int reads n bits, at most 31.
func (r *Reader) Int(n int) int { return int(r.Bits(n)) }

// Flag reads one bit.
func (r *Reader) Flag() bool { return r.Bits(1) == 1 }

// Skip passes over n bits.
func (r *Reader) Skip(n int) {
	r.at += n
	if r.at > 8*len(r.Data) {
		r.at, r.Short = 8*len(r.Data), true
	}
}
