package av1

import (
	"strings"
	"testing"
)

// sequenceOf makes a sequence header OBU of bits written out; what is no digit only groups them.
func sequenceOf(bits ...string) []byte {
	digits := strings.Map(func(r rune) rune {
		if r == '0' || r == '1' {
			return r
		}
		return -1
	}, strings.Join(bits, ""))
	payload := make([]byte, (len(digits)+7)/8)
	for i, d := range digits {
		payload[i/8] |= byte(d-'0') << (7 - i%8)
	}
	return append([]byte{0x0a, byte(len(payload))}, payload...)
}

func TestSequenceHeadersThatEncodersSeldomWrite(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("0", n) }
	const (
		size  = "0101 0100 111111 10111" // 64 x 24 in 6 and 5 bits
		tools = "0 000 0000 0 1 1 000"   // no frame ids, no order hint, tools chosen per frame
	)
	for _, c := range []struct {
		name string
		obu  []byte
		want SequenceHeader
	}{
		{"reduced still picture", sequenceOf("000 1 1 01001", size, "000 000", "0 0 0 0 00 0", "0"),
			SequenceHeader{Level: 9, BitDepth: 8, Width: 64, Height: 24, SubsamplingX: 1, SubsamplingY: 1}},
		{"timing, decoder model, display delay, two operating points",
			sequenceOf("000 0 0", "1", zeros(64), "1 00101", "1 00011", zeros(42), "1 00001",
				zeros(12), "01000 1", "1", zeros(9), "1 0000", zeros(12), "00001", "0 0",
				size, tools, "0 0 0 1 10 0", "0"),
			SequenceHeader{Level: 8, Tier: 1, BitDepth: 8, Width: 64, Height: 24, SubsamplingX: 1, SubsamplingY: 1, ChromaSamplePosition: 2}},
		{"sRGB, frame ids, order hint, forced tools",
			sequenceOf("001 0 0 0 0 00000", zeros(12), "00101", size,
				"1 0000000 000 0000 1 00 0 1 0 1 111 000", "1", "1", "00000001 00001101 00000000", "0", "0"),
			SequenceHeader{Profile: 1, Level: 5, BitDepth: 10, Width: 64, Height: 24}},
	} {
		got, err := ParseSequenceHeader(c.obu)
		got.Colour = nil
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, error %v; want %+v", c.name, got, err, c.want)
		}
		checkConfig(t, c.obu)
		for cut := 3; cut < len(c.obu)-1; cut++ {
			short := append([]byte{0x0a, byte(cut - 2)}, c.obu[2:cut]...)
			if s, err := ParseSequenceHeader(short); err == nil {
				t.Errorf("%s: %d of %d bytes give %+v", c.name, cut, len(c.obu), s)
			}
		}
	}
}
