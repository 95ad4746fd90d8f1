package rtp

import (
	"errors"
	"fmt"
	"time"

	"github.com/pion/rtp"

	"landline/media"
)

// Frame is a frame out of packets, or, without Data, the word that the rest of a video group is not coming.
type Frame struct {
	Time    uint32 // RTP timestamp
	Key     bool
	Data    []byte
	Missing int   // audio: packets lost in front of it
	Level   uint8 // audio: -dBov, 127 = silence or unknown
	Voice   bool
}

// Options of a Depacketizer.
type Options struct {
	Codec media.Codec
	// Wait is how long a missing packet is waited for once a later one has come; twice as long where Missing is used and requests take long.
	Wait time.Duration
	// Start, if Known, is the number of the first packet; else that of whichever comes first.
	Start uint16
	Known bool
	// Level is the id of the header extension that has the audio level (RFC 6464); 0 = none.
	Level uint8
}

// Depacketizer makes frames of the packets of one stream. It holds at most 1,024 packets and one frame.
type Depacketizer struct {
	opts    Options
	order   order
	unpack  unpacker // nil for audio
	pending *rtp.Packet
	open    bool // a frame was begun
	time    uint32
	aligned bool // the next packet begins a frame
	seen    bool // since alignment was lost a packet came, of time
	waiting bool // for a key frame
	missing int

	// Lost counts packets that did not come in time.
	Lost uint64
}

// unpacker puts the payloads of one frame together.
type unpacker interface {
	// starts reports whether a payload is sure to be the first of a frame.
	starts(payload []byte) bool
	// add takes the next payload of a frame; first after reset.
	add(payload []byte) error
	// take gives the frame that was added.
	take() (data []byte, key bool, err error)
	// size is that of what was added so far.
	size() int
	reset()
}

var errFragment = errors.New("a fragment without its beginning or end")

// NewDepacketizer makes a Depacketizer, or refuses a codec that is not carried.
func NewDepacketizer(o Options) (*Depacketizer, error) {
	d := &Depacketizer{opts: o, order: order{wait: o.Wait, begun: o.Known, next: o.Start}, waiting: true}
	switch o.Codec {
	case media.Opus:
		d.waiting = false
	case media.VP8:
		d.unpack = &vp8{}
	case media.VP9:
		d.unpack = &vp9{}
	case media.H264:
		d.unpack = &h264Units{}
	case media.AV1:
		d.unpack = &av1Units{}
	default:
		return nil, fmt.Errorf("%w: %q over RTP", media.ErrUnsupported, o.Codec)
	}
	return d, nil
}

// Push takes a packet; its payload must not change any more. now is by any monotonic clock.
func (d *Depacketizer) Push(p *rtp.Packet, now time.Duration) { d.order.push(p, now) }

// Due is when Next has something though no further packet came: a missing one is given up then.
func (d *Depacketizer) Due() (at time.Duration, waits bool) { return d.order.due() }

// Missing lists the packets that are to be asked for again now, each at first at once and then when an answer should have come.
func (d *Depacketizer) Missing(now time.Duration) []uint16 { return d.order.missing(now) }

// KeyWanted reports whether nothing comes until the next key frame.
func (d *Depacketizer) KeyWanted() bool { return d.waiting }

// Passed reports whether all packets before the one with this number were dealt with.
func (d *Depacketizer) Passed(seq uint16) bool {
	return d.order.begun && int16(d.order.next-seq) >= 0
}

// Next gives the next frame; ok is false where there is none yet. It is called until then after each Push, and when Due.
func (d *Depacketizer) Next(now time.Duration) (f Frame, ok bool) {
	for {
		p := d.pending
		d.pending = nil
		if p == nil {
			var lost int
			if p, lost = d.order.pop(now); lost > 0 {
				d.Lost += uint64(lost)
				if d.lose(lost) {
					return Frame{}, true
				}
				continue
			}
		}
		if p == nil {
			return Frame{}, false
		}
		if len(p.Payload) == 0 {
			continue // padding, by which a sender looks how much the path takes
		}
		if d.unpack == nil {
			return d.sound(p), true
		}
		if f, ok = d.picture(p); ok {
			return f, true
		}
	}
}

// lose notes packets that did not come, and reports whether that ends a group.
func (d *Depacketizer) lose(n int) (ends bool) {
	if d.unpack == nil {
		d.missing += n
		return false
	}
	d.aligned, d.seen = false, false
	return d.fail()
}

// fail gives up the frame that is open and all that depends on it.
func (d *Depacketizer) fail() (ends bool) {
	ends = !d.waiting
	d.open, d.waiting = false, true
	d.unpack.reset()
	return ends
}

func (d *Depacketizer) sound(p *rtp.Packet) Frame {
	f := Frame{Time: p.Timestamp, Key: true, Data: p.Payload, Missing: d.missing, Level: 127}
	d.missing = 0
	if d.opts.Level != 0 {
		var level rtp.AudioLevelExtension
		if raw := p.GetExtension(d.opts.Level); raw != nil && level.Unmarshal(raw) == nil {
			f.Level, f.Voice = level.Level, level.Voice
		}
	}
	return f
}

// picture takes the next packet of a video stream.
func (d *Depacketizer) picture(p *rtp.Packet) (f Frame, ok bool) {
	if d.open && p.Timestamp != d.time { // a sender that sets no marker
		d.pending = p
		return d.finish()
	}
	if !d.open {
		if !d.begin(p) {
			return Frame{}, false
		}
		d.open, d.time = true, p.Timestamp
		d.unpack.reset()
	}
	if err := d.unpack.add(p.Payload); err != nil || d.unpack.size() > media.MaxFrameSize {
		d.aligned, d.seen, d.time = p.Marker, true, p.Timestamp
		return Frame{}, d.fail()
	}
	if p.Marker {
		return d.finish()
	}
	return Frame{}, false
}

// begin reports whether a packet is the first of a frame. After a loss that is known of one that says so, and of the first
// behind the end of another frame.
func (d *Depacketizer) begin(p *rtp.Packet) bool {
	begins := d.aligned || d.unpack.starts(p.Payload) || d.seen && p.Timestamp != d.time
	d.aligned, d.seen, d.time = !begins && p.Marker, true, p.Timestamp
	return begins
}

// finish takes the frame that is open.
func (d *Depacketizer) finish() (f Frame, ok bool) {
	data, key, err := d.unpack.take()
	d.open, d.aligned = false, true
	d.unpack.reset()
	switch {
	case err != nil || len(data) == 0 || len(data) > media.MaxFrameSize:
		return Frame{}, d.fail()
	case d.waiting && !key:
		return Frame{}, false
	}
	d.waiting = false
	return Frame{Time: d.time, Key: key, Data: data}, true
}
