package media

import "encoding/binary"

// ObjectHeaderSize is the size of what stands before an object chunk's payload, in bytes.
const ObjectHeaderSize = 16

// LeastObjectChunk is the least payload in bytes of a chunk that a sender cuts, but for an object's last: every chunk costs
// memory of its own where it waits.
const LeastObjectChunk = 512

// MaxObjectSize is how many bytes an object may have: 1 TiB.
const MaxObjectSize = 1 << 40

// ObjectChunk is a piece of an object on one stream (docs/protocol.md section 5.6).
//
//	0       1       2       4       8               16
//	+-------+-------+-------+-------+-------+-------+
//	| 0x15  | flags | turn  | stream| offset        | payload
//	+-------+-------+-------+-------+-------+-------+
//
// Flag 0x02 is set on the object's last chunk. Payload aliases the message it was parsed from.
type ObjectChunk struct {
	Last    bool
	Turn    uint16 // of the last accepted message: what comes under an older one is ignored
	Stream  uint32 // never 0
	Offset  uint64 // in bytes
	Payload []byte // 1 to MaxChunkPayload bytes
}

// Append puts the chunk's wire form, payload included, behind dst.
func (c *ObjectChunk) Append(dst []byte) []byte {
	flags := byte(0)
	if c.Last {
		flags = flagLast
	}
	dst = append(dst, KindObject, flags)
	dst = binary.BigEndian.AppendUint16(dst, c.Turn)
	dst = binary.BigEndian.AppendUint32(dst, c.Stream)
	dst = binary.BigEndian.AppendUint64(dst, c.Offset)
	return append(dst, c.Payload...)
}

// ParseObject reads a message of KindObject. Its errors are ErrWireShort, ErrWireEmpty, ErrWireAlias for stream 0, and
// ErrWireTooLarge.
func ParseObject(msg []byte) (ObjectChunk, error) {
	if len(msg) < ObjectHeaderSize {
		return ObjectChunk{}, ErrWireShort
	}
	c := ObjectChunk{Last: msg[1]&flagLast != 0, Turn: binary.BigEndian.Uint16(msg[2:]), Stream: binary.BigEndian.Uint32(msg[4:]),
		Offset: binary.BigEndian.Uint64(msg[8:]), Payload: msg[ObjectHeaderSize:]}
	switch n := uint64(len(c.Payload)); {
	case n == 0:
		return c, ErrWireEmpty
	case c.Stream == 0:
		return c, ErrWireAlias
	case n > MaxChunkPayload, c.Offset > MaxObjectSize-n:
		return c, ErrWireTooLarge
	}
	return c, nil
}
