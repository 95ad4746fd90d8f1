package main

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"landline/media"
	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/client"
)

// inStep is the most by which a flash and its beep, and what members did at the same moment, may lie apart in a recording.
const inStep = 45 * time.Millisecond

// flashAt is when the clip flashes and beeps. No two distances are alike, so that two of them tell which they are.
var flashAt = []time.Duration{240 * time.Millisecond, 760 * time.Millisecond, 1400 * time.Millisecond, 2560 * time.Millisecond, 3320 * time.Millisecond,
	4240 * time.Millisecond, 5560 * time.Millisecond}

// flashClip is a small picture that is white, and a beep, for 80 ms at those times.
func flashClip(t *testing.T) string {
	t.Helper()
	var times []string
	for _, at := range flashAt {
		times = append(times, fmt.Sprintf("gte(t,%.3f)*lt(t,%.3f)", at.Seconds()-0.001, at.Seconds()+0.079))
	}
	now := strings.Join(times, "+")
	path := filepath.Join(t.TempDir(), "flash.webm")
	ffmpeg(t, "-f", "lavfi", "-i", "color=black:s=160x90:r=25,drawbox=color=white:t=fill:enable='"+now+"'",
		"-f", "lavfi", "-i", "aevalsrc=exprs='("+now+")*0.4*sin(2*PI*1000*t)':sample_rate=48000",
		"-t", "6", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "200k", "-g", "25", "-c:a", "libopus", path)
	return path
}

// clocks is a guest who writes down what each member says of its clock.
type clocks struct {
	mu    sync.Mutex
	began map[string]time.Time // by member id: when the first packet of its clip was due
}

func readClocks(t *testing.T, url string) *clocks {
	t.Helper()
	c := &clocks{began: map[string]time.Time{}}
	room, err := client.Dial(t.Context(), client.Options{URL: url, Room: "lab", Name: "guest", Subscribe: []signaling.Subscribe{{}},
		OnFrame: func(in *client.Incoming, _ client.Frame) {
			c.mu.Lock()
			defer c.mu.Unlock()
			clock := in.Track().Clock
			c.began[in.Member.ID] = time.UnixMicro(clock.WallUs - clock.Us + memberZero)
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(room.Close)
	return c
}

// members is how many have been seen.
func (c *clocks) members() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.began)
}

// Who was there before the recording, who comes late, and who goes and comes again: in the file each flash is with its beep, and each member where it was by the
// clock on the wall.
func TestARecordingIsInStep(t *testing.T) {
	t.Parallel()
	url, dir := recordingRelay(t)
	clip := flashClip(t)
	wall := readClocks(t, url)
	stream := func(name string, flags ...string) *job {
		return launch(t, nil, append([]string{"stream", clip, "--url", url, "--room", "lab", "--name", name}, flags...)...)
	}
	ends := func(j *job) {
		if _, errs, code := j.wait(t); code != 0 {
			t.Fatal(errs)
		}
	}
	early := stream("early")
	until(t, "one is there", func() bool { return wall.members() == 1 })
	rec := launch(t, nil, "record", "--url", url, "--room", "lab", "--json")
	until(t, "the file has begun", func() bool { return size(t, dir) > 25_000 })
	late, twice := stream("late"), stream("twice", "--duration", "2.2")
	ends(twice)
	again := stream("twice")
	for _, j := range []*job{early, late, again} {
		ends(j)
	}
	rec.cancel()
	info := reported[record.Info](t, rec)
	if len(info.Files) != 1 || len(info.Files[0].Tracks) != 8 || info.Dropped != 0 {
		t.Fatalf("%+v", info)
	}
	var began []time.Time // the file's 0 by the wall, as each flash and each beep has it
	for i, track := range info.Files[0].Tracks {
		of := wall.zeros(t, filepath.Join(dir, info.Files[0].Name), i, track)
		t.Logf("%s, %s: %d, the first has the file begin at %v", track.Name, track.Kind, len(of), of[0].Format("05.0000"))
		began = append(began, of...)
	}
	slices.SortFunc(began, time.Time.Compare)
	if apart := began[len(began)-1].Sub(began[0]); apart > inStep {
		t.Errorf("what was at the same time is up to %v apart", apart)
	}
}

// zeros gives for each flash or beep of a track when the file would have begun by the wall, if that one is where it is to be.
func (c *clocks) zeros(t *testing.T, path string, place int, track record.Track) (list []time.Time) {
	t.Helper()
	var found []time.Duration
	if media.Kind(track.Kind) == media.Video {
		found = flashes(t, path, place)
	} else {
		found = beeps(t, path, place)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	zero, known := c.began[track.Member]
	if len(found) < 3 || !known {
		t.Fatalf("%s, %s: %v was found; its clock is known: %v", track.Name, track.Kind, found, known)
	}
	for first := range len(flashAt) - len(found) + 1 {
		if apart := found[1] - found[0] - (flashAt[first+1] - flashAt[first]); apart.Abs() > inStep {
			continue
		}
		for n, at := range found {
			list = append(list, zero.Add(flashAt[first+n]-at))
		}
		return list
	}
	t.Fatalf("%s, %s: %v are no flashes of the clip", track.Name, track.Kind, found)
	return nil
}

// flashes is when the picture of a track turns white, by the clock of the file.
func flashes(t *testing.T, path string, track int) (list []time.Duration) {
	t.Helper()
	text := decoded(t, path, "-map", fmt.Sprintf("0:%d", track), "-copyts", "-vf", "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-",
		"-fps_mode", "passthrough", "-f", "null")
	var seconds, level float64
	white := false
	for line := range strings.Lines(string(text)) {
		if _, at, ok := strings.Cut(line, "pts_time:"); ok {
			seconds, _ = strconv.ParseFloat(strings.TrimSpace(at), 64) // what cannot be read is no time of a flash
		}
		if n, _ := fmt.Sscanf(line, "lavfi.signalstats.YAVG=%f", &level); n == 0 {
			continue
		}
		if level > 128 && !white {
			list = append(list, time.Duration(seconds*float64(time.Second)))
		}
		white = level > 128
	}
	return list
}

// beeps is when the sound of a track begins after a silence, likewise.
func beeps(t *testing.T, path string, track int) (list []time.Duration) {
	t.Helper()
	const rate, silence, loud = 48_000, 480, 4000
	pcm := decoded(t, path, "-map", fmt.Sprintf("0:%d", track), "-copyts", "-af", "aresample=48000:async=1:first_pts=0", "-ac", "1", "-f", "s16le")
	last := -rate
	for i := range len(pcm) / 2 {
		if v := int16(binary.LittleEndian.Uint16(pcm[2*i:])); v < loud && v > -loud {
			continue
		}
		if i-last > silence {
			list = append(list, time.Duration(i)*time.Second/rate)
		}
		last = i
	}
	return list
}
