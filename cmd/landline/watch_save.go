package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"landline/media"
	"landline/signaling/client"
)

// How the tracks of a member come together in a file.
const (
	saveBytes = 16 << 20               // held at most, before the file begins and to bring tracks in order
	saveBegin = time.Second            // the file begins so long after the first frame, though tracks have sent nothing
	saveMore  = 2 * time.Second        // and no sooner while sound or picture may still be announced: a page's camera comes after its voice
	saveHead  = 10 * time.Second       // and so long after it, though one of them is needed for the file's head
	saveOrder = 500 * time.Millisecond // a frame waits so long for earlier ones of other tracks
)

// saver writes what comes of one member to a file. It belongs to one goroutine at a time.
type saver struct {
	out    string
	ending ending
	con    *console

	tracks  []*savedTrack
	held    int       // bytes queued
	firstAt time.Time // when the first frame came
	zero    int64     // its time, or that of an earlier one that came before the file began
	newest  int64
	muxer   media.Writer // nil until the file has begun
	file    *os.File     // nil for standard output
}

// savedTrack is one track, in the file or left out.
type savedTrack struct {
	in     *client.Incoming
	past   client.IncomingStats // of earlier publications under the same id
	format media.Format
	id     string
	place  int // in the file; leftOut if it is not in it
	ended  bool
	queue  []savedFrame
	last   int64 // time in the order of writing

	frames, bytes, keyFrames uint64
}

const leftOut = -1

type savedFrame struct {
	media.Frame
	at      int64 // time in the order of writing: never before that of the frame before
	arrived time.Time
}

func newSaver(out string, e ending, con *console) *saver {
	return &saver{out: out, ending: e, con: con}
}

// add takes a track that was announced. It refuses one that the file cannot hold.
func (s *saver) add(in *client.Incoming) error {
	track := in.Track()
	for _, t := range s.tracks {
		if t.id == track.ID && t.format.Codec == track.Codec {
			t.past = sumStats(t.past, t.in.Stats())
			t.in, t.ended = in, false
			return nil
		}
	}
	t := &savedTrack{in: in, id: track.ID, format: track.Format()}
	s.tracks = append(s.tracks, t)
	switch {
	case s.muxer != nil:
		t.place = leftOut
		s.con.log.Warn("a track that came after the file began is left out", "track", t.id, "codec", t.format.Codec)
	case s.ending.kind != "" && (t.format.Kind != s.ending.kind || s.taken() > 1):
		t.place = leftOut
		s.con.log.Warn(s.ending.name+" holds one track; another is left out", "track", t.id, "codec", t.format.Codec)
	default:
		return s.ending.fits(t.format.Codec)
	}
	return nil
}

// taken counts the tracks that are to be in the file.
func (s *saver) taken() (n int) {
	for _, t := range s.tracks {
		if t.place != leftOut {
			n++
		}
	}
	return n
}

func (s *saver) end(id string) {
	for _, t := range s.tracks {
		t.ended = t.ended || t.id == id
	}
}

func (s *saver) allEnded() bool {
	for _, t := range s.tracks {
		if !t.ended {
			return false
		}
	}
	return len(s.tracks) > 0
}

// frame takes a frame of a track.
func (s *saver) frame(in *client.Incoming, f client.Frame) error {
	for _, t := range s.tracks {
		if t.in != in {
			continue
		}
		if s.firstAt.IsZero() {
			s.firstAt = f.Arrived
		}
		if t.place == leftOut {
			break
		}
		if len(t.queue) == 0 && t.frames == 0 {
			track := in.Track()
			t.format = track.FormatOf(in.Stats().Layer)
			t.last = f.Timestamp
		}
		t.last = max(t.last, f.Timestamp)
		if d, err := media.OpusDuration(f.Data); err == nil && t.format.Codec == media.Opus {
			f.Duration = d
		}
		t.queue = append(t.queue, savedFrame{f.Frame, t.last, f.Arrived})
		s.held += len(f.Data)
	}
	return s.tick(f.Arrived)
}

// tick begins the file when it is time, and writes what need not wait any longer.
func (s *saver) tick(now time.Time) error {
	if s.firstAt.IsZero() {
		return nil
	}
	if s.muxer == nil {
		if !s.complete(now.Sub(s.firstAt)) {
			return nil
		}
		if err := s.begin(); err != nil {
			return err
		}
	}
	return s.write(now, false)
}

// complete reports whether the file can begin: every track has sent something, or was waited for long enough.
func (s *saver) complete(waited time.Duration) bool {
	if s.taken() == 0 {
		return waited >= saveBegin
	}
	all, head := true, true
	for _, t := range s.tracks {
		if t.place == leftOut || t.ended || len(t.queue) > 0 {
			continue
		}
		all = false
		head = head && !needsFrame(t.format.Codec)
	}
	if !s.settled() && waited < saveMore && s.held <= saveBytes {
		return false
	}
	return all || head && waited >= saveBegin || waited >= saveHead || s.held > saveBytes
}

