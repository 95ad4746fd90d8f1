package av1

import "landline/media/internal/bitio"

type bitReader struct{ bitio.Reader }

// uvlc skips a variable length code (section 4.10.3).
func (r *bitReader) uvlc() {
	zeros := 0
	for !r.Short && zeros < 32 && !r.Flag() {
		zeros++
	}
	if zeros < 32 {
		r.Skip(zeros)
	}
}
