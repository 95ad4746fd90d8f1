package media

import (
	"encoding/binary"
	"math"
	"time"
)

// The binary messages of docs/protocol.md section 5. All integers are big-endian. Byte 0 is
// WireVersion<<4 | kind.
const (
	WireVersion = 1

	KindChunk   = 0x10 // 16 or 20 bytes of header, then 1 to MaxChunkPayload bytes
	KindAck     = 0x11 // AckSize bytes
	KindAbandon = 0x12 // ControlSize bytes
	KindCatchUp = 0x13 // ControlSize bytes
	KindEnd     = 0x14 // ControlSize bytes
	KindObject  = 0x15 // ObjectHeaderSize bytes of header, then 1 to MaxChunkPayload bytes
)

// Sizes in bytes.
const (
	HeaderSize      = 16 // of a chunk
	FirstHeaderSize = 20 // of a frame's first chunk, whose offset is 0
	AckSize         = 20
	ControlSize     = 12 // Abandon, catch-up marker, End
	MaxChunkPayload = 16 << 10
	MaxMessageSize  = FirstHeaderSize + MaxChunkPayload
	OffsetUnit      = 16 // of a chunk's offset; all payloads but the last are multiples of it
)

// Flags of a chunk, byte 1.
const (
	flagKey       = 0x01
	flagLast      = 0x02
	flagConfig    = 0x04
	flagSync      = 0x08
	flagEncrypted = 0x10
	temporalShift = 5
	temporalMask  = 0x03
)

// WireError is the name of a rule of docs/protocol.md section 5 that a binary message breaks.
type WireError string

func (e WireError) Error() string { return "bad binary message: " + string(e) }

// The rules a binary message can break.
const (
	ErrWireShort    WireError = "short"     // ends inside its header
	ErrWireEmpty    WireError = "empty"     // a chunk without payload
	ErrWireVersion  WireError = "version"   // another major version
	ErrWireKind     WireError = "kind"      // a kind unknown to this version: to be ignored
	ErrWireAlias    WireError = "alias"     // alias 0, stream 0
	ErrWireAlign    WireError = "align"     // not the last chunk, yet not a multiple of OffsetUnit
	ErrWireTooLarge WireError = "too-large" // over MaxChunkPayload or MaxFrameSize
	ErrWireKey      WireError = "key"       // key flag on a frame that is not the first of its group
	ErrWireSize     WireError = "size"      // a fixed-size message of another size
	ErrWireSmall    WireError = "small"     // an object chunk under LeastObjectChunk that is not the last
)

// ChunkHeader is what stands before a chunk's payload.
//
//	0       1       2       4       8       10      12      16          20
//	+-------+-------+-------+-------+-------+-------+-------+ - - - - - +
//	| 0x10  | flags | alias | group | frame | offset|  time | Info      |
//	+-------+-------+-------+-------+-------+-------+-------+ - - - - - +
//
// Info is there when the offset is 0.
type ChunkHeader struct {
	Key, Last, Config, Sync, Encrypted bool
	Temporal                           uint8 // 0-3
	Alias                              uint16
	Group                              uint32
	Frame                              uint16
	Offset                             uint32 // in bytes, a multiple of OffsetUnit; 0 = first chunk
	Timestamp                          uint32 // low 32 bits of the member's clock in µs
	Info                               [4]byte
}

// Chunk is a parsed chunk. Payload aliases the message it was parsed from.
type Chunk struct {
	ChunkHeader
	Payload []byte
}

// Length is the frame's length in bytes that a video frame's first chunk tells; 0 = unknown.
func (h *ChunkHeader) Length() uint32 { return binary.BigEndian.Uint32(h.Info[:]) }

// SetLength stores a video frame's length in a first chunk.
func (h *ChunkHeader) SetLength(n uint32) { binary.BigEndian.PutUint32(h.Info[:], n) }

// Level is the audio level of an audio packet in -dBov (0 loudest, 127 silence or unknown), and
// whether it is voice (RFC 6464 section 3).
func (h *ChunkHeader) Level() (level uint8, voice bool) { return h.Info[0] & 0x7f, h.Info[0]&0x80 != 0 }

