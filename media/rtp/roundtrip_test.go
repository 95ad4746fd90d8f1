package rtp

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"pgregory.net/rapid"

	"landline/media"
)

// stream is what a publisher sends: frames, and the packets of each.
type stream struct {
	frames  []media.Frame
	packets []*rtp.Packet
	of      []int // the frame of each packet
}

func newStream(r *rand.Rand, c media.Codec, frames, gop int, first uint16, at uint32) stream {
	var s stream
	p := NewPacketizer(c, NewClock(c, 0, at), first)
	for i := range frames {
		key := c == media.Opus || i%gop == 0
		size := r.IntN(5000)
		if c == media.Opus {
			size = 1 + r.IntN(400)
		}
		f := media.Frame{Timestamp: int64(i) * 33_333, Key: key, Data: synthetic(r, c, key, size)}
		s.frames = append(s.frames, f)
		for _, packet := range p.Packets(f, 0, false) {
			s.packets = append(s.packets, packet)
			s.of = append(s.of, i)
		}
	}
	return s
}

// drain takes all that comes now.
func drain(d *Depacketizer, now time.Duration) (got []Frame) {
	for {
		f, ok := d.Next(now)
		if !ok {
			return got
		}
		got = append(got, f)
	}
}

func TestEveryFrameComesBack(t *testing.T) {
	for _, c := range append(videoCodecs, media.Opus) {
		t.Run(string(c), func(t *testing.T) {
			s := newStream(rand.New(rand.NewPCG(1, 2)), c, 200, 30, 65_500, 1<<32-1000)
			d, err := NewDepacketizer(Options{Codec: c, Wait: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			clock := NewClock(c, 0, 1<<32-1000)
			var got []Frame
			for _, p := range s.packets {
				raw, err := p.Marshal()
				if err != nil || len(raw) > 1200 {
					t.Fatalf("a packet of %d bytes, %v", len(raw), err)
				}
				var again rtp.Packet
				if err := again.Unmarshal(raw); err != nil {
					t.Fatal(err)
				}
				d.Push(&again, 0)
				got = append(got, drain(d, 0)...)
			}
			if len(got) != len(s.frames) {
				t.Fatalf("%d frames of %d", len(got), len(s.frames))
			}
			for i, f := range got {
				want := s.frames[i]
				if !bytes.Equal(f.Data, want.Data) || f.Key != want.Key {
					t.Fatalf("frame %d: %d bytes, key %v; want %d, %v", i, len(f.Data), f.Key, len(want.Data), want.Key)
				}
				if us := clock.Micros(f.Time); us < want.Timestamp-15 || us > want.Timestamp+15 {
					t.Fatalf("frame %d at %d µs, want %d", i, us, want.Timestamp)
				}
			}
		})
	}
}

// What a path does to packets: each is lost, doubled, or late by some places.
func impair(rt *rapid.T, s stream, losses bool) (order []int, lost map[int]bool) {
	type sent struct{ place, packet int }
	var list []sent
	lost = map[int]bool{}
	for i := range s.packets {
		fate := rapid.IntRange(0, 99).Draw(rt, "fate")
		switch {
		case losses && fate < 5:
			lost[i] = true
			continue
		case fate < 10:
			list = append(list, sent{i + rapid.IntRange(0, 40).Draw(rt, "again"), i})
		}
		late := 0
		if fate >= 80 {
			late = rapid.IntRange(0, 40).Draw(rt, "late")
		}
		list = append(list, sent{i + late, i})
	}
	slices.SortStableFunc(list, func(a, b sent) int { return a.place - b.place })
	for _, l := range list {
		order = append(order, l.packet)
	}
	return order, lost
}

// Reordered and doubled packets make no difference; after a loss nothing comes until the next key frame, and no frame is ever broken.
func TestFramesAreWholeWhateverThePathDoes(t *testing.T) {
	for _, c := range append(videoCodecs, media.Opus) {
		for _, losses := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/losses-%v", c, losses), func(t *testing.T) {
				rapid.Check(t, func(rt *rapid.T) {
					s := newStream(rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)), c, 20, 5,
						rapid.Uint16().Draw(rt, "first"), rapid.Uint32().Draw(rt, "time"))
					order, lost := impair(rt, s, losses)
					d, err := NewDepacketizer(Options{Codec: c, Wait: 100 * time.Millisecond, Start: s.packets[0].SequenceNumber, Known: true})
					if err != nil {
						rt.Fatal(err)
					}
					var got []Frame
					for i, n := range order {
						now := time.Duration(i) * time.Millisecond
						d.Push(s.packets[n], now)
						got = append(got, drain(d, now)...)
					}
					got = append(got, drain(d, time.Hour)...)
					check(rt, s, got, lost, c)
				})
			})
		}
	}
}

// check holds what came against what was sent.
func check(rt *rapid.T, s stream, got []Frame, lost map[int]bool, c media.Codec) {
	hurt := map[int]bool{}
	for i := range lost {
		hurt[s.of[i]] = true
	}
	next, decodable, whole := 0, c == media.Opus, 0
	for _, f := range got {
		if f.Data == nil {
			decodable = false
			continue
		}
		at := slices.IndexFunc(s.frames[next:], func(want media.Frame) bool { return bytes.Equal(want.Data, f.Data) })
		if at < 0 {
			rt.Fatalf("a frame of %d bytes that was not sent, or not there", len(f.Data))
		}
		if at > 0 && !f.Key {
			rt.Fatalf("frame %d follows frame %d", next+at, next-1)
		}
		if decodable = decodable || f.Key; !decodable {
			rt.Fatalf("frame %d cannot be decoded", next+at)
		}
		next += at + 1
		whole++
	}
	if len(hurt) == 0 && whole != len(s.frames) {
		rt.Fatalf("%d frames of %d, and nothing was lost", whole, len(s.frames))
	}
	if c == media.Opus && whole != len(s.frames)-len(hurt) {
		rt.Fatalf("%d packets of %d, %d were lost", whole, len(s.frames), len(hurt))
	}
}
