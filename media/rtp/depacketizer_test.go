package rtp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtp"

	"landline/media"
)

func mustDepacketizer(t *testing.T, o Options) *Depacketizer {
	t.Helper()
	d, err := NewDepacketizer(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestClockWraps(t *testing.T) {
	for _, c := range []media.Codec{media.VP8, media.Opus} {
		clock := NewClock(c, 1<<51, 1<<32-5)
		for us := int64(1 << 51); us < 1<<51+200_000*second; us += 1000 * second {
			if back := clock.Micros(clock.RTP(us)); back != us {
				t.Fatalf("%s: %d comes back as %d", c, us, back)
			}
		}
		early := NewClock(c, 5*second, 10)
		if back := early.Micros(early.RTP(4_990_000)); back != 4_990_000 {
			t.Errorf("%s: a time before the pair comes back as %d", c, back)
		}
	}
}

func TestALossEndsTheGroupInTime(t *testing.T) {
	s := newStream(rand.New(rand.NewPCG(3, 4)), media.VP8, 20, 10, 0, 0)
	d := mustDepacketizer(t, Options{Codec: media.VP8, Wait: 50 * time.Millisecond})
	if !d.KeyWanted() {
		t.Error("no key frame is wanted before the first")
	}
	lost := 0
	for s.of[lost] != 3 {
		lost++
	}
	var got []Frame
	for i, p := range s.packets {
		if s.of[i] > 8 || i == lost {
			continue
		}
		d.Push(p, 0)
		got = append(got, drain(d, 0)...)
	}
	if len(got) != 3 {
		t.Fatalf("%d frames before the loss, want 3", len(got))
	}
	if at, waits := d.Due(); !waits || at != 50*time.Millisecond {
		t.Errorf("due at %v, %v", at, waits)
	}
	if more := drain(d, 49*time.Millisecond); len(more) != 0 {
		t.Errorf("%d frames before the wait was over", len(more))
	}
	more := drain(d, 50*time.Millisecond)
	if len(more) != 1 || more[0].Data != nil || !d.KeyWanted() || d.Lost != 1 {
		t.Errorf("after the wait: %d frames, key wanted %v, %d lost", len(more), d.KeyWanted(), d.Lost)
	}
	for i, p := range s.packets {
		if s.of[i] > 8 {
			d.Push(p, time.Second)
			more = append(more, drain(d, time.Second)...)
		}
	}
	if len(more) != 11 || !more[1].Key || d.KeyWanted() {
		t.Errorf("%d frames with the key frame, want 10 and the word of the loss", len(more))
	}
}

func TestASenderThatBeginsAnewIsFollowed(t *testing.T) {
	s := newStream(rand.New(rand.NewPCG(5, 6)), media.Opus, 300, 1, 40_000, 0)
	d := mustDepacketizer(t, Options{Codec: media.Opus, Wait: 20 * time.Millisecond})
	n := 0
	for i, p := range s.packets {
		if i >= 100 {
			p.SequenceNumber -= 30_000
		}
		d.Push(p, time.Duration(i)*time.Millisecond)
		n += len(drain(d, time.Duration(i)*time.Millisecond))
	}
	if n < 100+200-orderLate {
		t.Errorf("%d packets of 300", n)
	}
}

// A key frame without parameter sets, as some cameras send them once only, gets those that came before.
func TestParameterSetsAreRepeated(t *testing.T) {
	d := mustDepacketizer(t, Options{Codec: media.H264})
	sps, pps, idr := []byte{0x67, 1, 2}, []byte{0x68, 3}, []byte{0x65, 9, 9}
	for i, payload := range [][]byte{sps, pps, idr, idr} {
		d.Push(&rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i), Timestamp: uint32(max(2, i)), Marker: i >= 2}, Payload: payload}, 0)
	}
	got := drain(d, 0)
	want := []byte{0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 9, 9}
	if len(got) != 2 || !bytes.Equal(got[0].Data, want) || !bytes.Equal(got[1].Data, want) || !got[1].Key {
		t.Errorf("%v, want twice %v", got, want)
	}
}

func TestTheLevelOfAudioComesFromItsExtension(t *testing.T) {
	d := mustDepacketizer(t, Options{Codec: media.Opus, Level: 3})
	p := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: []byte{1}}
	if err := p.SetExtension(3, []byte{0x80 | 33}); err != nil {
		t.Fatal(err)
	}
	d.Push(p, 0)
	d.Push(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 1}, Payload: []byte{1}}, 0)
	got := drain(d, 0)
	if len(got) != 2 || got[0].Level != 33 || !got[0].Voice || got[1].Level != 127 || got[1].Voice {
		t.Errorf("%+v", got)
	}
}

func TestBrokenPayloadsMakeNoFrame(t *testing.T) {
	for name, c := range map[string]struct {
		codec    media.Codec
		payloads [][]byte
	}{
		"VP8 without its beginning": {media.VP8, [][]byte{{0x00, 0x10, 0, 0}}},
		"VP8 descriptor cut":        {media.VP8, [][]byte{{0x90, 0x80, 0x80}}},
		"VP9 without its end":       {media.VP9, [][]byte{{0x08, 0x82, 0x49, 0x83, 0x42, 0x20, 0, 0xf0, 0, 0xf0}}},
		"FU-A without its end":      {media.H264, [][]byte{{0x67, 1}, {0x68, 1}, {0x7c, 0x85, 1}}},
		"FU-A without its start":    {media.H264, [][]byte{{0x67, 1}, {0x68, 1}, {0x7c, 0x45, 1}}},
		"STAP-A too long":           {media.H264, [][]byte{{0x67, 1}, {0x78, 0, 9, 0x65}}},
		"MTAP":                      {media.H264, [][]byte{{0x67, 1}, {0x7a, 0, 9, 0x65}}},
		"AV1 that goes on":          {media.AV1, [][]byte{{0x58, 0x0a, 1}}},
		"AV1 that went on":          {media.AV1, [][]byte{{0x98, 0x0a, 1}}},
	} {
		d := mustDepacketizer(t, Options{Codec: c.codec})
		for i, payload := range c.payloads {
			d.Push(&rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i), Marker: i == len(c.payloads)-1}, Payload: payload}, 0)
		}
		for _, f := range drain(d, 0) {
			if f.Data != nil {
				t.Errorf("%s: a frame of %d bytes", name, len(f.Data))
			}
		}
	}
	if _, err := NewDepacketizer(Options{Codec: "hevc"}); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("hevc: %v", err)
	}
}

// An endless frame is given up at the cap.
func TestAFrameHasItsCap(t *testing.T) {
	d := mustDepacketizer(t, Options{Codec: media.VP8})
	key := synthetic(rand.New(rand.NewPCG(1, 1)), media.VP8, true, 1000)
	for i := range 3000 {
		payload := append([]byte{0x00}, key...)
		if i == 0 {
			payload[0] = 0x10
		}
		d.Push(&rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(i)}, Payload: payload}, 0)
		drain(d, 0)
		if d.unpack.size() > media.MaxFrameSize {
			t.Fatalf("%d bytes are held", d.unpack.size())
		}
	}
}
