package webm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
)

// frame is a packet of track with a payload that names it.
func frame(track int, ms int64, key bool) media.Packet {
	data := fmt.Appendf([]byte{0x08}, "%d at %d", track, ms)
	return media.Packet{Track: track, Frame: media.Frame{Timestamp: ms * 1000, Key: key, Data: data}}
}

// written gives what a Writer on a pipe made of the packets, read back.
func written(t *testing.T, formats []media.Format, packets ...media.Packet) []media.Packet {
	t.Helper()
	var b bytes.Buffer
	writePackets(t, &b, formats, packets)
	_, got, err := readAll(t, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTimesStartAtZeroAndKeepTheirDistances(t *testing.T) {
	both := []media.Format{vp8Format, opusFormat}
	cases := []struct {
		name    string
		packets []media.Packet
		want    []int64 // ms
	}{
		{"from an hour on", []media.Packet{frame(0, 3_600_000, true), frame(1, 3_600_020, true)}, []int64{0, 20}},
		{"second track earlier", []media.Packet{frame(0, 100, true), frame(1, 60, true), frame(1, 80, true)}, []int64{40, 0, 20}},
		{"below zero", []media.Packet{frame(0, -500, true), frame(1, -480, true)}, []int64{0, 20}},
		{"gap of 50 s", []media.Packet{frame(0, 0, true), frame(1, 50_000, true), frame(1, 100_000, true)}, []int64{0, 50_000, 100_000}},
		{"back by 30 s and 40 s", []media.Packet{frame(1, 0, true), frame(0, 50_000, true), frame(1, 20_000, true), frame(1, 10_000, true)}, []int64{0, 50_000, 20_000, 10_000}},
		{"earlier than all that was held", []media.Packet{frame(1, 1000, true), frame(1, 1300, true), frame(0, 900, true)}, []int64{0, 300, 0}},
	}
	for _, c := range cases {
		for i, p := range written(t, both, c.packets...) {
			if p.Timestamp != c.want[i]*1000 || !bytes.Equal(p.Data, c.packets[i].Data) || p.Track != c.packets[i].Track {
				t.Errorf("%s: packet %d is %q of track %d at %d µs, want %d ms", c.name, i, p.Data, p.Track, p.Timestamp, c.want[i])
			}
		}
	}
	rounded := media.Packet{Frame: media.Frame{Timestamp: 33_333, Data: []byte{8}}}
	if got := written(t, []media.Format{opusFormat}, media.Packet{Frame: media.Frame{Data: []byte{8}}}, rounded); got[1].Timestamp != 33_000 {
		t.Errorf("33.333 ms became %d µs", got[1].Timestamp)
	}
}

func TestClustersStartAtKeyFramesAndEachTwoSeconds(t *testing.T) {
	var b bytes.Buffer
	var packets []media.Packet
	for ms := int64(0); ms < 7000; ms += 100 {
		packets = append(packets, frame(0, ms, ms%5000 == 0), frame(1, ms, true))
	}
	writePackets(t, &b, []media.Format{vp8Format, opusFormat}, packets)
	r, err := NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var starts []uint64
	for r.err == nil {
		if r.advance(); r.timed && (len(starts) == 0 || starts[len(starts)-1] != r.clusterTime) {
			starts = append(starts, r.clusterTime)
		}
	}
	if got, want := fmt.Sprint(starts), "[0 2000 4000 5000]"; got != want {
		t.Errorf("clusters start at %s ms, want %s", got, want)
	}
}

func TestAKilledWriterLeavesAFileThatPlays(t *testing.T) {
	clip := generate(t, "a.webm", picture6s, tone2s, strings.Fields("-c:v libvpx -b:v 100k -g 30 -c:a libopus"))
	r, packets, err := readAll(t, clip)
	if err != nil {
		t.Fatal(err)
	}
	packets = packets[:len(packets)*2/3]
	path := filepath.Join(t.TempDir(), "killed.webm")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(f, r.Formats())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil { // the Writer is never closed
		t.Fatal(err)
	}
	for track := range r.Formats() {
		samePackets(t, "killed", theirs(t, path, track), ours(packets, track))
	}
	mediatest.FFmpeg(t, "-i", path, "-f", "null", "-")
}

func TestClosedFilesSeek(t *testing.T) {
	clip := generate(t, "a.webm", picture6s, strings.Fields("-c:v libvpx -b:v 100k -g 30"))
	r, packets, err := readAll(t, clip)
	if err != nil {
		t.Fatal(err)
	}
	path := rewrite(t, r.Formats(), packets)
	out := string(mediatest.FFmpeg(t, "-ss", "3", "-i", path, "-c", "copy", "-copyts", "-f", "framemd5", "-"))
	if !strings.Contains(out, "2000,") || strings.Contains(out, " 1933,") {
		t.Errorf("after seeking to 3 s with key frames each 2 s ffmpeg reads:\n%.400s", out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	checkIndex(t, b, 3)
}

// checkIndex follows sizes, SeekHead and Cues of a file that was closed.
func checkIndex(t *testing.T, b []byte, cues int) {
	t.Helper()
	_, size, n, err := header(b)
	if err != nil {
		t.Fatal(err)
	}
	b = b[n+int(size):]
	_, size, n, err = header(b)
	if err != nil || size != int64(len(b)-n) {
		t.Fatalf("Segment of %d bytes, %d are there", size, len(b)-n)
	}
	segment := b[n:]
	var seeks, found, duration int
	err = children(segment, "Segment", 0, func(id uint32, data []byte, _ int64) error {
		switch id {
		case idInfo:
			return children(data, "Info", 0, func(id uint32, data []byte, _ int64) error {
				if id == idDuration {
					duration = int(floatOf(data))
				}
				return nil
			})
		case idSeekHead:
			return children(data, "SeekHead", 0, func(_ uint32, data []byte, _ int64) error {
				seeks++
				return checkSeek(t, segment, data)
			})
		case idCues:
			return children(data, "Cues", 0, func(_ uint32, data []byte, _ int64) error {
				found++
				return checkCue(t, segment, data)
			})
		}
		return nil
	})
	if err != nil || seeks != 3 || found != cues || duration < 5900 || duration > 6100 {
		t.Errorf("%d seek entries, %d cues, duration %d ms, error %v; want 3, %d, 6000", seeks, found, duration, err, cues)
	}
}

func checkSeek(t *testing.T, segment, seek []byte) error {
	var want, at uint64
	return errors.Join(children(seek, "Seek", 0, func(id uint32, data []byte, _ int64) error {
		switch id {
		case idSeekID:
			want = uintOf(data)
		case idSeekPosition:
			at = uintOf(data)
			if got, _, _, err := header(segment[at:]); err != nil || uint64(got) != want {
				t.Errorf("SeekHead points at %s, not %s", name(got), name(uint32(want)))
			}
		}
		return nil
	}))
}

// checkCue checks that a cue points at a Cluster of its time, with a key frame first.
func checkCue(t *testing.T, segment, point []byte) error {
	time := uint64(0)
	return children(point, "CuePoint", 0, func(id uint32, data []byte, _ int64) error {
		if id == idCueTime {
			time = uintOf(data)
		}
		if id != idCueTrackPos {
			return nil
		}
		return children(data, "CueTrackPositions", 0, func(id uint32, data []byte, _ int64) error {
			if id != idCueClusterPos {
				return nil
			}
			at := uintOf(data)
			got, size, n, err := header(segment[at:])
			if err != nil || got != idCluster {
				t.Fatalf("cue at %d ms points at %s", time, name(got))
			}
			at += uint64(n)
			first := true
			return children(segment[at:at+uint64(size)], "Cluster", 0, func(id uint32, data []byte, _ int64) error {
				if id == idTimestamp && uintOf(data) != time {
					t.Errorf("cue at %d ms points at a Cluster at %d", time, uintOf(data))
				}
				if id == idSimpleBlock && first {
					if first = false; data[3]&flagKey == 0 {
						t.Errorf("cue at %d ms points at no key frame", time)
					}
				}
				return nil
			})
		})
	})
}

func TestTheFileStartsWhereItsFileStands(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for name, flag := range map[string]int{"written on": 0, "appended to": os.O_APPEND} {
		if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR|flag, 0)
		if err != nil {
			t.Fatal(err)
		}
		if flag == 0 {
			if _, err := f.Seek(6, io.SeekStart); err != nil {
				t.Fatal(err)
			}
		}
		writePackets(t, f, []media.Format{opusFormat}, []media.Packet{frame(0, 0, true), frame(0, 3000, true)})
		b, err := os.ReadFile(path)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		tail, ok := bytes.CutPrefix(b, []byte("before"))
		if !ok {
			t.Errorf("%s: what was in the file is gone", name)
		}
		if _, p, err := readAll(t, tail); err != nil || len(p) != 2 {
			t.Errorf("%s: %d packets, error %v", name, len(p), err)
		}
	}
}

func TestDocTypeIsWebMOnlyWhereAllCodecsBelong(t *testing.T) {
	h264 := media.Format{Kind: media.Video, Codec: media.H264}
	for want, formats := range map[string][]media.Format{"webm": {vp8Format, opusFormat}, "matroska": {opusFormat, h264}} {
		w, err := NewWriter(io.Discard, formats)
		if err != nil {
			t.Fatal(err)
		}
		if h := w.head(); !bytes.Contains(h, []byte(want)) || FitsWebM(formats[1]) != (want == "webm") {
			t.Errorf("head for %v: % x", formats, h)
		}
	}
}
