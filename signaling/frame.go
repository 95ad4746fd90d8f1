package signaling

import "encoding/binary"

// WebSocket opcodes with the FIN bit (RFC 6455 section 5.2).
const (
	OpText   = 0x81
	OpBinary = 0x82
	OpClose  = 0x88
	OpPing   = 0x89
	OpPong   = 0x8A
)

// Headroom is how many bytes a buffer needs in front of a message of up to 65,535 bytes for PutFrameHeader.
const Headroom = 4

// AppendFrameHeader puts the header of an unmasked frame with n bytes of payload behind dst.
func AppendFrameHeader(dst []byte, op byte, n int) []byte {
	switch {
	case n <= 125:
		return append(dst, op, byte(n))
	case n <= 65535:
		return append(dst, op, 126, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, op, 127), uint64(n))
}

// FrameInPlace writes the header of an unmasked binary frame right in front of the message buf[Headroom:],
// and returns header and message as one slice. The message has at most 65,535 bytes.
func FrameInPlace(buf []byte) []byte {
	n := len(buf) - Headroom
	if n <= 125 {
		buf[Headroom-2], buf[Headroom-1] = OpBinary, byte(n)
		return buf[Headroom-2:]
	}
	buf[0], buf[1], buf[2], buf[3] = OpBinary, 126, byte(n>>8), byte(n)
	return buf
}

// TextFrame is one unmasked text frame.
func TextFrame(text []byte) []byte {
	return append(AppendFrameHeader(make([]byte, 0, len(text)+10), OpText, len(text)), text...)
}
