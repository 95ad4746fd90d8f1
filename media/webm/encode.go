package webm

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// appendID appends an element ID, which carries its own length marker.
func appendID(b []byte, id uint32) []byte {
	for shift := (bits.Len32(id) - 1) / 8 * 8; shift >= 0; shift -= 8 {
		b = append(b, byte(id>>shift))
	}
	return b
}

// appendHeader appends an ID and the size of the data that follows, in as few bytes as it takes.
func appendHeader(b []byte, id uint32, size int) []byte {
	b = appendID(b, id)
	n := 1
	for uint64(size) >= 1<<(7*n)-1 { // all ones means unknown
		n++
	}
	for i := n - 1; i >= 0; i-- {
		c := byte(uint64(size) >> (8 * i))
		if i == n-1 {
			c |= 0x80 >> (n - 1)
		}
		b = append(b, c)
	}
	return b
}

// appendSize8 appends a size in 8 bytes, as it takes the place of an unknown one.
func appendSize8(b []byte, size uint64) []byte {
	return binary.BigEndian.AppendUint64(b, 1<<56|size)
}

// appendUnknown appends the header of an element of unknown size, in 8 bytes so that it can be patched.
func appendUnknown(b []byte, id uint32) []byte {
	return appendSize8(appendID(b, id), 1<<56-1)
}

func appendBytes(b []byte, id uint32, data []byte) []byte {
	return append(appendHeader(b, id, len(data)), data...)
}

func appendString(b []byte, id uint32, s string) []byte { return appendBytes(b, id, []byte(s)) }

func appendUint(b []byte, id uint32, v uint64) []byte {
	n := max(1, (bits.Len64(v)+7)/8)
	b = appendHeader(b, id, n)
	for i := n - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// appendUint8 appends an unsigned integer in 8 bytes whatever its value.
func appendUint8(b []byte, id uint32, v uint64) []byte {
	return binary.BigEndian.AppendUint64(appendHeader(b, id, 8), v)
}

func appendFloat(b []byte, id uint32, v float64) []byte {
	return appendUint8(b, id, math.Float64bits(v))
}

// appendVoid appends a Void element of n bytes in all, 2 at least.
func appendVoid(b []byte, n int) []byte {
	b = appendVoidHeader(b, n)
	return append(b, make([]byte, n-voidHeader(n))...)
}

// appendVoidHeader appends the header alone of a Void element of n bytes in all. It takes voidHeader(n) bytes.
func appendVoidHeader(b []byte, n int) []byte {
	if voidHeader(n) == 2 {
		return appendHeader(b, idVoid, n-2)
	}
	return appendSize8(appendID(b, idVoid), uint64(n-9))
}

func voidHeader(n int) int {
	if n <= 128 {
		return 2
	}
	return 9
}
