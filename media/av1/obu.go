package av1

import (
	"fmt"

	"landline/media"
)

// Type is an obu_type (section 6.2.2).
type Type byte

// The OBU types that a container has to tell apart.
const (
	SequenceHeaderOBU    Type = 1
	TemporalDelimiterOBU Type = 2
)

// OBU is one open bitstream unit of a temporal unit.
type OBU struct {
	Type Type
	// Raw is the whole unit as it stands in the input. Payload is its tail, without header and size field.
	Raw, Payload []byte
	// Sized says that the unit has a size field (obu_has_size_field); without one it reaches to the end of the input.
	Sized bool
}

const (
	forbiddenBit = 0x80
	extensionBit = 0x04
	sizeBit      = 0x02
)

// Next splits the first OBU off b, which must not be empty (section 5.3).
func Next(b []byte) (u OBU, rest []byte, err error) {
	if len(b) == 0 {
		return OBU{}, nil, fmt.Errorf("%w: AV1: no OBU in an empty input", media.ErrFormat)
	}
	if b[0]&forbiddenBit != 0 {
		return OBU{}, nil, fmt.Errorf("%w: AV1: forbidden bit set in OBU header 0x%02x", media.ErrFormat, b[0])
	}
	u = OBU{Type: Type(b[0] >> 3 & 15), Sized: b[0]&sizeBit != 0}
	head := 1
	if b[0]&extensionBit != 0 {
		head = 2
	}
	if len(b) < head {
		return OBU{}, nil, fmt.Errorf("%w: AV1: OBU ends inside its header", media.ErrFormat)
	}
	end := len(b)
	if u.Sized {
		size, n := leb128(b[head:])
		if n == 0 {
			return OBU{}, nil, fmt.Errorf("%w: AV1: bad OBU size field", media.ErrFormat)
		}
		head += n
		if size > uint64(len(b)-head) {
			return OBU{}, nil, fmt.Errorf("%w: AV1: OBU of type %d claims %d bytes, %d are left", media.ErrFormat, u.Type, size, len(b)-head)
		}
		end = head + int(size)
	}
	u.Raw, u.Payload = b[:end:end], b[head:end:end]
	return u, b[end:], nil
}

// leb128 reads an unsigned LEB128 of at most 8 bytes and 32 bits (section 4.10.5); n is 0 if it is malformed.
func leb128(b []byte) (v uint64, n int) {
	for i := 0; i < len(b) && i < 8; i++ {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			if v > 1<<32-1 {
				return 0, 0
			}
			return v, i + 1
		}
	}
	return 0, 0
}

func appendLEB128(b []byte, v int) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// appendSized appends the unit with a size field, adding one where it is missing.
func (u OBU) appendSized(b []byte) []byte {
	if u.Sized {
		return append(b, u.Raw...)
	}
	head := u.Raw[:len(u.Raw)-len(u.Payload)]
	b = append(b, head[0]|sizeBit)
	b = append(b, head[1:]...)
	b = appendLEB128(b, len(u.Payload))
	return append(b, u.Payload...)
}

// sized returns the unit with a size field, without a copy when it has one.
func (u OBU) sized() []byte {
	if u.Sized {
		return u.Raw
	}
	return u.appendSized(nil)
}

// TemporalUnit returns the temporal unit b in the form the relay carries: no temporal delimiters, each
// OBU with a size field. It returns b itself when it has that form already. sequence is its last sequence
// header OBU with size field; nil if there is none.
func TemporalUnit(b []byte) (unit, sequence []byte, err error) {
	same := true
	var few [8]OBU // saves the allocation in the common case
	units := few[:0]
	for rest := b; len(rest) > 0; {
		var u OBU
		if u, rest, err = Next(rest); err != nil {
			return nil, nil, err
		}
		if u.Type == TemporalDelimiterOBU {
			same = false
			continue
		}
		if u.Type == SequenceHeaderOBU {
			sequence = u.sized()
		}
		same = same && u.Sized
		units = append(units, u)
	}
	if same {
		return b, sequence, nil
	}
	unit = make([]byte, 0, len(b)+8)
	for _, u := range units {
		unit = u.appendSized(unit)
	}
	return unit, sequence, nil
}

// IsKey reports whether the first frame of a temporal unit is a key frame that is shown (section 5.9.2). Still pictures with a
// reduced header count as key frames only by chance: they are no video.
func IsKey(unit []byte) bool {
	const frameHeader, frame = 3, 6
	const showExisting, frameType, show = 0x80, 0x60, 0x10
	for len(unit) > 0 {
		u, rest, err := Next(unit)
		if err != nil {
			return false
		}
		if (u.Type == frameHeader || u.Type == frame) && len(u.Payload) > 0 {
			return u.Payload[0]&(showExisting|frameType|show) == show
		}
		unit = rest
	}
	return false
}
