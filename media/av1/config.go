package av1

import (
	"fmt"

	"landline/media"
)

// configHeader is the length of an av1C before its configOBUs.
const configHeader = 4

// Config builds an AV1CodecConfigurationRecord (av1C: AV1-ISOBMFF section 2.3, the CodecPrivate of Matroska)
// around one sequence header OBU that has a size field.
func Config(sequence []byte) ([]byte, error) {
	s, err := ParseSequenceHeader(sequence)
	if err != nil {
		return nil, err
	}
	b := []byte{0x81, byte(s.Profile<<5 | s.Level), 0, 0}
	b[2] = byte(s.Tier<<7 | s.SubsamplingX<<3 | s.SubsamplingY<<2 | s.ChromaSamplePosition)
	if s.BitDepth > 8 {
		b[2] |= 0x40
	}
	if s.BitDepth == 12 {
		b[2] |= 0x20
	}
	if s.Monochrome {
		b[2] |= 0x10
	}
	return append(b, sequence...), nil
}

// FromConfig returns the sequence header OBU of an av1C, with size field; nil if the record holds none.
func FromConfig(config []byte) (sequence []byte, err error) {
	if len(config) < configHeader || config[0] != 0x81 {
		return nil, fmt.Errorf("%w: AV1: %d bytes that are no av1C of version 1", media.ErrFormat, len(config))
	}
	_, sequence, err = TemporalUnit(config[configHeader:])
	return sequence, err
}
