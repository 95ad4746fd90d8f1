package webm

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"landline/media"
)

// Bounds of a growing file.
const (
	growMillis = 500     // a Cluster lasts this long at most
	growBytes  = 2 << 20 // or has so many bytes
	// MaxTracks is how many tracks a file may have.
	MaxTracks = maxTracks
	// trackRoom is the room for one track that is kept free in the head.
	trackRoom = 320
	maxTitle  = 120 // bytes of a track's name
)

// ErrHeadFull says that the head of the file has no room for another track.
var ErrHeadFull = errors.New("webm: the head of the file has no room for another track")

// Growing writes a file to which tracks may be added at any time. Its Clusters, of half a second at most, are kept in memory and
// written whole, each with one WriteAt at the end of the file: wherever its writer dies, the file plays up to the last
// whole Cluster, as it lies. A Growing belongs to one goroutine.
type Growing struct {
	w      io.WriterAt
	tracks []*outTrack
	video  bool
	pos    positions
	at     int64 // end of what was written whole

	void     int64 // offset of the room for tracks that is left
	voidSize int

	pending []outPacket
	bytes   int // of pending
	index   index
	shownAt int64 // ms, of the last frame of video
	end     int64 // ms, of the last frame to end
	buf     []byte
	err     error
}

// NewGrowing begins a file at offset 0 of w, with room for tracks in its head. isWebM says that all tracks will fit into WebM.
func NewGrowing(w io.WriterAt, isWebM bool) (*Growing, error) {
	const room = MaxTracks * trackRoom
	b, pos := appendHead(isWebM, true, appendVoid(nil, room))
	g := &Growing{w: w, pos: pos, void: int64(len(b) - room), voidSize: room}
	if err := g.write(b); err != nil {
		return nil, err
	}
	return g, nil
}

// Add adds a track and returns its number for Packet.Track. key is its first frame, from which the head learns what the format
// leaves open; it is not written. title is for people. ErrHeadFull asks for another file; other errors are about the track.
func (g *Growing) Add(f media.Format, title string, key media.Frame) (track int, err error) {
	if g.err != nil {
		return 0, g.err
	}
	if len(g.tracks) == MaxTracks {
		return 0, ErrHeadFull
	}
	t, err := newOutTrack(f, len(g.tracks)+1)
	if err != nil {
		return 0, fmt.Errorf("webm: %w", err)
	}
	t.name = clipText(title, maxTitle)
	if _, err := t.convert(key); err != nil {
		return 0, fmt.Errorf("webm: %w", err)
	}
	if t.waits() {
		return 0, fmt.Errorf("webm: %w: the first %s frame has no parameters", media.ErrFormat, f.Codec)
	}
	if err := g.place(appendBytes(nil, idTrackEntry, t.entry())); err != nil {
		return 0, err
	}
	g.tracks = append(g.tracks, t)
	g.video = g.video || f.Kind == media.Video
	return len(g.tracks) - 1, nil
}

// place puts a TrackEntry into the room that is left. What comes behind its first bytes is written first, inside the Void that stands there: at
// any moment the head is sound.
func (g *Growing) place(entry []byte) error {
	rest := g.voidSize - len(entry)
	if rest < 2 {
		return ErrHeadFull
	}
	first := voidHeader(g.voidSize)
	inside := appendVoidHeader(slices.Clone(entry), rest)
	if g.err = g.patch(g.void+int64(first), inside[first:]); g.err != nil {
		return g.err
	}
	if g.err = g.patch(g.void, entry[:first]); g.err != nil {
		return g.err
	}
	g.void, g.voidSize = g.void+int64(len(entry)), rest
	return nil
}

// Write appends a frame, in memory until its Cluster is complete. Timestamps count from the file's 0 and are not negative; those of a track do not go
// back. An error of the file below is final; any other leaves the file sound, without the frame.
func (g *Growing) Write(p media.Packet) error {
	switch {
	case g.err != nil:
		return g.err
	case p.Track < 0 || p.Track >= len(g.tracks):
		return fmt.Errorf("webm: %w: track %d of %d", media.ErrFormat, p.Track, len(g.tracks))
	case len(p.Data) == 0:
		return nil
	}
	t := g.tracks[p.Track]
	data, err := t.convert(p.Frame)
	if err != nil {
		return fmt.Errorf("webm: track %d: %w", p.Track, err)
	}
	if len(data) == 0 {
		return nil
	}
	o := outPacket{track: t, time: max(0, p.Timestamp), duration: p.Duration, key: p.Key, data: data}
	if len(g.pending) > 0 && g.cuts(&o) {
		if err := g.Flush(); err != nil {
			return err
		}
	}
	g.pending = append(g.pending, o)
	g.bytes += len(data)
	return nil
}