// SetLevel stores an audio packet's level.
func (h *ChunkHeader) SetLevel(level uint8, voice bool) {
	h.Info = [4]byte{level & 0x7f}
	if voice {
		h.Info[0] |= 0x80
	}
}

// Size is the header's size on the wire in bytes.
func (h *ChunkHeader) Size() int {
	if h.Offset == 0 {
		return FirstHeaderSize
	}
	return HeaderSize
}

// Append puts the header's wire form behind dst.
func (h *ChunkHeader) Append(dst []byte) []byte {
	flags := byte(h.Temporal&temporalMask) << temporalShift
	for _, f := range [...]struct {
		set bool
		bit byte
	}{{h.Key, flagKey}, {h.Last, flagLast}, {h.Config, flagConfig}, {h.Sync, flagSync}, {h.Encrypted, flagEncrypted}} {
		if f.set {
			flags |= f.bit
		}
	}
	dst = append(dst, KindChunk, flags)
	dst = binary.BigEndian.AppendUint16(dst, h.Alias)
	dst = binary.BigEndian.AppendUint32(dst, h.Group)
	dst = binary.BigEndian.AppendUint16(dst, h.Frame)
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Offset/OffsetUnit))
	dst = binary.BigEndian.AppendUint32(dst, h.Timestamp)
	if h.Offset == 0 {
		dst = append(dst, h.Info[:]...)
	}
	return dst
}

// KindOf returns a binary message's kind. Its errors are ErrWireShort, ErrWireVersion, ErrWireKind.
func KindOf(msg []byte) (byte, error) {
	if len(msg) == 0 {
		return 0, ErrWireShort
	}
	if msg[0]>>4 != WireVersion {
		return 0, ErrWireVersion
	}
	if msg[0] > KindObject {
		return 0, ErrWireKind
	}
	return msg[0], nil
}

// ParseChunk reads a message of KindChunk and checks every rule that concerns one chunk alone.
func ParseChunk(msg []byte) (Chunk, error) {
	var c Chunk
	if len(msg) < HeaderSize {
		return c, ErrWireShort
	}
	flags := msg[1]
	c.Key, c.Last = flags&flagKey != 0, flags&flagLast != 0
	c.Config, c.Sync = flags&flagConfig != 0, flags&flagSync != 0
	c.Encrypted = flags&flagEncrypted != 0
	c.Temporal = flags >> temporalShift & temporalMask
	c.Alias = binary.BigEndian.Uint16(msg[2:])
	c.Group = binary.BigEndian.Uint32(msg[4:])
	c.Frame = binary.BigEndian.Uint16(msg[8:])
	c.Offset = uint32(binary.BigEndian.Uint16(msg[10:])) * OffsetUnit
	c.Timestamp = binary.BigEndian.Uint32(msg[12:])
	if c.Offset == 0 {
		if len(msg) < FirstHeaderSize {
			return c, ErrWireShort
		}
		copy(c.Info[:], msg[HeaderSize:])
	}
	c.Payload = msg[c.Size():]
	return c, c.check()
}

// check applies the rules that a well-sized chunk can still break. Info is not looked at as a length,
// since only the track's kind tells whether it is one: see CheckLength.
func (c *Chunk) check() error {
	n := len(c.Payload)
	switch {
	case n == 0:
		return ErrWireEmpty
	case c.Alias == 0:
		return ErrWireAlias
	case n > MaxChunkPayload || int(c.Offset)+n > MaxFrameSize:
		return ErrWireTooLarge
	case !c.Last && n%OffsetUnit != 0:
		return ErrWireAlign
	case c.Key && c.Frame != 0:
		return ErrWireKey
	}
	return nil
}

// CheckLength refuses a video frame that announces more than MaxFrameSize bytes.
func (h *ChunkHeader) CheckLength() error {
	if h.Offset == 0 && h.Length() > MaxFrameSize {
		return ErrWireTooLarge
	}
	return nil
}

