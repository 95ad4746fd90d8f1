package media

import (
	"encoding/binary"
	"fmt"
)

// OpusRate is the rate in Hz at which Opus counts samples, whatever it was made from.
const OpusRate = 48000

// OpusHead is the identification header of Ogg Opus (RFC 7845 section 5.1): Format.Config of Opus.
//
//	 0  8  "OpusHead"
//	 8  1  version, 1; the high 4 bits tell incompatible ones
//	 9  1  channels
//	10  2  pre-skip in samples of 48 kHz (all numbers little-endian)
//	12  4  input rate in Hz, for information
//	16  2  output gain in 1/256 dB, signed
//	18  1  channel mapping family; 0 is mono or stereo and ends here
//	19  1  streams
//	20  1  coupled streams
//	21  .  one byte per channel
type OpusHead struct {
	Channels  int
	PreSkip   int
	InputRate int
	Gain      int16
	Family    byte
	// Streams, Coupled and Mapping are of families other than 0.
	Streams, Coupled int
	Mapping          []byte
}

const (
	opusMagic     = "OpusHead"
	opusHeadSize  = 19
	opusTableSize = 2
)

// ParseOpusHead reads an OpusHead packet.
func ParseOpusHead(b []byte) (OpusHead, error) {
	if len(b) < opusHeadSize {
		return OpusHead{}, fmt.Errorf("%w: OpusHead of %d bytes, want at least %d", ErrTruncated, len(b), opusHeadSize)
	}
	if string(b[:len(opusMagic)]) != opusMagic {
		return OpusHead{}, fmt.Errorf("%w: %q where OpusHead is wanted", ErrFormat, b[:len(opusMagic)])
	}
	if b[8]>>4 != 0 {
		return OpusHead{}, fmt.Errorf("%w: OpusHead version %d", ErrUnsupported, b[8])
	}
	h := OpusHead{
		Channels:  int(b[9]),
		PreSkip:   int(binary.LittleEndian.Uint16(b[10:])),
		InputRate: int(binary.LittleEndian.Uint32(b[12:])),
		Gain:      int16(binary.LittleEndian.Uint16(b[16:])),
		Family:    b[18],
	}
	if h.Channels == 0 || h.Family == 0 && h.Channels > 2 {
		return OpusHead{}, fmt.Errorf("%w: OpusHead with %d channels in mapping family %d", ErrFormat, h.Channels, h.Family)
	}
	if h.Family == 0 {
		return h, nil
	}
	table := b[opusHeadSize:]
	if len(table) < opusTableSize+h.Channels {
		return OpusHead{}, fmt.Errorf("%w: OpusHead ends inside its mapping of %d channels", ErrTruncated, h.Channels)
	}
	h.Streams, h.Coupled = int(table[0]), int(table[1])
	if h.Streams == 0 || h.Coupled > h.Streams || h.Streams+h.Coupled > 255 {
		return OpusHead{}, fmt.Errorf("%w: OpusHead with %d streams, %d of them coupled", ErrFormat, h.Streams, h.Coupled)
	}
	h.Mapping = append([]byte(nil), table[opusTableSize:opusTableSize+h.Channels]...)
	return h, nil
}

// OpusHeadOf reads a Format.Config or, where it is empty, makes up the head of a mono or stereo stream from
// libopus, with its pre-skip.
func OpusHeadOf(config []byte, channels int) (OpusHead, error) {
	const libopusPreSkip = 312
	if len(config) > 0 {
		return ParseOpusHead(config)
	}
	return OpusHead{Channels: min(max(channels, 1), 2), PreSkip: libopusPreSkip, InputRate: OpusRate}, nil
}

// Marshal makes the packet.
func (h OpusHead) Marshal() []byte {
	b := append([]byte(opusMagic), 1, byte(h.Channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.PreSkip))
	b = binary.LittleEndian.AppendUint32(b, uint32(h.InputRate))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.Gain))
	b = append(b, h.Family)
	if h.Family == 0 {
		return b
	}
	return append(append(b, byte(h.Streams), byte(h.Coupled)), h.Mapping...)
}

// OpusDuration is the playing time of an Opus packet in µs, 2,500 to 120,000 (RFC 6716 section 3).
func OpusDuration(packet []byte) (int64, error) {
	const longest = 120_000
	if len(packet) == 0 {
		return 0, fmt.Errorf("%w: empty Opus packet", ErrFormat)
	}
	frames := int64(1)
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0, fmt.Errorf("%w: Opus packet of one byte has no frame count", ErrFormat)
		}
		frames = int64(packet[1] & 0x3f)
	}
	total := frames * opusFrame(packet[0]>>3)
	if total == 0 || total > longest {
		return 0, fmt.Errorf("%w: Opus packet of %d frames, %d µs, want up to %d µs", ErrFormat, frames, total, longest)
	}
	return total, nil
}

// opusFrame is the length of one frame in µs by the 5 bits of its configuration (RFC 6716 table 2).
func opusFrame(config byte) int64 {
	switch {
	case config < 12: // SILK
		return [...]int64{10_000, 20_000, 40_000, 60_000}[config&3]
	case config < 16: // hybrid
		return [...]int64{10_000, 20_000}[config&1]
	default: // CELT
		return [...]int64{2_500, 5_000, 10_000, 20_000}[config&3]
	}
}
