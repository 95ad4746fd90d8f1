package media

import (
	"bytes"
	"testing"
)

// chunksOf splits a frame and parses the pieces.
func chunksOf(t testing.TB, h ChunkHeader, data []byte, size int) (out []Chunk) {
	t.Helper()
	Split(h, data, size, 4, func(buf []byte) {
		c, err := ParseChunk(buf[4:])
		if err != nil {
			t.Fatalf("own chunk refused: %v", err)
		}
		out = append(out, c)
	})
	return out
}

func pattern(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + seed)
	}
	return b
}

func TestFramesOfAllSizesComeBackWhole(t *testing.T) {
	var a Assembler
	group := uint32(0)
	for _, n := range []int{1, 15, 16, 17, 1199, 1200, 1201, 16384, 16385, 100_000, MaxFrameSize} {
		for _, size := range []int{1, 1200, 1216, 4096, MaxChunkPayload, 1 << 30} {
			if n == MaxFrameSize && size < 4096 {
				continue
			}
			group++
			h := ChunkHeader{Key: true, Alias: 3, Group: group, Timestamp: 9}
			h.SetLength(uint32(n))
			var got []byte
			for _, c := range chunksOf(t, h, pattern(n, size), size) {
				if gh, data, ok := a.Push(&c); ok {
					got = data
					if gh.Length() != uint32(n) || gh.Group != group {
						t.Fatalf("header %+v", gh)
					}
				}
			}
			if !bytes.Equal(got, pattern(n, size)) {
				t.Fatalf("frame of %d bytes in chunks of %d differs", n, size)
			}
		}
	}
	if a.Gaps != 0 || a.Abandoned != 0 || a.Skipped != 0 {
		t.Fatalf("counters moved: %+v", a)
	}
}

func TestAbandonedGroupGivesNothingUntilTheNext(t *testing.T) {
	var a Assembler
	push := func(group uint32, frame uint16, cut bool) (got bool) {
		h := ChunkHeader{Key: frame == 0, Alias: 1, Group: group, Frame: frame}
		chunks := chunksOf(t, h, pattern(64, 0), 32)
		if cut {
			chunks = chunks[:1]
		}
		for _, c := range chunks {
			_, _, ok := a.Push(&c)
			got = got || ok
		}
		return got
	}
	if !push(4, 0, false) || !push(4, 1, false) || push(4, 2, true) {
		t.Fatal("whole frames come, half ones do not")
	}
	a.Abandon(Control{Kind: KindAbandon, Alias: 1, Group: 4, Frame: 2})
	if push(4, 3, false) {
		t.Fatal("a frame of an abandoned group came through")
	}
	if !push(7, 0, false) {
		t.Fatal("the next group did not come")
	}
	if a.Abandoned != 1 || a.Gaps != 0 || a.Skipped != 2 {
		t.Fatalf("abandoned %d, gaps %d, skipped %d", a.Abandoned, a.Gaps, a.Skipped)
	}
}

func TestHoleWithoutAbandonIsAGap(t *testing.T) {
	for name, bad := range map[string]ChunkHeader{
		"later piece of no frame":   {Alias: 1, Group: 1, Frame: 1, Offset: 32, Last: true},
		"group begins in the midst": {Alias: 1, Group: 2, Frame: 1, Last: true},
	} {
		var a Assembler
		first := Chunk{ChunkHeader{Key: true, Last: true, Alias: 1, Group: 1}, []byte{1}}
		a.Push(&first)
		c := Chunk{bad, []byte{2}}
		if _, _, ok := a.Push(&c); ok || a.Gaps != 1 {
			t.Errorf("%s: frame %v, gaps %d", name, ok, a.Gaps)
		}
	}
}

func TestFramesThatNothingDependsOnMayBeLeftOut(t *testing.T) {
	var a Assembler
	for _, frame := range []uint16{0, 2, 3, 7} {
		c := Chunk{ChunkHeader{Key: frame == 0, Last: true, Alias: 1, Group: 1, Frame: frame}, []byte{byte(frame)}}
		if h, _, ok := a.Push(&c); !ok || h.Frame != frame {
			t.Fatalf("frame %d did not come", frame)
		}
	}
	back := Chunk{ChunkHeader{Last: true, Alias: 1, Group: 1, Frame: 6}, []byte{1}}
	if _, _, ok := a.Push(&back); ok || a.Gaps != 1 {
		t.Fatalf("a frame that goes back: %v, gaps %d", ok, a.Gaps)
	}
}

func TestCatchUpRepeatsAGroupFromItsStart(t *testing.T) {
	var a Assembler
	one := Chunk{ChunkHeader{Key: true, Last: true, Alias: 1, Group: 1}, []byte{1}}
	a.Push(&one)
	a.Abandon(Control{Group: 1, Frame: 1})
	a.CatchUp(Control{Code: 1, Group: 1, Frame: 1})
	if _, _, ok := a.Push(&one); !ok || a.Gaps != 0 {
		t.Fatalf("key frame of the burst lost, gaps %d", a.Gaps)
	}
}

// FuzzAssembler feeds chunks of any shape: whatever comes out must be a frame of at most MaxFrameSize, and
// nothing may panic.
func FuzzAssembler(f *testing.F) {
	f.Add([]byte{0, 1, 0, 3, 1, 0, 2, 2})
	f.Add([]byte{9, 200, 1, 1, 2, 2, 3, 3, 250, 4, 4, 4})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var a Assembler
		for i := 0; i+3 < len(ops); i += 4 {
			if ops[i] > 240 {
				a.Abandon(Control{Group: uint32(ops[i+1]), Frame: uint16(ops[i+2])})
				continue
			}
			c := Chunk{ChunkHeader{Key: ops[i]&1 != 0, Last: ops[i]&2 != 0, Alias: 1, Group: uint32(ops[i+1] & 7),
				Frame: uint16(ops[i+2] & 7), Offset: uint32(ops[i+3]) * OffsetUnit}, make([]byte, 1+int(ops[i]))}
			if _, data, ok := a.Push(&c); ok && (len(data) == 0 || len(data) > MaxFrameSize) {
				t.Fatalf("frame of %d bytes", len(data))
			}
		}
	})
}
