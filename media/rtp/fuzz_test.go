package rtp

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtp"

	"landline/media"
)

// fuzz feeds a depacketizer with payloads cut from the input: a byte of length, a byte that moves sequence, time and marker.
func fuzz(f *testing.F, c media.Codec) {
	s := newStream(rand.New(rand.NewPCG(7, 8)), c, 6, 3, 0, 0)
	var seed []byte
	for _, p := range s.packets {
		payload := p.Payload[:min(len(p.Payload), 255)]
		move := byte(1)
		if p.Marker {
			move |= 0x80
		}
		seed = append(append(seed, byte(len(payload)), move), payload...)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := NewDepacketizer(Options{Codec: c, Wait: 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		broken := true
		var seq uint16
		var at uint32
		for i := 0; len(in) >= 2; i++ {
			n, move := min(int(in[0]), len(in)-2), in[1]
			seq += uint16(move & 0x0f)
			if move&0x40 != 0 {
				seq -= 9
			}
			at += uint32(move >> 4 & 1)
			now := time.Duration(i) * time.Millisecond
			d.Push(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Timestamp: at, Marker: move&0x80 != 0}, Payload: in[2 : 2+n]}, now)
			in = in[2+n:]
			for _, frame := range drain(d, now) {
				if frame.Data == nil {
					broken = true
				} else if broken = broken && !frame.Key && c != media.Opus; broken {
					t.Fatal("a frame that cannot be decoded")
				}
			}
		}
	})
}

func FuzzVP8(f *testing.F)  { fuzz(f, media.VP8) }
func FuzzVP9(f *testing.F)  { fuzz(f, media.VP9) }
func FuzzH264(f *testing.F) { fuzz(f, media.H264) }
func FuzzAV1(f *testing.F)  { fuzz(f, media.AV1) }
func FuzzOpus(f *testing.F) { fuzz(f, media.Opus) }