// cuts reports whether a packet begins another Cluster. Those that hold a key frame of video begin with it, since playing starts there.
func (g *Growing) cuts(o *outPacket) bool {
	first := g.pending[0].time
	away := millis(o.time) - millis(first)
	return o.opens() || away >= growMillis || away <= math.MinInt16 || g.bytes+len(o.data) > growBytes
}

func (p *outPacket) opens() bool { return p.key && p.track.format.Kind == media.Video }

// Flush writes the Cluster that is in memory.
func (g *Growing) Flush() error {
	if g.err != nil || len(g.pending) == 0 {
		return g.err
	}
	first := &g.pending[0]
	rest := g.pending
	if first.opens() {
		rest = rest[1:]
	}
	slices.SortStableFunc(rest, func(a, b outPacket) int { return int(max(-1, min(1, a.time-b.time))) })
	first = &g.pending[0]
	start := millis(first.time)
	end := g.end
	var data []byte
	for i := range g.pending {
		start = min(start, millis(g.pending[i].time))
	}
	data = appendUint(g.buf[:0], idTimestamp, uint64(start))
	for i := range g.pending {
		p := &g.pending[i]
		at := millis(p.time)
		end = max(end, at+millis(p.duration))
		data = p.appendBlock(data, at-start)
	}
	g.buf = data
	if dark := g.dark(millis(first.time)); dark || first.opens() || !g.video || g.index.empty() {
		g.index.add(cue{time: millis(first.time), at: g.at, track: first.track.number})
	}
	cluster := append(appendSize8(appendID(nil, idCluster), uint64(len(data))), data...)
	if g.err = g.write(cluster); g.err != nil {
		return g.err
	}
	clear(g.pending)
	g.pending, g.bytes, g.end = g.pending[:0], 0, end
	return nil
}

// Where no picture has come for so long there is an entry of the index every so often, though no key frame is there.
const (
	darkAfter = 2_000 // ms
	darkEvery = 5_000
)

// dark notes the pictures of the Cluster that is in memory, which begins at a time in ms, and reports whether it is worth an entry of the index for having none.
func (g *Growing) dark(at int64) bool {
	pictures := false
	for i := range g.pending {
		if p := &g.pending[i]; p.track.format.Kind == media.Video {
			g.shownAt, pictures = max(g.shownAt, millis(p.time)), true
		}
	}
	if pictures || g.index.empty() || at-g.shownAt < darkAfter {
		return false
	}
	return at-g.index.cues[len(g.index.cues)-1].time >= darkEvery
}

// Close writes what is in memory, the index, and what the head was kept open for. It leaves the file below open.
func (g *Growing) Close() error {
	if err := g.Flush(); err != nil {
		return err
	}
	g.err = complete(g.w, g.pos, &g.index, g.at, g.end)
	if g.err != nil {
		return g.err
	}
	g.err = errClosed
	return nil
}

// complete writes the index at the offset at, and then sizes, duration and table of contents into the head.
func complete(w io.WriterAt, pos positions, x *index, at, end int64) error {
	patches := []struct {
		at   int64
		data []byte
	}{{pos.duration, appendFloat(nil, idDuration, float64(end))}}
	size := at
	if !x.empty() {
		cues := x.element(pos.segment)
		if _, err := w.WriteAt(cues, at); err != nil {
			return fmt.Errorf("webm: writing the index: %w", err)
		}
		size += int64(len(cues))
		patches = append(patches, struct {
			at   int64
			data []byte
		}{pos.segment, pos.seekHead(at)})
	}
	// The Segment's size comes last: a file that states it is complete.
	patches = append(patches, struct {
		at   int64
		data []byte
	}{pos.segment - 8, appendSize8(nil, uint64(size-pos.segment))})
	for _, p := range patches {
		if _, err := w.WriteAt(p.data, p.at); err != nil {
			return fmt.Errorf("webm: writing at byte %d: %w", p.at, err)
		}
	}
	return nil
}

// Size is the length in bytes of what is written: behind it there may be a piece of a Cluster that a full disk cut off.
func (g *Growing) Size() int64 { return g.at }

// Length is the time in ms of the last frame that was written.
func (g *Growing) Length() int64 { return g.end }

// Empty reports whether no frame was written.
func (g *Growing) Empty() bool { return g.index.empty() }

func (g *Growing) write(b []byte) error {
	if err := g.patch(g.at, b); err != nil {
		return err
	}
	g.at += int64(len(b))
	return nil
}

func (g *Growing) patch(at int64, b []byte) error {
	if _, err := g.w.WriteAt(b, at); err != nil {
		return fmt.Errorf("webm: writing at byte %d: %w", at, err)
	}
	return nil
}

// clipText keeps at most n bytes of a text, in whole characters.
func clipText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
