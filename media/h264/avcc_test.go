package h264_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"landline/media"
	"landline/media/h264"
	"landline/media/internal/mediatest"
)

// parameterSets gives a real SPS and PPS (x264, constrained baseline, 96x64).
func parameterSets(t testing.TB) (sps, pps []byte) {
	t.Helper()
	return []byte{0x67, 0x42, 0xc0, 0x0a, 0xda, 0x18, 0x9b, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20, 0xf1, 0x22, 0x6a},
		[]byte{0x68, 0xce, 0x0f, 0xc8}
}

// prefixed makes a sample with lengths of size bytes.
func prefixed(size int, nals ...[]byte) []byte {
	var out []byte
	for _, nal := range nals {
		length := binary.BigEndian.AppendUint32(nil, uint32(len(nal)))
		out = append(append(out, length[4-size:]...), nal...)
	}
	return out
}

func annexB(nals ...[]byte) []byte {
	var out []byte
	for _, nal := range nals {
		out = append(append(out, 0, 0, 0, 1), nal...)
	}
	return out
}

func TestAnnexBPutsParameterSetsBeforeKeyFrames(t *testing.T) {
	sps, pps := parameterSets(t)
	other := append(bytes.Clone(sps), 0x80)
	aud, sei := []byte{9, 0x10}, []byte{6, 5, 1, 0, 0x80}
	idr, delta := []byte{0x65, 0x88, 0x84}, []byte{0x41, 0x9a}
	config, err := h264.AVCC([][]byte{sps}, [][]byte{pps})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key      bool
		in, want [][]byte
	}{
		"key":                {true, [][]byte{sei, idr}, [][]byte{sps, pps, sei, idr}},
		"key, all inline":    {true, [][]byte{other, pps, idr}, [][]byte{other, pps, idr}},
		"key, SPS inline":    {true, [][]byte{other, sei, idr}, [][]byte{other, pps, sei, idr}},
		"IDR not called key": {false, [][]byte{idr}, [][]byte{sps, pps, idr}},
		"recovery point":     {true, [][]byte{sei, delta}, [][]byte{sps, pps, sei, delta}},
		"delta":              {false, [][]byte{delta, delta}, [][]byte{delta, delta}},
		"delimiter":          {true, [][]byte{aud, idr}, [][]byte{sps, pps, idr}},
		"delta, delimiter":   {false, [][]byte{aud, delta}, [][]byte{delta}},
	} {
		for _, size := range []int{1, 2, 4} {
			config[4] = 0xfc | byte(size-1)
			conv, err := h264.FromAVCC(config)
			if err != nil {
				t.Fatal(err)
			}
			got, err := conv.AnnexB(prefixed(size, c.in...), c.key)
			if want := annexB(c.want...); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %d-byte lengths:\n got %x, %v\nwant %x", name, size, got, err, want)
			}
			if hasIDR := bytes.Contains(got, idr); h264.IsKey(got) != hasIDR {
				t.Errorf("%s: key %v", name, !hasIDR)
			}
		}
	}
}

// AVCC and ToAVCC give what ffmpeg puts into an MP4 file.
func TestAVCCIsFFmpegs(t *testing.T) {
	for _, profile := range []string{"baseline", "main", "high", "high422"} {
		t.Run(profile, func(t *testing.T) {
			path := encode(t, "96x64", "25", "0.1", "-profile:v", profile)
			if profile == "high422" {
				path = encode(t, "96x64", "25", "0.1", "-pix_fmt", "yuv422p10le")
			}
			_, sps, pps, err := h264.ToAVCC(mediatest.ReadFile(t, path))
			if err != nil {
				t.Fatal(err)
			}
			config, err := h264.AVCC(sps, pps)
			if err != nil {
				t.Fatal(err)
			}
			mp4 := filepath.Join(t.TempDir(), "same.mp4")
			mediatest.FFmpeg(t, "-i", path, "-c", "copy", mp4)
			if !bytes.Contains(mediatest.ReadFile(t, mp4), append([]byte("avcC"), config...)) {
				t.Errorf("ffmpeg's avcC is not %x", config)
			}
			conv, err := h264.FromAVCC(config)
			if err != nil || !bytes.Equal(conv.SPS(), sps[0]) {
				t.Errorf("read back: %v", err)
			}
		})
	}
}

