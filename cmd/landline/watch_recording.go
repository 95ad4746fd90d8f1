package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"landline/media"
	"landline/media/webm"
	"landline/signaling"
	"landline/signaling/client"
)

// pace is how fast a recording is watched: a factor, or 0 for as fast as it comes.
type pace float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *pace) UnmarshalText(text []byte) error {
	if string(text) == "max" {
		*p = 0
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(f >= 0.1 && f <= 100) {
		return fmt.Errorf("%q: want 0.1 to 100, or max", text)
	}
	*p = pace(f)
	return nil
}

// recordingReport is what a watch of a recording writes with --json.
type recordingReport struct {
	Recording  string           `json:"recording"`
	Out        string           `json:"out,omitempty"`
	Speed      string           `json:"speed"`
	Files      int              `json:"files"`
	Position   float64          `json:"position"` // s in the recording, at the end
	Bytes      uint64           `json:"bytes"`
	Seconds    float64          `json:"seconds"`       // from the first request on
	FirstFrame float64          `json:"first_frame_s"` // after it was begun to join
	Late       uint64           `json:"late"`          // frames that came over 100 ms after their time
	Reconnects int              `json:"reconnects"`
	Tracks     []recordingTrack `json:"tracks"`
	Complete   bool             `json:"complete"` // it was watched to its end
}

type recordingTrack struct {
	File   int    `json:"file"`
	Codec  string `json:"codec"`
	Frames uint64 `json:"frames"`
	Bytes  uint64 `json:"bytes"`
}

// lateFrame is what a frame may be behind its time before it counts as late.
const lateFrame = 100 * time.Millisecond

// viewing is one recording that is watched alone.
type viewing struct {
	cmd   *watchCmd
	con   *console
	out   io.Writer // nil: it is not saved
	began time.Time
	start time.Time // of the reading
	rate  rateMeter

	bytes, position, size atomic.Int64 // position in µs
	report                recordingReport
}

// watchGC is how much garbage there may be, in percent of what is kept: next to nothing is, and as fast as it comes there is a lot of it.
const watchGC = 400

// watchRecording reads a recording as one who watches it would.
func (c *watchCmd) watchRecording(ctx context.Context, con *console) error {
	defer debug.SetGCPercent(debug.SetGCPercent(watchGC))
	v := &viewing{cmd: c, con: con, began: time.Now(), report: recordingReport{Recording: c.Recording, Out: c.Out, Speed: c.speedText()}}
	var saved *os.File
	if c.Out != "" {
		f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		saved, v.out = f, f
	}
	err := v.watch(ctx)
	if saved != nil {
		if err = errors.Join(err, saved.Close()); err != nil {
			err = errors.Join(err, os.Remove(c.Out)) // half a file is none
		}
	}
	return errors.Join(err, v.tell(err))
}

func (c *watchCmd) speedText() string {
	if c.Speed == 0 {
		return "max"
	}
	return strconv.FormatFloat(float64(c.Speed), 'g', -1, 64)
}

// checkRecording refuses flags that do not go together with --recording.
func (c *watchCmd) checkRecording() error {
	switch {
	case signaling.RecordingOf(signaling.RecordingRoom(c.Recording)) == "":
		return usagef("--recording %q: want an id, as landline recordings lists them", c.Recording)
	case c.Member != "" || c.Height != 0 || c.Wait != 0 || c.Transport == "webrtc":
		return usagef("--member, --height, --wait and --transport are for a room, not for a recording")
	case c.Out != "" && (c.At > 0 || c.Out == "-"):
		return usagef("--out saves a recording whole, into a file: leave out --at")
	}
	return nil
}

func (v *viewing) watch(ctx context.Context) error {
	o := (&roomFlags{v.cmd.connectFlags, signaling.RecordingRoom(v.cmd.Recording), v.cmd.Name}).options(v.con)
	refused := make(chan error, 1)
	o.OnEvent = func(msg any) {
		if m, ok := msg.(*signaling.Error); ok && !m.Fatal {
			select {
			case refused <- fmt.Errorf("the relay refuses: %s", m.Text):
			default:
			}
		}
	}
	room, err := client.Dial(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		v.report.Reconnects = room.Reconnects()
		room.Close()
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, room.Close) // who waits for bytes is told
	defer stop()
	go func() {
		select {
		case err := <-refused:
			cancel(err)
		case <-ctx.Done():
		}
	}()
	files, err := room.Lents(ctx)
	if err == nil {
		err = v.readAll(ctx, files)
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.Canceled) {
			return nil // interrupted: what was seen is what is told
		}
		return cause
	}
	return err
}

