package media_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"landline/media"
)

// All 32 configurations of RFC 6716 table 2.
func TestOpusDurationOfEachConfiguration(t *testing.T) {
	want := [32]int64{
		10000, 20000, 40000, 60000, 10000, 20000, 40000, 60000, 10000, 20000, 40000, 60000, // SILK
		10000, 20000, 10000, 20000, // hybrid
		2500, 5000, 10000, 20000, 2500, 5000, 10000, 20000, 2500, 5000, 10000, 20000, 2500, 5000, 10000, 20000, // CELT
	}
	for config, each := range want {
		toc := byte(config) << 3
		for name, c := range map[string]struct {
			packet []byte
			frames int64
		}{
			"one frame":         {[]byte{toc, 1}, 1},
			"two equal":         {[]byte{toc | 1, 1, 1}, 2},
			"two":               {[]byte{toc | 2, 0}, 2},
			"counted, 2, VBR":   {[]byte{toc | 3, 0x80 | 2}, 2},
			"counted, 1":        {[]byte{toc | 7, 1}, 1},
			"one byte (silent)": {[]byte{toc | 4}, 1},
		} {
			if got, err := media.OpusDuration(c.packet); err != nil || got != c.frames*each {
				t.Errorf("configuration %d, %s: %d, %v", config, name, got, err)
			}
		}
	}
	if got, err := media.OpusDuration([]byte{16<<3 | 3, 48}); err != nil || got != 120_000 {
		t.Errorf("48 frames of 2.5 ms: %d, %v", got, err)
	}
}

func TestOpusDurationRefuses(t *testing.T) {
	for name, packet := range map[string][]byte{
		"empty":          {},
		"no frame count": {3},
		"no frames":      {3, 0},
		"over 120 ms":    {3<<3 | 3, 3},
		"63 frames":      {16<<3 | 3, 63},
	} {
		if _, err := media.OpusDuration(packet); !errors.Is(err, media.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpusHead(t *testing.T) {
	for name, c := range map[string]struct {
		head media.OpusHead
		want []byte
	}{
		"stereo": {media.OpusHead{Channels: 2, PreSkip: 312, InputRate: 44100, Gain: -256},
			[]byte("OpusHead\x01\x02\x38\x01\x44\xac\x00\x00\x00\xff\x00")},
		"5.1": {media.OpusHead{Channels: 6, PreSkip: 3840, InputRate: 48000, Family: 1, Streams: 4, Coupled: 2, Mapping: []byte{0, 4, 1, 2, 3, 5}},
			[]byte("OpusHead\x01\x06\x00\x0f\x80\xbb\x00\x00\x00\x00\x01\x04\x02\x00\x04\x01\x02\x03\x05")},
	} {
		if got := c.head.Marshal(); !bytes.Equal(got, c.want) {
			t.Errorf("%s: marshalled to %q", name, got)
		}
		if got, err := media.ParseOpusHead(c.want); err != nil || !reflect.DeepEqual(got, c.head) {
			t.Errorf("%s: parsed to %+v, %v", name, got, err)
		}
		for n := range c.want {
			if _, err := media.ParseOpusHead(c.want[:n]); !errors.Is(err, media.ErrTruncated) {
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
		}
	}
}

func TestOpusHeadRefuses(t *testing.T) {
	good := []byte("OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x01\x02\x00\x00\x01")
	for name, c := range map[string]struct {
		at    int
		value byte
		want  error
	}{
		"magic":             {0, 'o', media.ErrFormat},
		"version 16":        {8, 16, media.ErrUnsupported},
		"no channels":       {9, 0, media.ErrFormat},
		"channels unmapped": {9, 3, media.ErrTruncated},
		"no streams":        {19, 0, media.ErrFormat},
		"coupled":           {20, 3, media.ErrFormat},
	} {
		b := bytes.Clone(good)
		b[c.at] = c.value
		if _, err := media.ParseOpusHead(b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := media.ParseOpusHead([]byte("OpusHead\x01\x03\x38\x01\x80\xbb\x00\x00\x00\x00\x00")); !errors.Is(err, media.ErrFormat) {
		t.Errorf("3 channels in family 0: %v", err)
	}
}

func FuzzOpusHead(f *testing.F) {
	f.Add([]byte("OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00"))
	f.Add([]byte("OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x01\x02\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := media.ParseOpusHead(b)
		if err != nil {
			return
		}
		if again, err := media.ParseOpusHead(h.Marshal()); err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%+v became %+v, %v", h, again, err)
		}
	})
}

func TestOpusHeadOf(t *testing.T) {
	for channels, want := range map[int]int{0: 1, 1: 1, 2: 2, 6: 2} {
		h, err := media.OpusHeadOf(nil, channels)
		if err != nil || h.Channels != want || h.PreSkip != 312 {
			t.Errorf("made up for %d channels: %+v, %v", channels, h, err)
		}
	}
	config := media.OpusHead{Channels: 2, PreSkip: 7, InputRate: 16000}.Marshal()
	if h, err := media.OpusHeadOf(config, 1); err != nil || h.PreSkip != 7 || h.Channels != 2 {
		t.Errorf("stated: %+v, %v", h, err)
	}
	if _, err := media.OpusHeadOf(config[:10], 1); err == nil {
		t.Error("a short OpusHead was taken")
	}
}
