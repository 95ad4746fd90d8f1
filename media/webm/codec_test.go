package webm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"landline/media"
	"landline/media/av1"
	"landline/media/h264"
	"landline/media/internal/mediatest"
)

// spliced is clip a and behind it clip b, as when a publisher changes its picture size.
func spliced(t *testing.T, a, b []byte) ([]media.Format, []media.Packet) {
	t.Helper()
	r, first, err := readAll(t, a)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := readAll(t, b)
	if err != nil {
		t.Fatal(err)
	}
	shift := first[len(first)-1].Timestamp + 66_000
	for i := range second {
		second[i].Timestamp += shift
	}
	return r.Formats(), append(first, second...)
}

func TestPictureSizeMayChange(t *testing.T) {
	larger := strings.Fields("-f lavfi -t 1 -i testsrc2=s=96x80:r=15")
	for name, args := range map[string]string{
		"a.webm":   "-c:v libvpx -b:v 100k",
		"vp9.webm": "-c:v libvpx-vp9 -b:v 100k -cpu-used 8",
		"av1.webm": "-c:v libaom-av1 -b:v 100k -cpu-used 8",
		"a.mkv":    "-c:v libx264 -profile:v baseline -pix_fmt yuv420p",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := generate(t, name, picture2s, strings.Fields(args))
			b := generate(t, name, larger, strings.Fields(args))
			formats, packets := spliced(t, a, b)
			out := rewrite(t, formats, packets)
			switch codec := formats[0].Codec; codec {
			case media.H264, media.AV1:
				sameUnits(t, "spliced", codec, packets, 0, out)
			default:
				samePackets(t, "spliced", theirs(t, out, 0), ours(packets, 0))
			}
			mediatest.FFmpeg(t, "-i", out, "-f", "null", "-")
			raw := mediatest.FFmpeg(t, "-i", out, "-vf", "scale=iw:ih,showinfo", "-f", "framemd5", "-")
			if n := bytes.Count(raw, []byte("\n0,")); n != len(packets) {
				t.Errorf("ffmpeg decodes %d frames of %d", n, len(packets))
			}
		})
	}
}

// withoutSequence leaves the sequence headers out of AV1 packets.
func withoutSequence(t *testing.T, packets []media.Packet) []media.Packet {
	t.Helper()
	var out []media.Packet
	for _, p := range packets {
		var data []byte
		for rest := p.Data; len(rest) > 0; {
			u, r, err := av1.Next(rest)
			if err != nil {
				t.Fatal(err)
			}
			if rest = r; u.Type != av1.SequenceHeaderOBU {
				data = append(data, u.Raw...)
			}
		}
		p.Data = data
		out = append(out, p)
	}
	return out
}

