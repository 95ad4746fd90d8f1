package ogg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"landline/media"
)

// The page header (RFC 3533 section 6); all numbers are little-endian.
//
//	 0  4  "OggS"
//	 4  1  version, 0
//	 5  1  flags
//	 6  8  granule position: for Opus, samples of 48 kHz up to the end of the last packet that ends here
//	14  4  serial number of the logical stream
//	18  4  page number
//	22  4  CRC of the page with this field zero
//	26  1  number of segments, then the size of each; a packet ends with a segment under 255
const (
	capture        = "OggS"
	pageHeaderSize = 27
	crcOffset      = 22
	maxSegments    = 255
	maxSegment     = 255
	maxPageSize    = pageHeaderSize + maxSegments + maxSegments*maxSegment

	flagContinued = 1
	flagFirst     = 2
	flagLast      = 4
)

// page is one that was read. Its slices are valid until the next one is.
type page struct {
	off    int64
	flags  byte
	serial uint32
	number uint32
	table  []byte
	body   []byte
}

// pages reads one page after the other.
type pages struct {
	r   io.Reader
	off int64
	buf [maxPageSize]byte
}

// next gives io.EOF where a page might begin, and ErrTruncated inside one.
func (s *pages) next() (page, error) {
	p := page{off: s.off}
	n, err := io.ReadFull(s.r, s.buf[:pageHeaderSize])
	if head := s.buf[:n]; n >= len(capture) && string(head[:len(capture)]) != capture {
		return p, fmt.Errorf("%w: no Ogg page at offset %d: %q instead of %q", media.ErrFormat, p.off, head[:len(capture)], capture)
	}
	if err != nil {
		return p, s.cut(err, n, p.off)
	}
	if version := s.buf[4]; version != 0 {
		return p, fmt.Errorf("%w: Ogg version %d at offset %d", media.ErrUnsupported, version, p.off+4)
	}
	end := pageHeaderSize + int(s.buf[pageHeaderSize-1])
	p.table = s.buf[pageHeaderSize:end]
	if n, err := io.ReadFull(s.r, p.table); err != nil {
		return p, s.cut(err, pageHeaderSize+n, p.off)
	}
	body := 0
	for _, size := range p.table {
		body += int(size)
	}
	p.body = s.buf[end : end+body]
	if n, err := io.ReadFull(s.r, p.body); err != nil {
		return p, s.cut(err, end+n, p.off)
	}
	s.off += int64(end + body)
	p.flags = s.buf[5]
	p.serial = binary.LittleEndian.Uint32(s.buf[14:])
	p.number = binary.LittleEndian.Uint32(s.buf[18:])
	want := binary.LittleEndian.Uint32(s.buf[crcOffset:])
	clear(s.buf[crcOffset : crcOffset+4])
	if got := crc(s.buf[:end+body]); got != want {
		return p, fmt.Errorf("%w: Ogg page at offset %d has CRC %08x, its header says %08x", media.ErrFormat, p.off, got, want)
	}
	return p, nil
}

// cut names the end of the input inside the page at off, of which n bytes are there.
func (s *pages) cut(err error, n int, off int64) error {
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: input ends %d bytes into the Ogg page at offset %d", media.ErrTruncated, n, off)
	}
	return err
}

// appendPage makes a page.
func appendPage(out []byte, flags byte, granule int64, serial, number uint32, table, body []byte) []byte {
	start := len(out)
	out = append(out, capture...)
	out = append(out, 0, flags)
	out = binary.LittleEndian.AppendUint64(out, uint64(granule))
	out = binary.LittleEndian.AppendUint32(out, serial)
	out = binary.LittleEndian.AppendUint32(out, number)
	out = append(out, 0, 0, 0, 0, byte(len(table)))
	out = append(append(out, table...), body...)
	binary.LittleEndian.PutUint32(out[start+crcOffset:], crc(out[start:]))
	return out
}

// crcTable is of the polynomial 0x04c11db7, most significant bit first.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		r := uint32(i) << 24
		for range 8 {
			if r&(1<<31) != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		t[i] = r
	}
	return t
}()

func crc(b []byte) (sum uint32) {
	for _, c := range b {
		sum = sum<<8 ^ crcTable[byte(sum>>24)^c]
	}
	return sum
}
