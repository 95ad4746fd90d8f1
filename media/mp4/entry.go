package mp4

import (
	"fmt"
	"math"
	"strings"

	"landline/media"
)

// Sizes of what stands before the boxes of a sample entry (ISO/IEC 14496-12 section 8.5.2, QuickTime
// file format for the versions of sound descriptions).
const (
	videoEntry  = 78
	audioEntry  = 28
	audioEntry1 = audioEntry + 16
	audioEntry2 = audioEntry + 36
)

// codecs names sample entries as ffmpeg does.
var codecs = map[string]media.Codec{
	"avc1": media.H264, "avc3": media.H264, "vp08": media.VP8, "vp09": media.VP9, "av01": media.AV1, "Opus": media.Opus,
	"hvc1": "hevc", "hev1": "hevc", "dvh1": "hevc", "dvhe": "hevc", "vvc1": "vvc", "vvi1": "vvc",
	"mp4v": "mpeg4", "s263": "h263", "jpeg": "mjpeg", "mjpa": "mjpeg",
	"apch": "prores", "apcn": "prores", "apcs": "prores", "apco": "prores", "ap4h": "prores",
	"mp4a": "aac", ".mp3": "mp3", "ac-3": "ac3", "ec-3": "eac3", "ac-4": "ac4", "fLaC": "flac", "alac": "alac",
	"samr": "amr_nb", "sawb": "amr_wb", "sowt": "pcm_s16le", "twos": "pcm_s16be", "ulaw": "pcm_mulaw", "alaw": "pcm_alaw",
}

// objectTypes names the codecs of an esds by objectTypeIndication (mp4ra.org).
var objectTypes = map[byte]media.Codec{
	0x20: "mpeg4", 0x21: "h264", 0x23: "hevc", 0x60: "mpeg2video", 0x61: "mpeg2video", 0x62: "mpeg2video", 0x63: "mpeg2video",
	0x64: "mpeg2video", 0x65: "mpeg2video", 0x6a: "mpeg1video", 0x6c: "mjpeg",
	0x40: "aac", 0x66: "aac", 0x67: "aac", 0x68: "aac", 0x69: "mp3", 0x6b: "mp3",
	0xa5: "ac3", 0xa6: "eac3", 0xa9: "dts", 0xdd: "vorbis",
}

// parseDescription reads the first sample entry.
func (t *track) parseDescription(b box) error {
	var first *box
	err := b.after(8).each(func(c box) error {
		if first == nil {
			first = &c
		}
		return nil
	})
	if err != nil {
		return err
	}
	if first == nil {
		return b.fail(media.ErrFormat, "no sample entry")
	}
	t.described = true
	switch t.handler {
	case "vide":
		return t.parseVideo(*first)
	case "soun":
		return t.parseAudio(*first)
	}
	return nil
}

// codecOf names a sample entry. An unknown one keeps its four characters.
func codecOf(kind string) media.Codec {
	if c, ok := codecs[kind]; ok {
		return c
	}
	return media.Codec(strings.TrimSpace(kind))
}

func (t *track) parseVideo(b box) error {
	f := &fields{b: b.data}
	f.skip(24)
	width, height := int(f.u16()), int(f.u16())
	f.skip(videoEntry - 28)
	if f.short {
		return b.fail(media.ErrTruncated, "%d bytes are too few for a video sample entry", len(b.data))
	}
	t.format = media.Format{Kind: media.Video, Codec: codecOf(b.kind), Width: width, Height: height}
	return t.parseConfig(b, b.after(videoEntry))
}

func (t *track) parseAudio(b box) error {
	f := &fields{b: b.data}
	f.skip(8)
	version := f.u16()
	f.skip(6)
	channels := int(f.u16())
	f.skip(6)
	rate, size := int(f.u32()>>16), audioEntry
	switch version {
	case 1:
		size = audioEntry1
	case 2:
		size = audioEntry2
		f.skip(4)
		if hz := math.Float64frombits(f.u64()); hz >= 1 && hz <= 1e6 {
			rate = int(hz)
		}
		channels = int(min(f.u32(), math.MaxUint16))
	}
	if f.short || len(b.data) < size {
		return b.fail(media.ErrTruncated, "%d bytes are too few for a sound sample entry", len(b.data))
	}
	t.format = media.Format{Kind: media.Audio, Codec: codecOf(b.kind), SampleRate: rate, Channels: channels}
	return t.parseConfig(b, b.after(size))
}

// parseConfig reads the boxes of a sample entry and sets the codec up by them.
func (t *track) parseConfig(entry, boxes box) error {
	config := map[string]box{}
	collect := func(c box) error {
		if _, again := config[c.kind]; !again {
			config[c.kind] = c
		}
		return nil
	}
	if err := boxes.each(collect); err != nil {
		return err
	}
	if wave, ok := config["wave"]; ok { // QuickTime hides an esds in it
		if err := wave.each(collect); err != nil {
			return err
		}
	}
	if colr, ok := config["colr"]; ok {
		t.format.Colour = parseColour(colr)
	}
	if esds, ok := config["esds"]; ok {
		if c, ok := objectTypes[objectType(esds)]; ok {
			t.format.Codec = c
		}
	}
	setUp, ok := setUps[entry.kind]
	if !ok {
		return nil
	}
	b, ok := config[setUp.box]
	if !ok {
		return entry.fail(media.ErrFormat, "no box %q inside", setUp.box)
	}
	if err := setUp.do(t, b); err != nil {
		return fmt.Errorf("MP4 box %q at offset %d: %w", b.kind, b.off, err)
	}
	return nil
}
