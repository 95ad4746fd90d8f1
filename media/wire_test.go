package media

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// vector is one entry of testdata/wire.json, which the TypeScript tests read as well.
type vector struct {
	Name    string
	Hex     string
	Error   string
	Video   bool
	Message struct {
		Kind                               string
		Key, Last, Config, Sync, Encrypted bool
		Temporal                           uint8
		Alias                              uint16
		Group                              uint32
		Frame                              uint16
		Offset                             uint64
		Timestamp, Length                  uint32
		Level                              uint8
		Voice, Begin                       bool
		Payload                            string
		Backlog, Frames                    uint16
		Bytes, Time                        uint64
		Reason                             byte
		Turn                               uint16
		Stream                             uint32
	}
}

func readVectors(t testing.TB) (valid, invalid []vector) {
	t.Helper()
	raw, err := os.ReadFile("../testdata/wire.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Valid, Invalid []vector }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Valid) < 10 || len(file.Invalid) < 10 {
		t.Fatalf("only %d valid and %d invalid vectors", len(file.Valid), len(file.Invalid))
	}
	return file.Valid, file.Invalid
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parse reads any binary message and returns it encoded again.
func parse(msg []byte, video bool) ([]byte, error) {
	kind, err := KindOf(msg)
	if err != nil {
		return nil, err
	}
	switch kind {
	case KindChunk:
		c, err := ParseChunk(msg)
		if err == nil && video {
			err = c.CheckLength()
		}
		return append(c.Append(nil), c.Payload...), err
	case KindObject:
		c, err := ParseObject(msg)
		return c.Append(nil), err
	case KindAck:
		a, err := ParseAck(msg)
		return a.Append(nil), err
	default:
		c, err := ParseControl(msg)
		return c.Append(nil), err
	}
}

func TestVectorsDecodeToWhatTheySay(t *testing.T) {
	valid, _ := readVectors(t)
	for _, v := range valid {
		t.Run(v.Name, func(t *testing.T) {
			msg, m := unhex(t, v.Hex), v.Message
			switch m.Kind {
			case "chunk":
				want := ChunkHeader{Key: m.Key, Last: m.Last, Config: m.Config, Sync: m.Sync, Encrypted: m.Encrypted,
					Temporal: m.Temporal, Alias: m.Alias, Group: m.Group, Frame: m.Frame, Offset: uint32(m.Offset), Timestamp: m.Timestamp}
				if m.Offset == 0 {
					want.SetLength(m.Length)
				}
				got, err := ParseChunk(msg)
				if err != nil || got.ChunkHeader != want || !bytes.Equal(got.Payload, unhex(t, m.Payload)) {
					t.Fatalf("got %+v, %v; want %+v", got.ChunkHeader, err, want)
				}
				if level, voice := got.Level(); m.Offset == 0 && (level != m.Level || voice != m.Voice) {
					t.Fatalf("level %d voice %v, want %d %v", level, voice, m.Level, m.Voice)
				}
			case "object":
				got, err := ParseObject(msg)
				if err != nil || got.Last != m.Last || got.Turn != m.Turn || got.Stream != m.Stream || got.Offset != m.Offset ||
					!bytes.Equal(got.Payload, unhex(t, m.Payload)) {
					t.Fatalf("got %+v, %v; want %+v", got, err, m)
				}
			case "ack":
				if got, err := ParseAck(msg); err != nil || got != (Ack{Backlog: m.Backlog, Bytes: m.Bytes, Time: m.Time}) {
					t.Fatalf("got %+v, %v", got, err)
				}
			default:
				checkControl(t, msg, v)
			}
		})
	}
}

func checkControl(t *testing.T, msg []byte, v vector) {
	t.Helper()
	m := v.Message
	want := Control{Alias: m.Alias, Group: m.Group, Code: m.Reason, Frame: m.Frame}
	switch m.Kind {
	case "abandon":
		want.Kind = KindAbandon
	case "catch-up":
		want.Kind, want.Frame = KindCatchUp, m.Frames
		if m.Begin {
			want.Code = 1
		}
	case "end":
		want.Kind, want.Frame = KindEnd, m.Frames
	default:
		t.Fatalf("unknown kind %q", m.Kind)
	}
	if got, err := ParseControl(msg); err != nil || got != want {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestVectorsEncodeToTheSameBytes(t *testing.T) {
	valid, _ := readVectors(t)
	for _, v := range valid {
		msg := unhex(t, v.Hex)
		out, err := parse(msg, false)
		if msg[0] == KindChunk {
			msg[1] &= 0x7f // the reserved flag is ignored, so it is not sent again
		}
		if err != nil || !bytes.Equal(out, msg) {
			t.Errorf("%s: encoded again to %x, %v", v.Name, out, err)
		}
	}
}

func TestInvalidVectorsAreRefusedByName(t *testing.T) {
	_, invalid := readVectors(t)
	for _, v := range invalid {
		if _, err := parse(unhex(t, v.Hex), v.Video); err != WireError(v.Error) {
			t.Errorf("%s: got %v, want %s", v.Name, err, v.Error)
		}
	}
}

func FuzzParse(f *testing.F) {
	valid, invalid := readVectors(f)
	for _, v := range append(valid, invalid...) {
		f.Add(unhex(f, v.Hex))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		out, err := parse(msg, false)
		if err != nil {
			return
		}
		again, err := parse(out, false)
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("%x encodes to %x, then to %x, %v", msg, out, again, err)
		}
	})
}

func BenchmarkParseChunk(b *testing.B) {
	h := ChunkHeader{Key: true, Last: true, Alias: 7, Group: 1}
	msg := append(h.Append(nil), make([]byte, 1200)...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseChunk(msg); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParseObject(f *testing.F) {
	valid, invalid := readVectors(f)
	for _, v := range append(valid, invalid...) {
		f.Add(unhex(f, v.Hex))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		c, err := ParseObject(msg)
		if err != nil {
			return
		}
		if n := len(c.Payload); n == 0 || n > MaxChunkPayload || c.Offset+uint64(n) > MaxObjectSize || c.Stream == 0 {
			t.Fatalf("%x was taken for %+v", msg, c)
		}
		if again, err := ParseObject(c.Append(nil)); err != nil || again.Offset != c.Offset || !bytes.Equal(again.Payload, c.Payload) {
			t.Fatalf("%+v reads as %+v, %v", c, again, err)
		}
	})
}

func TestParsingAllocatesNothing(t *testing.T) {
	h := ChunkHeader{Key: true, Last: true, Alias: 7, Group: 1}
	msg := append(h.Append(nil), make([]byte, 1200)...)
	if n := testing.AllocsPerRun(100, func() { _, _ = ParseChunk(msg) }); n != 0 {
		t.Fatalf("ParseChunk allocates %v times", n)
	}
}
