package mp4

import (
	"encoding/binary"
	"fmt"

	"landline/media"
)

// A box (ISO/IEC 14496-12 section 4.2) is a 32-bit size, a type of four characters, a 64-bit size if
// the first is 1, and its payload. A size of 0 means up to the end of what the box is in.
const (
	boxHeader     = 8
	longBoxHeader = 16
	maxDepth      = 8 // of boxes in boxes that are read
)

// box is one that is in memory.
type box struct {
	kind string
	off  int64 // of its header in the file
	data []byte
	from int64 // offset of data in the file
}

// fail names a box in an error.
func (b box) fail(kind error, why string, args ...any) error {
	return fmt.Errorf("%w: MP4 box %q at offset %d: %s", kind, b.kind, b.off, fmt.Sprintf(why, args...))
}

// parseHeader reads a box header of b, which is at most longBoxHeader bytes of what is left. size is
// that of the whole box, and at least head.
func parseHeader(b []byte, left int64) (kind string, head int, size int64, ok bool) {
	if len(b) < boxHeader {
		return "", 0, 0, false
	}
	kind, head, size = string(b[4:boxHeader]), boxHeader, int64(binary.BigEndian.Uint32(b))
	switch size {
	case 0:
		size = left
	case 1:
		if len(b) < longBoxHeader {
			return kind, 0, 0, false
		}
		head, size = longBoxHeader, int64(binary.BigEndian.Uint64(b[boxHeader:]))
	}
	return kind, head, size, size >= int64(head)
}

// each gives the boxes inside b. Up to seven bytes after the last are passed over: QuickTime ends some
// lists with four zero bytes.
func (b box) each(f func(c box) error) error {
	for at := 0; len(b.data)-at >= boxHeader; {
		rest := b.data[at:]
		kind, head, size, ok := parseHeader(rest[:min(len(rest), longBoxHeader)], int64(len(rest)))
		if !ok || size > int64(len(rest)) {
			return b.fail(media.ErrFormat, "the box %q at offset %d inside it claims %d bytes, %d are left", kind, b.from+int64(at), size, len(rest))
		}
		c := box{kind: kind, off: b.from + int64(at), data: rest[head:size:size], from: b.from + int64(at+head)}
		if err := f(c); err != nil {
			return err
		}
		at += int(size)
	}
	return nil
}

// after is the part of b behind its first n bytes.
func (b box) after(n int) box {
	n = min(n, len(b.data))
	b.data, b.from = b.data[n:], b.from+int64(n)
	return b
}

// fields reads big-endian numbers. Past the end it gives zeros and sets short.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if n > len(f.b) {
		f.short, f.b = true, nil
		return make([]byte, 8)
	}
	v := f.b[:n]
	f.b = f.b[n:]
	return v
}

func (f *fields) skip(n int) {
	if n > len(f.b) {
		f.short, n = true, len(f.b)
	}
	f.b = f.b[n:]
}

func (f *fields) u8() byte    { return f.take(1)[0] }
func (f *fields) u16() uint16 { return binary.BigEndian.Uint16(f.take(2)) }
func (f *fields) u32() uint32 { return binary.BigEndian.Uint32(f.take(4)) }
func (f *fields) u64() uint64 { return binary.BigEndian.Uint64(f.take(8)) }

// long reads 64 bits in version 1 of a box and 32 in version 0.
func (f *fields) long(version byte) uint64 {
	if version == 1 {
		return f.u64()
	}
	return uint64(f.u32())
}

// full reads the version and the flags of a full box.
func (b box) full() (version byte, flags uint32, f *fields) {
	f = &fields{b: b.data}
	v := f.u32()
	return byte(v >> 24), v & 0xffffff, f
}

// entries reads a count and gives the bytes of that many entries of the given size.
func (b box) entries(f *fields, size int) ([]byte, error) {
	n := int64(f.u32())
	if f.short {
		return nil, b.fail(media.ErrTruncated, "%d bytes are too few", len(b.data))
	}
	if n*int64(size) > int64(len(f.b)) {
		return nil, b.fail(media.ErrFormat, "it claims %d entries of %d bytes, and has %d bytes", n, size, len(f.b))
	}
	return f.b[:n*int64(size)], nil
}