func (v *viewing) readAll(ctx context.Context, files []*client.Lent) error {
	if v.out != nil && len(files) > 1 {
		return fmt.Errorf("the recording has %d files, which --out cannot save as one: use landline recordings get --part", len(files))
	}
	for _, f := range files {
		v.size.Add(f.Size)
	}
	v.start, v.report.Files = time.Now(), len(files)
	bar := startProgress(v.con, v.progress)
	defer bar.stop()
	defer func() { v.report.Seconds = time.Since(v.start).Seconds() }()
	at := v.cmd.At.duration()
	for _, f := range files {
		over, err := v.readFile(ctx, f, at)
		if err != nil || over {
			return err
		}
		at = 0
	}
	v.report.Complete = true
	return nil
}

// countedReader counts what is read of a file.
type countedReader struct {
	*client.Lent
	n *atomic.Int64
}

func (c countedReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Lent.ReadAt(p, off)
	c.n.Add(int64(n))
	return n, err
}

// open begins a file, at the key frame before a place in it or at its beginning.
func (v *viewing) open(f *client.Lent, at time.Duration) (media.Reader, error) {
	content := countedReader{f, &v.bytes}
	if at == 0 {
		var src io.Reader = io.NewSectionReader(content, 0, f.Size)
		if v.out != nil {
			src = io.TeeReader(src, v.out)
		}
		return webm.NewReader(src)
	}
	s, err := webm.NewSeekable(content, f.Size)
	if err != nil {
		return nil, err
	}
	_, _, err = s.SeekTo(at.Microseconds())
	return s, err
}

// readFile reads one file frame by frame, each at its time; what is needed to decode the first ones comes at once. over means that --duration is.
func (v *viewing) readFile(ctx context.Context, f *client.Lent, at time.Duration) (over bool, err error) {
	r, err := v.open(f, at)
	if err != nil {
		return false, fmt.Errorf("%s: %w", filepath.Base(f.Name), err)
	}
	first := len(v.report.Tracks)
	for _, t := range r.Formats() {
		v.report.Tracks = append(v.report.Tracks, recordingTrack{File: f.Part, Codec: string(t.Codec)})
	}
	begun := time.Now()
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", filepath.Base(f.Name), err)
		}
		v.took(&v.report.Tracks[first+p.Track], p)
		since := p.Timestamp - at.Microseconds()
		if over, err := v.wait(ctx, begun, since); over || err != nil {
			return over, err
		}
		if v.cmd.Duration > 0 && time.Duration(since)*time.Microsecond >= v.cmd.Duration.duration() {
			return true, nil
		}
	}
}

func (v *viewing) took(t *recordingTrack, p media.Packet) {
	if v.report.FirstFrame == 0 {
		v.report.FirstFrame = time.Since(v.began).Seconds()
	}
	t.Frames++
	t.Bytes += uint64(len(p.Data))
	v.position.Store(max(v.position.Load(), p.Timestamp))
}

// wait waits until a frame is due.
func (v *viewing) wait(ctx context.Context, begun time.Time, us int64) (over bool, err error) {
	if v.cmd.Speed == 0 {
		return false, nil
	}
	due := begun.Add(time.Duration(float64(us) * 1000 / float64(v.cmd.Speed)))
	left := time.Until(due)
	if us >= 0 && left < -lateFrame {
		v.report.Late++
	}
	if left <= 0 {
		return false, nil
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
		return false, nil
	case <-ctx.Done():
		return true, nil
	}
}

// progress is the line on the terminal.
func (v *viewing) progress() string {
	n, size := v.bytes.Load(), v.size.Load()
	return fmt.Sprintf("%s  %d %%  %s", clockText(time.Duration(v.position.Load())*time.Microsecond), 100*n/max(size, 1), bitsText(v.rate.update(uint64(n))))
}

// tell writes the report.
func (v *viewing) tell(err error) error {
	r := &v.report
	r.Bytes, r.Position = uint64(v.bytes.Load()), float64(v.position.Load())/1e6
	switch {
	case v.cmd.JSON:
		return writeJSON(v.con.out, r)
	case err != nil:
		return nil
	}
	var frames uint64
	for _, t := range r.Tracks {
		frames += t.Frames
	}
	_, err = fmt.Fprintf(v.con.out, "%s: %s, %d frames, %.1f MB in %.1f s, the first after %d ms\n", r.Recording,
		clockText(time.Duration(v.position.Load())*time.Microsecond), frames, float64(r.Bytes)/1e6, r.Seconds, int(r.FirstFrame*1000))
	return err
}
