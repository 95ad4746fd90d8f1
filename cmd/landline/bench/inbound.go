package bench

import (
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// inbound is where a viewer stands with an m-line, on which one track comes.
type inbound struct {
	audio bool
	any   bool
	next  uint16 // the number of the packet that comes next

	whole bool // nothing is missing of the frame under way
	sent  int64
	bytes uint64 // of the frame

	packets, lost uint64 // since they were last asked for
	vp8           codecs.VP8Packet
}

// push takes a packet and reports whether it is the last of a frame, whole or not.
func (in *inbound) push(p *rtp.Packet) (last bool) {
	in.packets++
	ahead := int16(p.SequenceNumber - in.next)
	switch {
	case !in.any:
		in.any = true
	case ahead < 0: // it was taken for lost, and its frame given up
		in.lost -= min(in.lost, 1)
		return false
	case ahead > 0:
		in.lost += uint64(ahead)
		in.whole = false
	}
	in.next = p.SequenceNumber + 1
	data, first := p.Payload, in.audio
	if !in.audio {
		var err error
		if data, err = in.vp8.Unmarshal(p.Payload); err != nil {
			in.whole = false
			return p.Marker
		}
		first = in.vp8.S == 1 && in.vp8.PID == 0
	}
	if first {
		in.sent, _, in.whole = stampOf(data)
		in.bytes = 0
	}
	in.bytes += uint64(len(data))
	return p.Marker || in.audio
}