// settled reports whether no further track is to be expected: there are sound and picture, the file holds one track,
// or what there was has ended.
func (s *saver) settled() bool {
	sound, picture := false, false
	for _, t := range s.tracks {
		sound = sound || t.format.Kind == media.Audio
		picture = picture || t.format.Kind == media.Video
	}
	return sound && picture || s.ending.kind != "" || s.allEnded()
}

// needsFrame reports whether a container's head needs a frame of the codec.
func needsFrame(c media.Codec) bool { return c == media.H264 || c == media.AV1 }

// begin makes the file.
func (s *saver) begin() error {
	// Video first, as players like it; the relay lists tracks in an order of its own.
	slices.SortStableFunc(s.tracks, func(a, b *savedTrack) int { return -strings.Compare(string(a.format.Kind), string(b.format.Kind)) })
	var formats []media.Format
	first := true
	for _, t := range s.tracks {
		if len(t.queue) == 0 && t.place != leftOut && (t.ended || needsFrame(t.format.Codec)) {
			t.place = leftOut
			s.con.log.Warn("a track that has sent nothing is left out", "track", t.id, "codec", t.format.Codec)
		}
		if t.place == leftOut {
			continue
		}
		t.place = len(formats)
		formats = append(formats, t.format)
		if len(t.queue) > 0 && (first || t.queue[0].Timestamp < s.zero) {
			first, s.zero = false, t.queue[0].Timestamp
		}
	}
	if len(formats) == 0 {
		return s.ending.fits(s.tracks[0].format.Codec)
	}
	s.newest = s.zero
	var out io.Writer = struct{ io.Writer }{s.con.out} // not to be sought in
	if s.out != "-" {
		f, err := os.Create(s.out)
		if err != nil {
			return err
		}
		s.file, out = f, f
	}
	muxer, err := s.ending.writer(out, formats)
	if err != nil {
		return err
	}
	s.muxer = muxer
	return s.prime()
}

// prime writes the first frame of a track that begins much later than others ahead of its time, if the file's head
// needs it: a muxer does not hold back for long.
func (s *saver) prime() error {
	const late = int64(time.Second / time.Microsecond)
	for _, t := range s.tracks {
		if t.place != leftOut && needsFrame(t.format.Codec) && len(t.queue) > 0 && t.queue[0].at-s.zero > late {
			if err := s.writeOne(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes the frames that are next by time, those that would have to wait for other tracks only when all is set.
func (s *saver) write(now time.Time, all bool) error {
	for {
		var next *savedTrack
		waiting := false // a track that may still bring an earlier frame
		for _, t := range s.tracks {
			switch {
			case t.place == leftOut:
			case len(t.queue) == 0:
				waiting = waiting || !t.ended
			case next == nil || t.queue[0].at < next.queue[0].at:
				next = t
			}
		}
		if next == nil || waiting && !all && s.held <= saveBytes && now.Sub(next.queue[0].arrived) < saveOrder {
			return nil
		}
		if err := s.writeOne(next); err != nil {
			return err
		}
	}
}

func (s *saver) writeOne(t *savedTrack) error {
	f := t.queue[0]
	t.queue[0] = savedFrame{}
	t.queue = t.queue[1:]
	s.held -= len(f.Data)
	s.newest = max(s.newest, f.Timestamp)
	f.Timestamp = max(0, f.Timestamp-s.zero)
	if err := s.muxer.Write(media.Packet{Track: t.place, Frame: f.Frame}); err != nil {
		return fmt.Errorf("saving %s: %w", s.out, err)
	}
	t.frames++
	t.bytes += uint64(len(f.Data))
	if f.Key {
		t.keyFrames++
	}
	return nil
}

// close writes what waits and completes the file.
func (s *saver) close() error {
	if s.firstAt.IsZero() {
		return nil
	}
	if s.muxer == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	err := errors.Join(s.write(time.Time{}, true), s.muxer.Close())
	if s.file == nil {
		return err
	}
	if synced := s.file.Sync(); synced != nil && !errors.Is(synced, syscall.EINVAL) { // a pipe cannot be synced
		err = errors.Join(err, synced)
	}
	return errors.Join(err, s.file.Close())
}

// frames counts what was written.
func (s *saver) frames() (n uint64) {
	for _, t := range s.tracks {
		n += t.frames
	}
	return n
}

func (s *saver) length() time.Duration { return time.Duration(s.newest-s.zero) * time.Microsecond }
