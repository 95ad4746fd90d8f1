package bench

import (
	"bytes"
	"encoding/binary"
	"testing"

	"landline/signaling"
)

func TestMaskedFramesAreThoseOfTheRFC(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 125, 126, 6020, 65535, 65536} {
		msg := bytes.Repeat([]byte("landline"), n/8+1)[:n]
		frame := appendMasked(nil, opBinary, msg)
		at := 2
		if n > 65535 {
			at = 10
		} else if n > 125 {
			at = 4
		}
		if frame[0] != 0x82 || frame[1]&0x80 == 0 || len(frame) != at+4+n {
			t.Fatalf("%d bytes: %d bytes beginning % x", n, len(frame), frame[:min(len(frame), 14)])
		}
		key, payload := frame[at:at+4], bytes.Clone(frame[at+4:])
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		if !bytes.Equal(payload, msg) {
			t.Errorf("%d bytes: unmasked they are others", n)
		}
	}
}

func TestAFrameIsCutOffWhenItIsWhole(t *testing.T) {
	for _, n := range []int{0, 125, 126, 6020, 70000} {
		frame := append(signaling.AppendFrameHeader(nil, signaling.OpBinary, n), make([]byte, n)...)
		for _, cut := range []int{0, 1, len(frame) / 2, len(frame) - 1} {
			if _, _, rest, ok, err := cutFrame(frame[:cut]); cut < len(frame) && (ok || err != nil || len(rest) != cut) {
				t.Errorf("%d of %d bytes: %v, %v", cut, len(frame), ok, err)
			}
		}
		head, payload, rest, ok, err := cutFrame(append(bytes.Clone(frame), "next"...))
		if head != signaling.OpBinary || len(payload) != n || string(rest) != "next" || !ok || err != nil {
			t.Errorf("%d bytes: %x, %d, %q, %v, %v", n, head, len(payload), rest, ok, err)
		}
	}
	huge := binary.BigEndian.AppendUint64([]byte{0x82, 127}, 1<<40)
	for name, b := range map[string][]byte{"masked": {0x82, 0x81, 0}, "reserved bit": {0xC2, 1, 0}, "huge": huge} {
		if _, _, _, ok, err := cutFrame(b); ok || err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestTheUpgradesKeyAndItsAnswer(t *testing.T) {
	if got := acceptOf("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // the example of RFC 6455 section 1.3
		t.Errorf("%q", got)
	}
}

func FuzzCutFrame(f *testing.F) {
	f.Add([]byte{0x82, 3, 1, 2, 3, 0x81, 126, 0, 1, 9})
	f.Add(binary.BigEndian.AppendUint64([]byte{0x82, 127}, 1<<63))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := len(b)
		for {
			_, payload, rest, ok, err := cutFrame(b)
			if !ok || err != nil {
				return
			}
			if len(payload)+len(rest) >= len(b) || len(rest) >= before {
				t.Fatal("nothing was cut off")
			}
			b, before = rest, len(rest)
		}
	})
}
