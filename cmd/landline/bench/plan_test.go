package bench

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"landline/media"
)

// sends gives the moments at which a plan's tracks send within a time.
func sends(p *plan, length time.Duration) (moments [][]int64) {
	for _, o := range p.outlets() {
		var list []int64
		for o.begin(); o.due() < int64(length); o.n++ {
			list = append(list, o.due())
		}
		moments = append(moments, list)
	}
	return moments
}

func TestFramesAreSentAtTheirRateWithoutDrift(t *testing.T) {
	p := &plan{Rooms: 2, Publishers: 3, Rate: 29.97, Size: 100, Chunk: 1000, Audio: true}
	first := map[int64]bool{}
	for i, list := range sends(p, 100*time.Second) {
		rate := 29.97
		if i%2 == 1 {
			rate = 50
		}
		if n := float64(len(list)); n < 100*rate-1 || n > 100*rate+1 {
			t.Errorf("track %d: %v frames in 100 s, want %v", i, n, 100*rate)
		}
		for n, at := range list {
			if want := list[0] + int64(float64(n)*1e9/rate); at < want-1 || at > want+1 {
				t.Fatalf("track %d: frame %d at %d, want %d", i, n, at, want)
			}
		}
		if first[list[0]] {
			t.Errorf("track %d ticks together with another", i)
		}
		first[list[0]] = true
	}
}

func TestAClipIsLoopedWithItsOwnTimes(t *testing.T) {
	p := &plan{Rooms: 1, Publishers: 1, Chunk: 1000, Clip: []ClipFrame{{At: 0, Key: true, Data: make([]byte, 500)},
		{At: 40_000, Data: make([]byte, 3)}, {At: 60_000, Data: make([]byte, 90)}}}
	list := sends(p, 200*time.Millisecond)[0]
	want := []int64{0, 40, 60, 90, 130, 150, 180}
	for i := range want {
		want[i] *= 1e6
	}
	if !slices.Equal(list, want) {
		t.Errorf("sent at %v, want %v", list, want)
	}
}

func TestFramesAreChunksThatFitTogether(t *testing.T) {
	for _, p := range []plan{{Rate: 30, Size: 6000, Chunk: 16384, Audio: true}, {Rate: 30, Size: 6001, Chunk: 1200}, {Rate: 30, Size: minFrame, Chunk: minFrame},
		{Chunk: 100, Clip: []ClipFrame{{Key: true, Data: []byte("short")}, {At: 1000, Data: make([]byte, 777)}}}} {
		p.Rooms, p.Publishers = 1, 1
		for _, o := range p.outlets() {
			o.alias = 7
			o.begin()
			var asm media.Assembler
			keys := 0
			for i := range 200 {
				var frame []byte
				var head media.ChunkHeader
				o.next(int64(1000+i), func(msg []byte) {
					c, err := media.ParseChunk(msg)
					if err != nil {
						t.Fatal(err)
					}
					if h, data, ok := asm.Push(&c); ok {
						head, frame = h, data
					}
				})
				sent, seq, ok := stampOf(frame)
				if !ok || sent != int64(1000+i) || seq != uint32(i) {
					t.Fatalf("frame %d says %d, %d, %v", i, sent, seq, ok)
				}
				if head.Key {
					keys++
				}
			}
			if asm.Gaps+asm.Skipped != 0 {
				t.Errorf("%+v: %d gaps, %d groups skipped", p, asm.Gaps, asm.Skipped)
			}
			if !o.audio && len(p.Clip) == 0 && keys != 4 { // one every 2 s at 30 a second
				t.Errorf("%d key frames", keys)
			}
		}
	}
}

func TestAKeyFrameIsMadeWhenAsked(t *testing.T) {
	p := plan{Rooms: 1, Publishers: 1, Rate: 30, Size: 100, Chunk: 1000}
	o := p.outlets()[0]
	o.alias = 1
	o.begin()
	var keys []int
	for i := range 10 {
		o.wantKey = o.wantKey || i == 5
		o.next(0, func(msg []byte) {
			if c, err := media.ParseChunk(msg); err == nil && c.Key {
				keys = append(keys, i)
			}
		})
	}
	if !slices.Equal(keys, []int{0, 5}) {
		t.Errorf("key frames %v", keys)
	}
}

func TestTheAgendaGivesWhatIsDueFirst(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var a agenda
	var want, got []int64
	take := func() {
		at, ok := a.next()
		e := a.pop()
		if e.do(at); !ok || e.at != at {
			t.Fatalf("next %d, popped %d", at, e.at)
		}
	}
	for range 500 {
		at := random.Int64N(1000)
		want = append(want, at)
		a.add(at, func(at int64) { got = append(got, at) })
	}
	for len(a) > 0 {
		take()
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("not in order: %v", got)
	}
}
