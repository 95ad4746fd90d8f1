package rtp

import (
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"landline/media"
	"landline/media/h264"
	"landline/media/vpx"
)

// MaxPayload is the most payload of one packet in bytes: with all that goes round it, a packet has at most 1,200 below UDP.
const MaxPayload = 1200 - headerRoom

// headerRoom is what RTP, header extensions and SRTP add to a payload.
const headerRoom = 48

// Packetizer makes packets of the frames of one stream.
type Packetizer struct {
	// Clock maps the frames' timestamps.
	Clock Clock

	codec   media.Codec
	next    uint16
	begun   bool
	last    uint32 // timestamp of the frame before
	picture uint16
	tl0     uint8
}

// NewPacketizer makes a Packetizer whose first packet has a number.
func NewPacketizer(c media.Codec, clock Clock, first uint16) *Packetizer {
	return &Packetizer{Clock: clock, codec: c, next: first}
}

// Sequence is the number of the packet that comes next.
func (p *Packetizer) Sequence() uint16 { return p.next }

// Packets makes the packets of a frame: numbered, timed, the last of a picture marked. Payload type and SSRC are the caller's
// to set. temporal is the frame's temporal id, 0 to 3; sync says that a receiver may begin to take it from here on.
func (p *Packetizer) Packets(f media.Frame, temporal uint8, sync bool) []*rtp.Packet {
	at := p.Clock.RTP(f.Timestamp)
	if p.begun && int32(at-p.last) <= 0 && p.codec != media.Opus {
		at = p.last + 1 // two pictures of one time would be one to the other side
	}
	p.begun, p.last = true, at
	payloads := p.payloads(f, temporal, sync)
	packets := make([]*rtp.Packet, len(payloads))
	for i, payload := range payloads {
		packets[i] = &rtp.Packet{Payload: payload, Header: rtp.Header{Version: 2, SequenceNumber: p.next, Timestamp: at,
			Marker: i == len(payloads)-1 && p.codec != media.Opus}}
		p.next++
	}
	return packets
}

func (p *Packetizer) payloads(f media.Frame, temporal uint8, sync bool) [][]byte {
	switch p.codec {
	case media.VP8:
		return p.vp8(f, temporal, sync)
	case media.VP9:
		return p.vp9(f)
	case media.H264:
		return h264Payloads(f.Data)
	case media.AV1:
		return (&codecs.AV1Payloader{}).Payload(MaxPayload, f.Data)
	}
	return [][]byte{f.Data}
}

// cut gives the pieces of a frame behind headers: first stands in front of the first, head in front of the others.
func cut(data, first, head []byte, last func(payload []byte)) (payloads [][]byte) {
	for len(data) > 0 {
		n := min(len(data), MaxPayload-len(first))
		payload := append(append(make([]byte, 0, len(first)+n), first...), data[:n]...)
		if data, first = data[n:], head; len(data) == 0 && last != nil {
			last(payload)
		}
		payloads = append(payloads, payload)
	}
	return payloads
}

// vp8 makes the descriptor of RFC 7741 section 4.2 with a picture id of 15 bits, TL0PICIDX and the temporal id.
func (p *Packetizer) vp8(f media.Frame, temporal uint8, sync bool) [][]byte {
	const extended, start, pictureID, tl0, tid, long, upSwitch = 0x80, 0x10, 0x80, 0x40, 0x20, 0x80, 0x20
	if temporal == 0 {
		p.tl0++
	}
	p.picture = (p.picture + 1) & 0x7fff
	layer := temporal << 6
	if sync {
		layer |= upSwitch
	}
	head := []byte{extended, pictureID | tl0 | tid, long | byte(p.picture>>8), byte(p.picture), p.tl0, layer}
	first := append([]byte{extended | start}, head[1:]...)
	return cut(f.Data, first, head, nil)
}

// vp9 makes the descriptor of RFC 9628 section 4.2 with a picture id of 15 bits and, on key frames, the picture's size. There is no layer
// byte, which says that each picture refers to the one before.
func (p *Packetizer) vp9(f media.Frame) [][]byte {
	const long, sized = 0x80, 0x10
	p.picture = (p.picture + 1) & 0x7fff
	head := []byte{vp9PictureID, long | byte(p.picture>>8), byte(p.picture)}
	if !f.Key {
		head[0] |= vp9Inter
	}
	first := append([]byte{head[0] | vp9Begin}, head[1:]...)
	if h, err := vpx.ParseVP9(f.Data); f.Key && err == nil {
		first[0] |= vp9Structure
		first = append(first, sized, byte(h.Width>>8), byte(h.Width), byte(h.Height>>8), byte(h.Height))
	}
	return cut(f.Data, first, head, func(payload []byte) { payload[0] |= vp9End })
}

// h264Payloads packs an access unit: parameter sets together in a STAP-A, what is too large in FU-A, all else by itself.
func h264Payloads(annexb []byte) (payloads [][]byte) {
	var sets []byte // a STAP-A under way
	flush := func() {
		if len(sets) > 0 {
			payloads = append(payloads, sets)
		}
		sets = nil
	}
	for nal := range h264.NALs(annexb) {
		t := nal[0] & nalTypeMask
		if t == nalAUD || t == nalFiller {
			continue
		}
		if (t == nalSPS || t == nalPPS) && 1+2+len(nal) <= MaxPayload {
			if len(sets)+2+len(nal) > MaxPayload {
				flush()
			}
			if sets == nil {
				sets = []byte{nalSTAPA}
			}
			sets[0] = max(sets[0]&nalRefMask, nal[0]&nalRefMask) | nalSTAPA
			sets = append(append(sets, byte(len(nal)>>8), byte(len(nal))), nal...)
			continue
		}
		flush()
		if len(nal) <= MaxPayload {
			payloads = append(payloads, nal)
			continue
		}
		indicator := nal[0]&nalRefMask | nalFUA
		payloads = append(payloads, cut(nal[1:], []byte{indicator, fuStart | t}, []byte{indicator, t},
			func(payload []byte) { payload[1] |= fuEnd })...)
	}
	flush()
	return payloads
}
