package webm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"landline/media"
)

const (
	clusterMillis = 2000 // a Cluster that no key frame ends lasts this long at most
)

var errClosed = errors.New("webm: the writer is closed")

// Writer writes WebM when every codec belongs there, else Matroska. Each packet goes to the file below
// in one Write as it comes, once the head is written, so that a file whose writer died plays up to its last
// packet.
//
// The head needs what the first frames say. Packets are held until each H.264 and AV1 track had a key
// frame, for at most 2 s of media, 16 MiB and 4096 packets, then Write fails; and until every track had a
// packet, for at most 250 ms of media. The smallest timestamp held becomes the file's 0.
type Writer struct {
	out    output
	tracks []*outTrack
	webm   bool
	video  bool // there is a video track

	held     []outPacket
	heldSize int
	heldEnd  int64 // largest timestamp held, in µs
	started  bool
	zero     int64 // smallest timestamp held, in µs: the file's 0

	pos     positions
	cluster cluster
	index   index
	end     int64 // ms, of the last frame to end

	buf []byte
	err error
}

// outPacket is a packet whose data has the container's form.
type outPacket struct {
	track    *outTrack
	time     int64 // µs
	duration int64 // µs
	key      bool
	data     []byte
}

// cluster is the Cluster being written.
type cluster struct {
	open bool
	at   int64 // offset in the file
	time int64 // ms
}

// FitsWebM reports whether a format may be in a file that calls itself WebM.
func FitsWebM(f media.Format) bool {
	switch f.Codec {
	case media.VP8, media.VP9, media.AV1, media.Opus:
		return true
	}
	return false
}

// NewWriter prepares a file with one track per format; it writes nothing yet. When w is an io.WriteSeeker
// that can seek, and was not opened for appending, Close completes the file at its beginning also. The file
// starts at w's current offset.
func NewWriter(w io.Writer, formats []media.Format) (*Writer, error) {
	if len(formats) == 0 || len(formats) > maxTracks {
		return nil, fmt.Errorf("webm: %w: %d tracks, 1 to %d can be written", media.ErrUnsupported, len(formats), maxTracks)
	}
	wr := &Writer{out: newOutput(w), webm: true}
	for i, f := range formats {
		t, err := newOutTrack(f, i+1)
		if err != nil {
			return nil, fmt.Errorf("webm: track %d: %w", i, err)
		}
		wr.tracks = append(wr.tracks, t)
		wr.webm = wr.webm && FitsWebM(f)
		wr.video = wr.video || f.Kind == media.Video
	}
	return wr, nil
}

// Write appends a frame. A frame that cannot be written gives an error and leaves the file sound; an error
// of the file below is final. Empty frames are left out.
func (w *Writer) Write(p media.Packet) error {
	if w.err != nil {
		return w.err
	}
	if p.Track < 0 || p.Track >= len(w.tracks) {
		return fmt.Errorf("webm: %w: track %d of %d", media.ErrFormat, p.Track, len(w.tracks))
	}
	if len(p.Data) == 0 {
		return nil
	}
	if len(p.Data) > media.MaxFrameSize {
		return fmt.Errorf("webm: track %d: %w: a frame of %d bytes, at most %d are written", p.Track, media.ErrTooLarge, len(p.Data), media.MaxFrameSize)
	}
	t := w.tracks[p.Track]
	data, err := t.convert(p.Frame)
	if err != nil {
		return fmt.Errorf("webm: track %d: %w", p.Track, err)
	}
	if len(data) == 0 {
		return nil // delimiters alone
	}
	t.seen = true
	o := outPacket{track: t, time: p.Timestamp, duration: p.Duration, key: p.Key, data: data}
	if w.started {
		w.err = w.put(o)
	} else {
		w.err = w.hold(o)
	}
	return w.err
}

// Close completes the file. It leaves the file below open.
func (w *Writer) Close() error {
	if w.err != nil {
		if w.err == errClosed {
			return nil
		}
		return w.err
	}
	if w.err = w.finish(); w.err != nil {
		return w.err
	}
	w.err = errClosed
	return nil
}

// put writes one packet, in a new Cluster where one is due.
func (w *Writer) put(p outPacket) error {
	at := max(0, millis(p.time-w.zero))
	w.end = max(w.end, at+millis(p.duration))
	w.buf = w.buf[:0]
	key := p.key && p.track.format.Kind == media.Video
	offset := at - w.cluster.time
	if !w.cluster.open || key || offset >= clusterMillis || offset < math.MinInt16 {
		if err := w.endCluster(); err != nil {
			return err
		}
		w.cluster = cluster{open: true, at: w.out.at, time: at}
		if w.out.seek != nil && (key || !w.video || w.index.empty()) {
			w.index.add(cue{time: at, at: w.out.at, track: p.track.number})
		}
		offset = 0
		w.buf = appendUnknown(w.buf, idCluster)
		w.buf = appendUint(w.buf, idTimestamp, uint64(at))
	}
	w.buf = p.appendBlock(w.buf, offset)
	return w.out.write(w.buf)
}

// appendBlock appends the packet as a SimpleBlock, offset ms after the Timestamp of its Cluster.
func (p *outPacket) appendBlock(b []byte, offset int64) []byte {
	const blockHeader = 4 // track number, 16 bits of time, flags
	b = appendHeader(b, idSimpleBlock, blockHeader+len(p.data))
	b = append(b, 0x80|p.track.number)
	b = binary.BigEndian.AppendUint16(b, uint16(int16(offset)))
	flags := byte(0)
	if p.key {
		flags = flagKey
	}
	return append(append(b, flags), p.data...)
}

// millis rounds µs to ms.
func millis(us int64) int64 {
	if us < 0 {
		return -((500 - us) / 1000)
	}
	return (us + 500) / 1000
}

// endCluster states the size of the open Cluster where that can be done.
func (w *Writer) endCluster() error {
	if !w.cluster.open || w.out.seek == nil {
		return nil
	}
	const sizeAt, dataAt = 4, 12 // after the ID; after an 8-byte size
	size := uint64(w.out.at - w.cluster.at - dataAt)
	return w.out.patch(w.cluster.at+sizeAt, appendSize8(nil, size))
}

var _ media.Writer = (*Writer)(nil)
