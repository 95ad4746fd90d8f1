package webm

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"landline/media"
)

// unknownSize is the size of an element whose end is not stated (RFC 8794 section 6.2).
const unknownSize = -1

// element is a header met in the input, with offsets in bytes from the start of the input.
type element struct {
	id   uint32
	size int64 // of the data, or unknownSize
	at   int64 // of the ID
	data int64 // of the data
}

// end is the offset after the element, or unknownSize.
func (e element) end() int64 {
	if e.size == unknownSize {
		return unknownSize
	}
	return e.data + e.size
}

// fail makes an error that says what was read, where, and why that is wrong.
func fail(kind error, what string, at int64, why string, args ...any) error {
	return fmt.Errorf("%w: %s at byte %d: %s", kind, what, at, fmt.Sprintf(why, args...))
}

// inside says in which element and where err, which has its kind already, was met.
func inside(err error, what string, at int64) error {
	return fmt.Errorf("%s at byte %d: %w", what, at, err)
}

// vint reads the value of a variable-size integer (RFC 8794 section 4) without its length marker. n is
// the length that its first byte states: over 8 is invalid, over len(b) incomplete, and v is 0 then.
func vint(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 1
	}
	n = bits.LeadingZeros8(b[0]) + 1
	if n > 8 || n > len(b) {
		return 0, n
	}
	for _, c := range b[:n] {
		v = v<<8 | uint64(c)
	}
	return v & ones(n), n
}

// ones is the largest value of a variable-size integer of n bytes; as a size it means unknown.
func ones(n int) uint64 { return 1<<(7*n) - 1 }

// header parses an element's ID and size from the start of b. n is their length; when it is over len(b)
// the header is incomplete, and n bytes tell more.
func header(b []byte) (id uint32, size int64, n int, err error) {
	_, idLen := vint(b)
	if idLen > 4 {
		return 0, 0, 0, fmt.Errorf("0x%02X does not start an element", b[0])
	}
	if idLen >= len(b) {
		return 0, 0, idLen + 1, nil
	}
	for _, c := range b[:idLen] {
		id = id<<8 | uint32(c)
	}
	v, sizeLen := vint(b[idLen:])
	switch {
	case sizeLen > 8:
		return 0, 0, 0, fmt.Errorf("%s has no valid size", name(id))
	case idLen+sizeLen <= len(b) && v == ones(sizeLen):
		return id, unknownSize, idLen + sizeLen, nil
	}
	return id, int64(v), idLen + sizeLen, nil
}

// children calls f for each child of a master element whose data is b, found at the offset at.
func children(b []byte, parent string, at int64, f func(id uint32, data []byte, at int64) error) error {
	for len(b) > 0 {
		id, size, n, err := header(b)
		if err != nil {
			return fail(media.ErrFormat, parent, at, "%v", err)
		}
		if n > len(b) || size == unknownSize || size > int64(len(b)-n) {
			return fail(media.ErrFormat, parent, at, "%s reaches past the end of its parent", name(id))
		}
		if err := f(id, b[n:n+int(size)], at+int64(n)); err != nil {
			return err
		}
		b, at = b[n+int(size):], at+int64(n)+size
	}
	return nil
}

// uintOf reads an unsigned integer element; an empty one is 0 (RFC 8794 section 7.2). Only the low 8
// bytes count of one that is too long.
func uintOf(data []byte) (v uint64) {
	for _, c := range data {
		v = v<<8 | uint64(c)
	}
	return v
}

// intOf is uintOf with values that no sound file has brought down to the largest int32.
func intOf(data []byte) int { return int(min(uintOf(data), math.MaxInt32)) }

func floatOf(data []byte) float64 {
	switch len(data) {
	case 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(data)))
	case 8:
		return math.Float64frombits(binary.BigEndian.Uint64(data))
	}
	return 0
}

// stringOf reads a string element: printable ASCII only, at most 64 bytes, for it ends up in messages.
func stringOf(data []byte) string {
	s := make([]byte, 0, 64)
	for _, c := range data {
		if c == 0 || len(s) == cap(s) {
			break
		}
		if c < ' ' || c > '~' {
			c = '?'
		}
		s = append(s, c)
	}
	return string(s)
}
