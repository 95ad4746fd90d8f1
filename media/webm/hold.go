package webm

import (
	"fmt"

	"landline/media"
	"landline/media/vpx"
)

// How much is held before the head is written.
const (
	holdPackets = 4096
	holdBytes   = 16 << 20
	holdKey     = 2_000_000 // µs of media, for a key frame that the head needs
	holdOthers  = 250_000   // µs of media, for the first packet of every track
)

// hold keeps a packet until the head can be written, and then writes all that was held.
func (w *Writer) hold(p outPacket) error {
	if len(w.held) == 0 {
		w.zero, w.heldEnd = p.time, p.time
	}
	w.held = append(w.held, p)
	w.heldSize += len(p.data)
	w.zero, w.heldEnd = min(w.zero, p.time), max(w.heldEnd, p.time)
	ready, seen := true, true
	for _, t := range w.tracks {
		ready = ready && !t.waits()
		seen = seen && t.seen
	}
	span := w.heldEnd - w.zero
	full := span >= holdKey || w.heldSize >= holdBytes || len(w.held) >= holdPackets
	if full || ready && (seen || span >= holdOthers) {
		return w.start()
	}
	return nil
}

// start writes the head and the packets held.
func (w *Writer) start() error {
	for i, t := range w.tracks {
		if t.waits() {
			return fmt.Errorf("webm: track %d: %w: no %s key frame within %d packets (%d bytes) of all tracks, and the head needs it",
				i, media.ErrFormat, t.format.Codec, len(w.held), w.heldSize)
		}
	}
	if err := w.out.write(w.head()); err != nil {
		return err
	}
	w.out.confirm()
	w.started = true
	for _, p := range w.held {
		if err := w.put(p); err != nil {
			return err
		}
	}
	w.held = nil
	return nil
}

// outTrack is one track that is written.
type outTrack struct {
	format  media.Format
	number  byte
	name    string // for people; may be empty
	codecID string
	private []byte
	opus    media.OpusHead // what private says
	seen    bool           // a packet came
	// convert brings a frame into the container's form and learns from it what the head must say.
	convert func(f media.Frame) ([]byte, error)
	// sets are the H.264 parameter sets in private; setsChanged says that others came since.
	sets        [][]byte
	setsChanged bool
}

func newOutTrack(f media.Format, number int) (*outTrack, error) {
	t := &outTrack{format: f, number: byte(number)}
	switch f.Codec {
	case media.VP8:
		t.codecID, t.convert = codecVP8, t.vpxFrame(vpx.ParseVP8)
	case media.VP9:
		t.codecID, t.convert = codecVP9, t.vpxFrame(vpx.ParseVP9)
	case media.AV1:
		t.codecID, t.convert = codecAV1, t.av1Unit
	case media.H264:
		t.codecID, t.convert = codecH264, t.avcSample
	case media.Opus:
		t.codecID, t.convert = codecOpus, asIs
		var err error
		if t.opus, err = media.OpusHeadOf(f.Config, f.Channels); err != nil {
			return nil, err
		}
		t.private = t.opus.Marshal()
	default:
		return nil, fmt.Errorf("%w: codec %q is not written", media.ErrUnsupported, f.Codec)
	}
	return t, nil
}

// waits reports whether the head cannot be written for want of a key frame of the track.
func (t *outTrack) waits() bool {
	return t.private == nil && (t.format.Codec == media.H264 || t.format.Codec == media.AV1)
}

// size sets the picture size where the format left it open.
func (t *outTrack) size(width, height int) {
	if t.format.Width == 0 || t.format.Height == 0 {
		t.format.Width, t.format.Height = width, height
	}
}

func asIs(f media.Frame) ([]byte, error) { return f.Data, nil }