// Ack is a receiver's report (docs/protocol.md sections 5.2 and 8).
type Ack struct {
	Backlog uint16 // decode backlog in ms
	Bytes   uint64 // payload bytes of all messages received on this connection
	Time    uint64 // the receiver's monotonic clock in µs at the last of these bytes
}

// Came is Time as a duration since the clock's start. A clock that no machine has is cut off at 292,000 years.
func (a Ack) Came() time.Duration {
	return time.Duration(min(a.Time, math.MaxInt64/1000)) * time.Microsecond
}

// Append puts the ack's wire form behind dst.
func (a Ack) Append(dst []byte) []byte {
	dst = append(dst, KindAck, 0)
	dst = binary.BigEndian.AppendUint16(dst, a.Backlog)
	dst = binary.BigEndian.AppendUint64(dst, a.Bytes)
	return binary.BigEndian.AppendUint64(dst, a.Time)
}

// ParseAck reads a message of KindAck.
func ParseAck(msg []byte) (Ack, error) {
	if len(msg) != AckSize {
		return Ack{}, ErrWireSize
	}
	return Ack{
		Backlog: binary.BigEndian.Uint16(msg[2:]),
		Bytes:   binary.BigEndian.Uint64(msg[4:]),
		Time:    binary.BigEndian.Uint64(msg[12:]),
	}, nil
}

// Control is an Abandon, a catch-up marker or an End: they have one layout
// (docs/protocol.md sections 5.3 to 5.5).
type Control struct {
	Kind  byte   // KindAbandon, KindCatchUp or KindEnd
	Code  byte   // Abandon: DropReason. Catch-up: 1 begin, 0 end. End: EndReason
	Alias uint16 // never 0
	Group uint32
	Frame uint16 // Abandon: first frame that is not coming. Catch-up, End: number of frames
}

// Append puts the control's wire form behind dst.
func (c Control) Append(dst []byte) []byte {
	dst = append(dst, c.Kind, c.Code)
	dst = binary.BigEndian.AppendUint16(dst, c.Alias)
	dst = binary.BigEndian.AppendUint32(dst, c.Group)
	dst = binary.BigEndian.AppendUint16(dst, c.Frame)
	return append(dst, 0, 0)
}

// ParseControl reads a message of KindAbandon, KindCatchUp or KindEnd.
func ParseControl(msg []byte) (Control, error) {
	if len(msg) != ControlSize {
		return Control{}, ErrWireSize
	}
	c := Control{Kind: msg[0], Code: msg[1], Alias: binary.BigEndian.Uint16(msg[2:]),
		Group: binary.BigEndian.Uint32(msg[4:]), Frame: binary.BigEndian.Uint16(msg[8:])}
	if c.Alias == 0 {
		return c, ErrWireAlias
	}
	return c, nil
}

// DropReason says why frames did not reach a receiver (docs/protocol.md section 7).
type DropReason byte

// The reasons, with their numbers on the wire.
const (
	DropAge       DropReason = 1  // waited longer than its budget
	DropBytes     DropReason = 2  // the queue was full
	DropGate      DropReason = 3  // depends on a frame that was dropped before
	DropPublisher DropReason = 4  // the publisher dropped it
	DropLost      DropReason = 5  // the publisher's connection broke in the middle
	DropCatchUp   DropReason = 6  // a catch-up burst was not through in time
	DropPaused    DropReason = 7  // the subscription was paused or taken back
	DropQuiet     DropReason = 8  // not all audio fitted, and others were louder
	DropLayer     DropReason = 9  // another layer of the track comes instead
	DropTemporal  DropReason = 10 // an upper temporal layer, left out for a slow link
	DropReasons              = 11 // how many numbers there are, 0 included
)

var dropNames = [DropReasons]string{"", "age", "bytes", "gate", "publisher", "lost", "catch-up", "paused", "quiet", "layer", "temporal"}

func (r DropReason) String() string {
	if r < DropReasons {
		return dropNames[r]
	}
	return ""
}

// EndReason says why a track is over.
type EndReason byte

// The reasons, with their numbers on the wire.
const (
	EndFinished    EndReason = 0
	EndUnpublished EndReason = 1
	EndLeft        EndReason = 2
)
