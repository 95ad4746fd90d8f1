package media

import "errors"

// Kind says whether a track is heard or seen.
type Kind string

// The two kinds of track.
const (
	Audio Kind = "audio"
	Video Kind = "video"
)

// Frame is one access unit of video (one VP8 or VP9 frame or superframe, one H.264 access unit in
// Annex B form, one AV1 temporal unit in low-overhead form) or one audio packet.
type Frame struct {
	// Timestamp is the presentation time in µs. In a container it counts from the container's own
	// zero, on the wire it is a value of the member's clock.
	Timestamp int64
	// Duration is in µs; 0 means unknown.
	Duration int64
	// Key is set on every frame from which decoding can start: video key frames, all audio.
	Key bool
	// Data is the encoded payload. Its owner never changes it after handing it on.
	Data []byte
}

// MaxFrameSize is the most bytes one Frame may have on the wire, and in a file that is read.
const MaxFrameSize = 1 << 20

// Errors that every container reader uses, so that a caller can tell them apart with errors.Is.
// Readers wrap them with what was read and where.
var (
	// ErrFormat says that the bytes are not of the container's format, or break its rules.
	ErrFormat = errors.New("malformed container")
	// ErrTruncated says that the input ended inside an element; everything before it was returned.
	ErrTruncated = errors.New("truncated container")
	// ErrTooLarge says that an element is over a cap (MaxFrameSize for a frame).
	ErrTooLarge = errors.New("element over the size cap")
	// ErrUnsupported says that the container is sound but holds something that is not read here.
	ErrUnsupported = errors.New("unsupported content")
)

// Packet is a Frame together with the index of its track in Reader.Formats.
type Packet struct {
	Track int
	Frame
}

// Reader gives the packets of a container in file order.
type Reader interface {
	// Formats describes the tracks. It is complete when the Reader was made, and never changes.
	Formats() []Format
	// Next returns the next packet, or io.EOF after the last. An error that wraps ErrTruncated
	// comes after every whole packet was returned. After any error Next returns that error again.
	Next() (Packet, error)
}

// Writer saves packets into a container.
type Writer interface {
	// Write appends one frame to a track. Frames of one track come in decoding order.
	Write(p Packet) error
	// Close completes the container; it does not close the file below.
	Close() error
}
