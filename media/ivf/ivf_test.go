package ivf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
	"landline/media/ivf"
)

var clips = map[string]struct {
	options []string
	prefix  []byte // AV1: the temporal delimiter that the file has and a frame has not
	format  media.Format
}{
	"VP8": {[]string{"-c:v", "libvpx", "-g", "20", "-b:v", "100k"}, nil,
		media.Format{Codec: media.VP8, CodecString: "vp8"}},
	"VP9 with superframes": {[]string{"-c:v", "libvpx-vp9", "-g", "20", "-b:v", "100k", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-cpu-used", "5"}, nil,
		media.Format{Codec: media.VP9, CodecString: "vp09.00.10.08"}},
	"VP9, 4:4:4, 10 bit": {[]string{"-c:v", "libvpx-vp9", "-g", "20", "-b:v", "100k", "-cpu-used", "8", "-pix_fmt", "yuv444p10le", "-colorspace", "bt709"}, nil,
		media.Format{Codec: media.VP9, CodecString: "vp09.03.10.10", Colour: &media.Colour{Primaries: "bt709", Transfer: "bt709", Matrix: "bt709"}}},
	"AV1": {[]string{"-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-g", "20", "-b:v", "100k"}, []byte{0x12, 0},
		media.Format{Codec: media.AV1, CodecString: "av01.0.00M.08"}},
}

// Frames are those that ffmpeg finds, and what is written again shows the same pictures at the same
// times.
func TestReadAndWriteLikeFFmpeg(t *testing.T) {
	for name, c := range clips {
		t.Run(name, func(t *testing.T) {
			path := encode(t, c.options...)
			r := open(t, path)
			c.format.Kind, c.format.Width, c.format.Height = media.Video, 98, 66
			if got := r.Formats(); len(got) != 1 || !reflect.DeepEqual(got[0], c.format) {
				t.Errorf("format %+v, want %+v", got, c.format)
			}
			frames := mediatest.All(t, r)
			want := packets(t, path)
			if got := sums(frames, c.prefix); !slices.Equal(got, want) {
				t.Errorf("frames differ from ffmpeg's:\n got %v\nwant %v", got, want)
			}
			if got, want := keys(frames), ffmpegKeys(t, path); !slices.Equal(got, want) {
				t.Errorf("key frames %v, want %v", got, want)
			}
			again := write(t, r.Formats()[0], frames)
			if got := packets(t, again); !slices.Equal(got, want) {
				t.Errorf("frames differ after writing:\n got %v\nwant %v", got, want)
			}
			mediatest.FFmpeg(t, "-i", again, "-f", "null", "-")
			if d := probe(t, again, "format=duration"); d[0] != "2.000000" {
				t.Errorf("ffprobe says that %v s were written", d)
			}
		})
	}
}

func keys(frames []media.Packet) []int {
	var at []int
	for i, p := range frames {
		if p.Key {
			at = append(at, i)
		}
	}
	return at
}

// probe gives what ffprobe says about the entries, a line each.
func probe(t *testing.T, path, entries string) []string {
	t.Helper()
	out := mediatest.Run(t, "ffprobe", "-v", "error", "-show_entries", entries, "-of", "csv=p=0", path)
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// ffmpegKeys are the key frames by the pictures that the decoder puts out.
func ffmpegKeys(t *testing.T, path string) []int {
	t.Helper()
	var at []int
	for i, line := range probe(t, path, "frame=key_frame") {
		if strings.HasPrefix(line, "1") {
			at = append(at, i)
		}
	}
	return at
}

func write(t *testing.T, f media.Format, frames []media.Packet) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "again.ivf")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	save(t, file, f, frames)
	return path
}

func save(t *testing.T, to io.Writer, f media.Format, frames []media.Packet) {
	t.Helper()
	w, err := ivf.NewWriter(to, f)
	mediatest.Save(t, w, err, frames)
}

// vp8Key and vp8Delta are enough of a VP8 frame of 16x16 for a reader.
var (
	vp8Key   = []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0}
	vp8Delta = []byte{0x11, 0, 0, 1}
)

// file makes an IVF file of VP8 frames.
func file(t testing.TB, rate, scale uint32, times []uint64) []byte {
	t.Helper()
	b := []byte("DKIF\x00\x00\x20\x00VP80\x10\x00\x10\x00")
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, scale)
	b = append(b, make([]byte, 8)...)
	for i, at := range times {
		data := vp8Delta
		if i == 0 {
			data = vp8Key
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
		b = append(binary.LittleEndian.AppendUint64(b, at), data...)
	}
	return b
}

// Times are the nearest µs in whatever unit the file counts.
func TestTimes(t *testing.T) {
	for name, c := range map[string]struct {
		rate, scale uint32
		times       []uint64
		want        []int64
	}{
		"1/30":       {30, 1, []uint64{0, 1, 2, 3}, []int64{0, 33_333, 66_667, 100_000}},
		"1001/30000": {30000, 1001, []uint64{0, 1, 30000}, []int64{0, 33_367, 1_001_000_000}},
		"1/90000":    {90000, 1, []uint64{3003, 1 << 40}, []int64{33_367, 12_216_795_864_178}},
		"1 ns":       {1_000_000_000, 1, []uint64{499, 500, 40_000_000_000_000}, []int64{0, 1, 40_000_000_000}},
		"1 s":        {1, 1, []uint64{7}, []int64{7_000_000}},
	} {
		r, err := ivf.NewReader(bytes.NewReader(file(t, c.rate, c.scale, c.times)))
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, p := range mediatest.All(t, r) {
			got = append(got, p.Timestamp)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// A file cut anywhere gives its whole frames and then says where it was cut.
func TestCutFile(t *testing.T) {
	whole := file(t, 30, 1, []uint64{0, 1, 2})
	ends := []int{32 + 12 + 10, 32 + 12 + 10 + 16, 32 + 12 + 10 + 32}
	for n := 1; n < len(whole); n++ {
		frames := 0
		for frames < len(ends) && ends[frames] <= n {
			frames++
		}
		r, err := ivf.NewReader(bytes.NewReader(whole[:n]))
		for i := 0; err == nil; i++ {
			if _, err = r.Next(); err == nil && i >= frames {
				t.Fatalf("cut to %d bytes: more than %d frames", n, frames)
			} else if err != nil && i != frames {
				t.Fatalf("cut to %d bytes: %d frames of %d, then %v", n, i, frames, err)
			}
		}
		if frames > 0 && n == ends[frames-1] {
			if !errors.Is(err, io.EOF) {
				t.Errorf("cut to %d bytes, after a frame: %v", n, err)
			}
		} else if !errors.Is(err, media.ErrTruncated) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

// Without a way to seek the file is the same but for its length.
func TestWriteWithoutSeek(t *testing.T) {
	frames := []media.Packet{{Frame: media.Frame{Timestamp: 5, Key: true, Data: vp8Key}}, {Frame: media.Frame{Timestamp: 1 << 40, Data: vp8Delta}}}
	var b bytes.Buffer
	save(t, &b, media.Format{Codec: media.VP8}, frames)
	r, err := ivf.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Formats()[0]; f.Width != 16 || f.Height != 16 {
		t.Errorf("the size of the first key frame became %dx%d", f.Width, f.Height)
	}
	if got := mediatest.All(t, r); !reflect.DeepEqual(got, frames) {
		t.Errorf("got %v, want %v", got, frames)
	}
}