func TestAV1KeyFramesAlwaysCarryTheirSequenceHeader(t *testing.T) {
	clip := generate(t, "a.webm", picture2s, strings.Fields("-c:v libaom-av1 -cpu-used 8 -b:v 100k -g 10"))
	_, packets, err := readAll(t, clip)
	if err != nil {
		t.Fatal(err)
	}
	_, sequence, err := av1.TemporalUnit(packets[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	config, err := av1.Config(sequence)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(clip, config) {
		t.Errorf("the av1C in ffmpeg's file is not ours, % x", config)
	}
	var blocks []byte
	for _, p := range withoutSequence(t, packets) {
		flags := byte(0)
		if p.Key {
			flags = flagKey
		}
		delimiter := []byte{0x12, 0}
		blocks = append(blocks, master(idSimpleBlock, blockOf(1, int16(p.Timestamp/1000), flags, delimiter, p.Data))...)
	}
	cluster := master(idCluster, number(idTimestamp, 0), blocks)
	r, got, err := readAll(t, file(entryOf(1, typeVideo, codecAV1, master(idCodecPrivate, config)), cluster))
	if err != nil || !slices.EqualFunc(got, packets, func(a, b media.Packet) bool { return bytes.Equal(a.Data, b.Data) }) {
		t.Errorf("header from av1C: %d packets that differ from those of the clip, error %v", len(got), err)
	}
	if f := r.Formats()[0]; f.CodecString != "av01.0.00M.08" || f.Width != 64 || f.Height != 48 {
		t.Errorf("format from av1C: %+v", f)
	}
	if _, _, err := readAll(t, file(entryOf(1, typeVideo, codecAV1), cluster)); !errors.Is(err, media.ErrFormat) {
		t.Errorf("no header anywhere: %v", err)
	}
	inline := master(idCluster, number(idTimestamp, 0), simple(1, 0, packets[0].Data))
	if r, _, err := readAll(t, file(entryOf(1, typeVideo, codecAV1), inline)); err != nil || r.Formats()[0].CodecString != "av01.0.00M.08" {
		t.Errorf("header in the first frame alone: %+v, error %v", r.Formats(), err)
	}
}

func TestSizesThatTheFileLeavesOpenAreReadFromTheFirstKeyFrame(t *testing.T) {
	for codec, args := range map[string]string{codecVP8: "-c:v libvpx", codecVP9: "-c:v libvpx-vp9 -cpu-used 8"} {
		r, packets, err := readAll(t, generate(t, "a.webm", picture2s, strings.Fields(args)))
		if err != nil {
			t.Fatal(err)
		}
		formats := r.Formats()
		f, _, err := readAll(t, file(entryOf(1, typeVideo, codec), master(idCluster, number(idTimestamp, 0), simple(1, 0, packets[0].Data))))
		if err != nil || f.Formats()[0].Width != 64 || f.Formats()[0].Height != 48 {
			t.Errorf("%s read: %+v, error %v", codec, f.Formats(), err)
		}
		formats[0].Width, formats[0].Height = 0, 0
		again, _, err := readAll(t, mediatest.ReadFile(t, rewrite(t, formats, packets)))
		if err != nil || again.Formats()[0].Width != 64 {
			t.Errorf("%s written: %+v, error %v", codec, again.Formats(), err)
		}
	}
}

func TestFormatsThatNeverSettleDoNotHoldTheReaderUp(t *testing.T) {
	var blocks []byte
	for i := range 300 {
		blocks = append(blocks, simple(1, int16(20*i), packet(20, byte(i)))...)
	}
	tracks := append(slices.Clone(opusEntry), entryOf(2, typeVideo, codecVP9, master(idVideo, number(idPixelWidth, 640), number(idPixelHeight, 480)))...)
	f := file(tracks, master(idCluster, number(idTimestamp, 0), blocks))
	r, err := NewReader(bytes.NewReader(f))
	if err != nil || r.Formats()[1].CodecString != "vp09.00.30.08" || r.span() > peekTime {
		t.Fatalf("%+v after %d µs, error %v", r.Formats(), r.span(), err)
	}
	if packets, err := mediatest.Drain(r); err != nil || len(packets) != 300 {
		t.Errorf("%d packets, error %v", len(packets), err)
	}
}

func TestH264WithParameterSetsInTheFramesAlone(t *testing.T) {
	clip := generate(t, "a.mkv", picture2s, strings.Fields("-c:v libx264 -profile:v high -pix_fmt yuv420p -bf 0"))
	_, packets, err := readAll(t, clip)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []byte
	for _, p := range packets {
		var sample []byte
		for nal := range h264.NALs(p.Data) {
			sample = append(binary.BigEndian.AppendUint32(sample, uint32(len(nal))), nal...)
		}
		flags := byte(0)
		if p.Key {
			flags = flagKey
		}
		blocks = append(blocks, master(idSimpleBlock, blockOf(1, int16(p.Timestamp/1000), flags, sample))...)
	}
	private := master(idCodecPrivate, []byte{1, 0x64, 0, 10, 0xff, 0xe0, 0})
	r, got, err := readAll(t, file(entryOf(1, typeVideo, codecH264, private), master(idCluster, number(idTimestamp, 0), blocks)))
	if err != nil || !slices.EqualFunc(got, packets, func(a, b media.Packet) bool { return bytes.Equal(a.Data, b.Data) }) {
		t.Errorf("%d packets that differ from those of the clip, error %v", len(got), err)
	}
	if f := r.Formats()[0]; f.CodecString != "avc1.64000a" || f.Width != 64 || f.Height != 48 || f.Reorders {
		t.Errorf("format %+v", f)
	}
}
