package mp4

import (
	"encoding/binary"
	"fmt"

	"landline/media"
)

// maxSamples bounds the samples of a track, and those of a fragment.
const maxSamples = 10_000_000

// sample is where one is, and when. Times are in ticks of the track.
type sample struct {
	number   int // from 1
	off      int64
	size     uint32
	dts, cts int64
	duration uint32
	key      bool
}

// table is the sample table of a progressive track (ISO/IEC 14496-12 section 8.5 to 8.7): the raw
// entries of its boxes, and how far they were read.
type table struct {
	stts, ctts, stsc []byte // pairs, pairs and triples of 32-bit numbers
	sizes            []byte // of sizeBits each; nil if all samples are of the same size
	sizeBits         int
	size             uint32
	count            int
	chunks           []byte // offsets of chunkWidth bytes
	chunkWidth       int
	sync             []byte // numbers of the key samples
	allSync          bool

	read           int // samples
	dts            int64
	sttsLeft       uint32
	delta          uint32
	cttsLeft       uint32
	shift          int32
	chunk          int // from 1
	chunkLeft      uint32
	perChunk, desc uint32
	off            int64
}

// put takes one box of an stbl.
func (s *table) put(b box) (err error) {
	_, _, f := b.full()
	switch b.kind {
	case "stts":
		s.stts, err = b.entries(f, 8)
	case "ctts":
		s.ctts, err = b.entries(f, 8)
	case "stsc":
		s.stsc, err = b.entries(f, 12)
	case "stco":
		s.chunkWidth = 4
		s.chunks, err = b.entries(f, 4)
	case "co64":
		s.chunkWidth = 8
		s.chunks, err = b.entries(f, 8)
	case "stss":
		s.allSync = false
		s.sync, err = b.entries(f, 4)
	case "stsz", "stz2":
		err = s.putSizes(b, f)
	}
	return err
}

func (s *table) putSizes(b box, f *fields) error {
	s.sizes = nil
	if s.size = f.u32(); b.kind == "stz2" {
		s.sizeBits, s.size = int(s.size&0xff), 0
	} else {
		s.sizeBits = 32
	}
	count := f.u32()
	switch {
	case f.short:
		return b.fail(media.ErrTruncated, "%d bytes are too few", len(b.data))
	case count > maxSamples:
		return b.fail(media.ErrTooLarge, "%d samples, at most %d are read", count, maxSamples)
	case s.sizeBits != 4 && s.sizeBits != 8 && s.sizeBits != 16 && s.sizeBits != 32:
		return b.fail(media.ErrFormat, "sizes of %d bits", s.sizeBits)
	}
	s.count = int(count)
	if s.size != 0 {
		return nil
	}
	need := (s.count*s.sizeBits + 7) / 8
	if need > len(f.b) {
		return b.fail(media.ErrFormat, "it claims %d sizes of %d bits, and has %d bytes", s.count, s.sizeBits, len(f.b))
	}
	s.sizes = f.b[:need]
	return nil
}

// next gives the next sample; ok is false after the last.
func (s *table) next() (v sample, ok bool, err error) {
	if s.read == s.count {
		return v, false, nil
	}
	for s.chunkLeft == 0 {
		if err := s.nextChunk(); err != nil {
			return v, false, err
		}
	}
	s.chunkLeft--
	s.step()
	v = sample{number: s.read + 1, off: s.off, size: s.sampleSize(), dts: s.dts, cts: s.dts + int64(s.shift), duration: s.delta}
	for len(s.sync) > 0 && binary.BigEndian.Uint32(s.sync) < uint32(v.number) {
		s.sync = s.sync[4:]
	}
	v.key = s.allSync || len(s.sync) > 0 && binary.BigEndian.Uint32(s.sync) == uint32(v.number)
	s.read++
	s.off += int64(v.size)
	s.dts += int64(s.delta)
	return v, true, nil
}

// step finds the time entries of the next sample. Where a table is too short its last entry goes on.
func (s *table) step() {
	for s.sttsLeft == 0 && len(s.stts) > 0 {
		s.sttsLeft, s.delta = binary.BigEndian.Uint32(s.stts), binary.BigEndian.Uint32(s.stts[4:])
		s.stts = s.stts[8:]
	}
	for s.cttsLeft == 0 && len(s.ctts) > 0 {
		// Version 0 says that the offset has no sign, and files have negative ones nonetheless.
		s.cttsLeft, s.shift = binary.BigEndian.Uint32(s.ctts), int32(binary.BigEndian.Uint32(s.ctts[4:]))
		s.ctts = s.ctts[8:]
	}
	s.sttsLeft, s.cttsLeft = max(s.sttsLeft, 1)-1, max(s.cttsLeft, 1)-1
}

func (s *table) nextChunk() error {
	if len(s.chunks) == 0 {
		return fmt.Errorf("%w: MP4 sample %d of %d is in none of the %d chunks", media.ErrFormat, s.read+1, s.count, s.chunk)
	}
	if s.chunkWidth == 8 {
		s.off = int64(binary.BigEndian.Uint64(s.chunks))
	} else {
		s.off = int64(binary.BigEndian.Uint32(s.chunks))
	}
	s.chunks = s.chunks[s.chunkWidth:]
	s.chunk++
	for len(s.stsc) > 0 && binary.BigEndian.Uint32(s.stsc) <= uint32(s.chunk) {
		s.perChunk, s.desc = binary.BigEndian.Uint32(s.stsc[4:]), binary.BigEndian.Uint32(s.stsc[8:])
		s.stsc = s.stsc[12:]
	}
	s.chunkLeft = s.perChunk
	if s.desc > 1 {
		return fmt.Errorf("%w: MP4 chunk %d has sample description %d, only the first is read", media.ErrUnsupported, s.chunk, s.desc)
	}
	return nil
}

func (s *table) sampleSize() uint32 {
	if s.sizes == nil {
		return s.size
	}
	switch i := s.read; s.sizeBits {
	case 4:
		return uint32(s.sizes[i/2]>>(4*(1-i%2))) & 0xf
	case 8:
		return uint32(s.sizes[i])
	case 16:
		return uint32(binary.BigEndian.Uint16(s.sizes[2*i:]))
	default:
		return binary.BigEndian.Uint32(s.sizes[4*i:])
	}
}
