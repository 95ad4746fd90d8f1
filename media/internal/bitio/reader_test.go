package bitio

import "testing"

func TestReader(t *testing.T) {
	r := &Reader{Data: []byte{0b1010_0101, 0xff, 0x80, 0x01, 0xc0}}
	if a, b, c := r.Bits(3), r.Flag(), r.Int(4); a != 0b101 || b || c != 0b0101 {
		t.Errorf("%b %v %b", a, b, c)
	}
	r.Skip(4)
	if v := r.Bits(28); v != 0xf8001c0 || r.Short {
		t.Errorf("%x, short %v", v, r.Short)
	}
	if v := r.Bits(1); v != 0 || !r.Short {
		t.Errorf("past the end: %d, short %v", v, r.Short)
	}
}

func TestReaderEndsInsideAField(t *testing.T) {
	r := &Reader{Data: []byte{0xff}}
	if v := r.Bits(12); v != 0xff0 || !r.Short {
		t.Errorf("%x, short %v", v, r.Short)
	}
	r = &Reader{Data: []byte{0xff}}
	if r.Skip(8); r.Short {
		t.Error("skipping to the end is no step too far")
	}
	if r.Skip(1); !r.Short || r.Flag() {
		t.Error("skipping over the end is not noticed")
	}
}
