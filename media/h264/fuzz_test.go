package h264_test

import (
	"bytes"
	"testing"

	"landline/media"
	"landline/media/h264"
)

func FuzzDescribe(f *testing.F) {
	sps, _ := parameterSets(f)
	f.Add(sps)
	f.Add(bits([]byte{0x67, 100, 0, 10}, "1 010 1 1 0 1 11111111 1 1 1 010 0 1 1 1 1 0 1"))
	f.Fuzz(func(t *testing.T, nal []byte) {
		info, err := h264.Describe(nal)
		if err == nil && (info.Width <= 0 || info.Height <= 0 || info.FrameRate < 0) {
			t.Errorf("%+v", info)
		}
	})
}

// The slices of whatever a Converter makes survive the way to a sample and back.
func FuzzConverter(f *testing.F) {
	sps, pps := parameterSets(f)
	config, err := h264.AVCC([][]byte{sps}, [][]byte{pps})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(config, prefixed(4, []byte{0x65, 0x88}), true)
	f.Add([]byte{1, 66, 0, 10, 0xff, 0xe0, 0}, prefixed(4, sps, []byte{0x65, 0, 0, 1, 0x88}), false)
	f.Fuzz(func(t *testing.T, config, sample []byte, key bool) {
		conv, err := h264.FromAVCC(config)
		if err != nil {
			return
		}
		frame, err := conv.AnnexB(sample, key)
		if err != nil {
			return
		}
		if len(frame) > media.MaxFrameSize {
			t.Errorf("frame of %d bytes", len(frame))
		}
		back, _, _, err := h264.ToAVCC(frame)
		if err != nil {
			return
		}
		four, err := h264.FromAVCC([]byte{1, 66, 0, 10, 0xff, 0xe0, 0})
		if err != nil {
			t.Fatal(err)
		}
		again, err := four.AnnexB(back, false)
		if want := annexB(slicesOf(frame)...); err == nil && !bytes.Equal(again, want) {
			t.Errorf("got %x, want %x", again, want)
		}
	})
}

// slicesOf gives the NAL units that ToAVCC keeps.
func slicesOf(frame []byte) [][]byte {
	var nals [][]byte
	for nal := range h264.NALs(frame) {
		if t := nal[0] & 0x1f; t < 7 || t > 9 {
			nals = append(nals, nal)
		}
	}
	return nals
}

// A Reader ends, and gives no more bytes than it got, but for repeated parameter sets.
func FuzzReader(f *testing.F) {
	sps, pps := parameterSets(f)
	f.Add(annexB(sps, pps, []byte{0x65, 0x88, 0x84, 0}, []byte{0x41, 0x9a, 0x24}, []byte{0x65, 0x88, 0x80}))
	f.Add(annexB([]byte{9, 0x10}, sps, []byte{0x65, 0x88}, []byte{9, 0x10}, []byte{1, 0x9a}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := h264.NewReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		last := int64(-1)
		for {
			p, err := r.Next()
			if err != nil {
				return
			}
			if p.Timestamp <= last || len(p.Data) > media.MaxFrameSize || len(p.Data) == 0 {
				t.Fatalf("packet of %d bytes at %d µs, after %d µs", len(p.Data), p.Timestamp, last)
			}
			last = p.Timestamp
		}
	})
}
