package bench

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/rand/v2"
)

// opContinuation, opClose and so on are WebSocket opcodes (RFC 6455 section 5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
	finBit         = 0x80
	maskBit        = 0x80
)

// appendMasked appends a frame as clients send them: masked, with a key of its own.
func appendMasked(dst []byte, op byte, msg []byte) []byte {
	dst = append(dst, finBit|op)
	switch n := len(msg); {
	case n <= 125:
		dst = append(dst, maskBit|byte(n))
	case n <= 65535:
		dst = append(dst, maskBit|126, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, maskBit|127), uint64(n))
	}
	key := rand.Uint32()
	dst = binary.LittleEndian.AppendUint32(dst, key)
	at := len(dst)
	dst = append(dst, msg...)
	mask(dst[at:], key)
	return dst
}

func mask(b []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(key >> (8 * (i & 3)))
	}
}

// maxMessage is the most that is read of the relay in one message: a roster of thousands.
const maxMessage = 4 << 20

var errBadFrame = errors.New("the relay sends what is no WebSocket frame of a server")

// cutFrame takes the first frame off b. ok is false while it is not whole.
func cutFrame(b []byte) (head byte, payload, rest []byte, ok bool, err error) {
	if len(b) < 2 {
		return 0, nil, b, false, nil
	}
	n, at := uint64(b[1]), 2
	switch {
	case n&maskBit != 0 || b[0]&0x70 != 0:
		return 0, nil, b, false, errBadFrame
	case n == 126:
		if at = 4; len(b) < at {
			return 0, nil, b, false, nil
		}
		n = uint64(binary.BigEndian.Uint16(b[2:]))
	case n == 127:
		if at = 10; len(b) < at {
			return 0, nil, b, false, nil
		}
		n = binary.BigEndian.Uint64(b[2:])
	}
	if n > maxMessage {
		return 0, nil, b, false, errBadFrame
	}
	end := at + int(n)
	if len(b) < end {
		return 0, nil, b, false, nil
	}
	return b[0], b[at:end], b[end:], true, nil
}

// upgradeKey is the Sec-WebSocket-Key of every member: it guards against confused caches, of which there are none here.
const upgradeKey = "bGFuZGxpbmUtYmVuY2gtLQ=="

// acceptOf is the Sec-WebSocket-Accept that answers a key (RFC 6455 section 4.2.2).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
