package h264

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"landline/media"
)

// avcC is the AVCDecoderConfigurationRecord of ISO/IEC 14496-15 section 5.3.3.1:
//
//	0  1  configurationVersion, 1
//	1  3  profile, constraint flags and level, as in bytes 1 to 3 of the SPS
//	4  1  low 2 bits: bytes of a NAL unit's length, less one (0, 1 or 3)
//	5  1  low 5 bits: number of SPS; each is a 16-bit length and the NAL unit
//	.  1  number of PPS; each likewise
//	.  4  profiles 100, 110, 122, 144 only: chroma format, bit depths less 8, number of SPS extensions
const (
	avccVersion = 1
	avccHeader  = 6
)

// Converter turns the samples of one MP4 or Matroska track into frames.
type Converter struct {
	lengthSize int
	known      sets
}

// FromAVCC reads a track's avcC. Its parameter sets may be absent (an avc3 track has them inline).
func FromAVCC(config []byte) (*Converter, error) {
	if len(config) < avccHeader {
		return nil, fmt.Errorf("%w: avcC has %d bytes, its header alone needs %d", media.ErrTruncated, len(config), avccHeader)
	}
	if config[0] != avccVersion {
		return nil, fmt.Errorf("%w: avcC version %d at offset 0, want %d", media.ErrFormat, config[0], avccVersion)
	}
	config = bytes.Clone(config)
	c := &Converter{lengthSize: int(config[4]&3) + 1}
	if c.lengthSize == 3 {
		return nil, fmt.Errorf("%w: avcC at offset 4: NAL unit lengths of 3 bytes", media.ErrFormat)
	}
	var err error
	at := avccHeader
	if c.known.sps, at, err = avccSets(config, at, int(config[5]&0x1f), nalSPS); err != nil {
		return nil, err
	}
	if at == len(config) && len(c.known.sps) == 0 {
		return c, nil
	}
	if at == len(config) {
		return nil, fmt.Errorf("%w: avcC ends at offset %d, before its picture parameter sets", media.ErrTruncated, at)
	}
	c.known.pps, _, err = avccSets(config, at+1, int(config[at]), nalPPS)
	return c, err
}

// avccSets reads n length-prefixed NAL units of one type at offset at, and gives the offset after them.
func avccSets(config []byte, at, n, want int) ([][]byte, int, error) {
	var nals [][]byte
	for i := range n {
		if len(config)-at < 2 {
			return nil, 0, fmt.Errorf("%w: avcC ends at offset %d, before parameter set %d of %d", media.ErrTruncated, at, i+1, n)
		}
		size := int(binary.BigEndian.Uint16(config[at:]))
		at += 2
		switch {
		case size > len(config)-at:
			return nil, 0, fmt.Errorf("%w: avcC parameter set at offset %d claims %d bytes, %d are left", media.ErrTruncated, at, size, len(config)-at)
		case size > maxParameterSize:
			return nil, 0, fmt.Errorf("%w: avcC parameter set at offset %d has %d bytes, at most %d are read", media.ErrTooLarge, at, size, maxParameterSize)
		case size == 0 || nalType(config[at:]) != want:
			return nil, 0, fmt.Errorf("%w: avcC at offset %d: no NAL unit of type %d", media.ErrFormat, at, want)
		}
		nals = append(nals, config[at:at+size:at+size])
		at += size
	}
	return nals, at, nil
}

// SPS is the first sequence parameter set of the avcC; nil if it has none.
func (c *Converter) SPS() []byte {
	if len(c.known.sps) == 0 {
		return nil
	}
	return c.known.sps[0]
}

// AnnexB makes a frame of a sample. One that the container calls key, or that has an IDR picture, gets
// the avcC's parameter sets put before it when it does not carry its own.
func (c *Converter) AnnexB(sample []byte, key bool) ([]byte, error) {
	var nals [][]byte
	for at := 0; at < len(sample); {
		if len(sample)-at < c.lengthSize {
			return nil, fmt.Errorf("%w: h264 sample of %d bytes ends inside the NAL unit length at offset %d", media.ErrFormat, len(sample), at)
		}
		var size uint32
		for _, b := range sample[at : at+c.lengthSize] {
			size = size<<8 | uint32(b)
		}
		at += c.lengthSize
		if uint64(size) > uint64(len(sample)-at) {
			return nil, fmt.Errorf("%w: h264 NAL unit at offset %d claims %d bytes, the sample has %d left", media.ErrFormat, at, size, len(sample)-at)
		}
		if size > 0 {
			nals = append(nals, sample[at:at+int(size)])
			key = key || nalType(sample[at:]) == nalIDR
			at += int(size)
		}
	}
	return accessUnit(nals, key, c.known)
}

// ToAVCC makes a sample with 4-byte lengths of a frame. The parameter sets are left out of it and
// given beside it, for AVCC; they share memory with annexb.
func ToAVCC(annexb []byte) (sample []byte, sps, pps [][]byte, err error) {
	sample = make([]byte, 0, len(annexb)+startCodeLength)
	for nal := range NALs(annexb) {
		switch nalType(nal) {
		case nalSPS:
			sps = append(sps, nal)
		case nalPPS:
			pps = append(pps, nal)
		case nalAUD:
		default:
			sample = append(binary.BigEndian.AppendUint32(sample, uint32(len(nal))), nal...)
		}
	}
	if len(sample) == 0 {
		return nil, nil, nil, fmt.Errorf("%w: h264 frame of %d bytes without a start code and a slice behind it", media.ErrFormat, len(annexb))
	}
	return sample, sps, pps, nil
}

// AVCC makes the avcC of a track whose samples come from ToAVCC.
func AVCC(sps, pps [][]byte) ([]byte, error) {
	const maxSPS, maxPPS = 31, 255
	if len(sps) == 0 || len(sps) > maxSPS || len(pps) == 0 || len(pps) > maxPPS {
		return nil, fmt.Errorf("%w: avcC of %d SPS and %d PPS, want 1 to %d and 1 to %d", media.ErrFormat, len(sps), len(pps), maxSPS, maxPPS)
	}
	s, err := parseSPS(sps[0])
	if err != nil {
		return nil, err
	}
	out := []byte{avccVersion, s.profile, s.constraints, s.level, 0xfc | (startCodeLength - 1), 0xe0 | byte(len(sps))}
	if out, err = appendAVCCSets(out, sps); err != nil {
		return nil, err
	}
	if out, err = appendAVCCSets(append(out, byte(len(pps))), pps); err != nil {
		return nil, err
	}
	switch s.profile {
	case 100, 110, 122, 144:
		out = append(out, 0xfc|byte(s.chromaFormat), 0xf8|byte(s.lumaDepth-8), 0xf8|byte(s.chromaDepth-8), 0)
	}
	return out, nil
}

func appendAVCCSets(out []byte, nals [][]byte) ([]byte, error) {
	for _, nal := range nals {
		if len(nal) == 0 || len(nal) > maxParameterSize {
			return nil, fmt.Errorf("%w: h264 parameter set of %d bytes, want 1 to %d", media.ErrTooLarge, len(nal), maxParameterSize)
		}
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(nal))), nal...)
	}
	return out, nil
}
