package relay

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// fuzzOp is one operation in the fuzzer's input: opSize bytes, of which those behind the first mean what kind says.
const opSize = 8

// FuzzPublisher feeds a track of video in two layers and one of audio with arbitrary chunks and controls, between losses, pulls and
// time. Whatever is taken, the receivers, one prompt and one slow, must see legal streams.
func FuzzPublisher(f *testing.F) {
	chunk := func(flags, group, frame, offset, size byte) []byte {
		return []byte{0, flags, group, frame, offset, size, 0, 0}
	}
	seed := func(ops ...[]byte) {
		var data []byte
		for _, op := range ops {
			data = append(data, op...)
		}
		f.Add(data)
	}
	seed(chunk(3, 1, 0, 0, 9), chunk(2, 1, 1, 0, 9), chunk(0, 1, 2, 0, 4), chunk(2, 1, 2, 4, 1), []byte{4, 0, 0, 0, 0, 0, 0, 0})
	seed(chunk(3, 1, 0, 0, 9), chunk(0, 1, 1, 0, 4), []byte{2, 0, 1, 1, 0, 0, 0, 0}, chunk(2, 1, 1, 4, 1), chunk(3, 2, 0, 0, 1))
	seed(chunk(3, 1, 0, 0, 200), []byte{5, 9, 0, 0, 0, 0, 0, 0}, chunk(2, 1, 1, 0, 200), []byte{3, 0, 0, 0, 0, 0, 0, 0}, chunk(2, 1, 2, 0, 9))
	seed(chunk(1, 1, 0, 0, 1), []byte{6, 0, 0, 0, 0, 0, 0, 0}, chunk(3, 1, 0, 1, 1), []byte{7, 1, 0, 0, 0, 0, 0, 0}, []byte{1, 0x10, 3, 0, 1, 0, 0, 0})
	seed(chunk(3, 1, 0, 0, 9), []byte{0, 3, 1, 0, 0, 9, 2, 0}, []byte{8, 3, 180, 0, 0, 0, 0, 0}, chunk(2, 1, 1, 0, 9), []byte{8, 2, 90, 0, 0, 0, 0, 0},
		[]byte{0, 3, 2, 0, 0, 9, 2, 0}, []byte{5, 9, 0, 0, 0, 0, 0, 0}, []byte{8, 1, 0, 2, 0, 0, 0, 0}, []byte{8, 3, 0, 0, 0, 0, 0, 0}, []byte{4, 0x14, 1, 1, 0, 0, 2, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) {
			z := newFuzzed(t)
			for len(data) >= opSize {
				z.do(data[:opSize])
				data = data[opSize:]
			}
			z.prompt.drain()
			wait(time.Minute)
			synctest.Wait() // the grace of whoever is lost is over
			z.slow.drain()
			z.prompt.drain()
		})
	})
}

type fuzzed struct {
	*world
	ann, prompt, slow *session
	tracks            []*source
}

func newFuzzed(t *testing.T) *fuzzed {
	w := newWorld(t, Options{})
	w.tape.frames = nil // which frames come whole is the relay's to say
	z := &fuzzed{world: w, prompt: w.join("prompt", Selector{}), slow: w.join("slow", Selector{}), ann: w.join("ann")}
	camera := z.ann.layers("camera", 180, 360)
	z.tracks = []*source{camera[0], z.ann.mic(), camera[1]}
	return z
}

func (z *fuzzed) do(op []byte) {
	alias := z.tracks[int(op[6])%len(z.tracks)].alias()
	switch op[0] % 9 {
	case 0:
		h := media.ChunkHeader{Alias: alias, Key: op[1]&1 != 0, Last: op[1]&2 != 0, Group: uint32(op[2]), Frame: uint16(op[3]), Offset: uint32(op[4]) * media.OffsetUnit}
		if h.SetLength(uint32(op[7]) * 16); op[7] == 255 {
			h.SetLength(1 << 31)
		}
		size := int(op[5])
		if !h.Last {
			size *= media.OffsetUnit
		}
		z.write(append(h.Append(nil), make([]byte, size)...))
	case 1: // bytes as they are
		msg := append([]byte(nil), op[1:]...)
		binary.BigEndian.PutUint16(msg[2:], alias)
		z.write(append(msg, make([]byte, int(op[7])*20)...))
	case 2:
		z.control(media.KindAbandon, alias, op)
	case 3:
		z.ann.m.Lost(z.ann.sub, nil)
		if z.ann.m.Resume(everything, func(bool) {}) == nil {
			z.ann.begin()
		}
	case 4:
		z.control(op[1], alias, op)
	case 5:
		wait(time.Duration(op[1]) * 20 * time.Millisecond)
		z.slow.sub.Tick()
		z.prompt.drain()
	case 6:
		z.prompt.drain()
		_ = z.prompt.m.KeyFrame("ann", "camera") // it may have ended
	case 7:
		z.slow.pullOnce()
		z.slow.halfRate(uint64(op[1]) << 8)
	default:
		made := []bool{op[1]&1 != 0, op[1]&2 != 0}
		_ = z.ann.m.Encoding("camera", made) // it may have ended
		z.prompt.subscribe(Selector{}, Want{Height: 2 * int(op[2]), Hold: op[3]&1 != 0, Paused: op[3]&2 != 0})
	}
}

// write gives a message to the relay if it is a chunk. An error must leave no trace.
func (z *fuzzed) write(msg []byte) {
	if kind, err := media.KindOf(msg); kind != media.KindChunk || err != nil {
		return // not for Publisher.Write
	}
	c, err := media.ParseChunk(msg)
	if err != nil {
		return
	}
	m := Message{Data: msg}
	z.tape.note(m)
	_ = z.ann.pub.Write(&c, m)
}

func (z *fuzzed) control(kind byte, alias uint16, op []byte) {
	_ = z.ann.pub.Control(media.Control{Kind: kind, Alias: alias, Group: uint32(op[2]), Frame: uint16(op[3])})
}