func TestFromAVCCRefuses(t *testing.T) {
	sps, pps := parameterSets(t)
	good, err := h264.AVCC([][]byte{sps}, [][]byte{pps})
	if err != nil {
		t.Fatal(err)
	}
	with := func(at int, b byte) []byte {
		out := bytes.Clone(good)
		out[at] = b
		return out
	}
	for name, c := range map[string]struct {
		config []byte
		want   error
	}{
		"empty":         {nil, media.ErrTruncated},
		"version":       {with(0, 2), media.ErrFormat},
		"3-byte length": {with(4, 0xfe), media.ErrFormat},
		"long SPS":      {with(6, 0xff), media.ErrTruncated},
		"wrong type":    {with(8, 0x68), media.ErrFormat},
		"two SPS":       {with(5, 0xe2), media.ErrTruncated},
		"no PPS count":  {good[:8+len(sps)], media.ErrTruncated},
		"cut in PPS":    {good[:len(good)-1], media.ErrTruncated},
		"huge SPS":      {append([]byte{1, 66, 0, 10, 0xff, 0xe1, 0x20, 0}, make([]byte, 0x2000)...), media.ErrTooLarge},
	} {
		if _, err := h264.FromAVCC(c.config); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := h264.FromAVCC([]byte{1, 66, 0, 10, 0xff, 0xe0, 0}); err != nil {
		t.Errorf("without parameter sets (avc3): %v", err)
	}
}

func TestSampleRefuses(t *testing.T) {
	sps, pps := parameterSets(t)
	config, err := h264.AVCC([][]byte{sps}, [][]byte{pps})
	if err != nil {
		t.Fatal(err)
	}
	conv, err := h264.FromAVCC(config)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sample []byte
		want   error
	}{
		"cut length":  {[]byte{0, 0, 1}, media.ErrFormat},
		"over by one": {[]byte{0, 0, 0, 3, 0x65, 0x88}, media.ErrFormat},
		"4 GiB":       {[]byte{0xff, 0xff, 0xff, 0xff, 0x65}, media.ErrFormat},
		"too large":   {prefixed(4, append([]byte{0x65}, make([]byte, media.MaxFrameSize)...)), media.ErrTooLarge},
	} {
		if _, err := conv.AnnexB(c.sample, true); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, _, _, err := h264.ToAVCC([]byte{0, 0, 0, 2, 0x65, 0x88}); !errors.Is(err, media.ErrFormat) {
		t.Errorf("no start code: got %v", err)
	}
	if _, err := h264.AVCC(nil, [][]byte{pps}); !errors.Is(err, media.ErrFormat) {
		t.Errorf("no SPS: got %v", err)
	}
}

func TestNALs(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		want [][]byte
	}{
		"no start code":    {[]byte{1, 2, 3, 4}, nil},
		"both start codes": {[]byte{0, 0, 1, 7, 8, 0, 0, 0, 1, 9}, [][]byte{{7, 8}, {9}}},
		"padding":          {[]byte{0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0}, [][]byte{{7}, {9}}},
		"empty units":      {[]byte{0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 5}, [][]byte{{5}}},
		"zeros inside":     {[]byte{0, 0, 1, 5, 0, 0, 3, 1, 0, 4}, [][]byte{{5, 0, 0, 3, 1, 0, 4}}},
	} {
		got := slices.Collect(h264.NALs(c.in))
		if !slices.EqualFunc(got, c.want, bytes.Equal) {
			t.Errorf("%s: got %x, want %x", name, got, c.want)
		}
	}
}
