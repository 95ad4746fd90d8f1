package rtp

import (
	"encoding/binary"
	"fmt"

	"landline/media"
)

// NAL unit types of H.264 and of its payload format (RFC 6184 section 5.2).
const (
	nalIDR    = 5
	nalSPS    = 7
	nalPPS    = 8
	nalAUD    = 9
	nalFiller = 12
	nalSTAPA  = 24
	nalFUA    = 28

	nalTypeMask = 0x1f
	nalRefMask  = 0x60
	fuStart     = 0x80
	fuEnd       = 0x40
)

var startCode = []byte{0, 0, 0, 1}

// maxSet bounds a parameter set that is kept; the largest legal one has about 1.5 kB.
const maxSet = 4096

// h264Units unpacks packetization mode 1 into an access unit in Annex B form, with parameter sets in front of every IDR
// picture: those that the stream sent last where it sent none.
type h264Units struct {
	buf      []byte
	frag     []byte // the NAL unit that comes in fragments; nil = none
	idr      bool
	sps, pps bool // in buf
	lastSPS  []byte
	lastPPS  []byte
}

func (u *h264Units) starts(payload []byte) bool {
	if payload[0]&nalTypeMask == nalSTAPA && len(payload) > 3 {
		payload = payload[3:]
	}
	t := payload[0] & nalTypeMask
	return t == nalSPS || t == nalAUD
}

func (u *h264Units) add(payload []byte) error {
	t := payload[0] & nalTypeMask
	if u.frag != nil && t != nalFUA {
		return errFragment
	}
	switch {
	case t == nalFUA:
		return u.fragment(payload)
	case t == nalSTAPA:
		return u.aggregate(payload[1:])
	case t == 0 || t > nalSTAPA:
		return fmt.Errorf("%w: NAL unit type %d, which packetization mode 1 has not", media.ErrFormat, t)
	}
	u.nal(payload)
	return nil
}

func (u *h264Units) fragment(payload []byte) error {
	const header = 2
	if len(payload) <= header {
		return errFragment
	}
	if start := payload[1]&fuStart != 0; start != (u.frag == nil) {
		return errFragment
	} else if start {
		u.frag = []byte{payload[0]&nalRefMask | payload[1]&nalTypeMask}
	}
	u.frag = append(u.frag, payload[header:]...)
	if payload[1]&fuEnd != 0 {
		nal := u.frag
		u.frag = nil
		u.nal(nal)
	}
	return nil
}

func (u *h264Units) aggregate(rest []byte) error {
	for len(rest) > 0 {
		if len(rest) < 2 {
			return errFragment
		}
		n := int(binary.BigEndian.Uint16(rest))
		if rest = rest[2:]; n == 0 || n > len(rest) {
			return errFragment
		}
		u.nal(rest[:n])
		rest = rest[n:]
	}
	return nil
}

// nal appends a NAL unit to the frame. What says nothing of the picture is left out.
func (u *h264Units) nal(nal []byte) {
	switch nal[0] & nalTypeMask {
	case nalAUD, nalFiller:
		return
	case nalSPS:
		u.sps = true
		if len(nal) <= maxSet {
			u.lastSPS = nal
		}
	case nalPPS:
		u.pps = true
		if len(nal) <= maxSet {
			u.lastPPS = nal
		}
	case nalIDR:
		u.sets()
		u.idr = true
	}
	u.buf = append(append(u.buf, startCode...), nal...)
}

// sets puts the parameter sets that an IDR picture lacks in front of it.
func (u *h264Units) sets() {
	if u.idr || u.sps && u.pps || u.lastSPS == nil || u.lastPPS == nil {
		return
	}
	var front []byte
	if !u.sps {
		front = append(append(front, startCode...), u.lastSPS...)
	}
	u.buf = append(front, u.buf...)
	if !u.pps {
		u.buf = append(append(u.buf, startCode...), u.lastPPS...)
	}
	u.sps, u.pps = true, true
}

func (u *h264Units) take() (data []byte, key bool, err error) {
	if u.frag != nil {
		return nil, false, errFragment
	}
	return u.buf, u.idr && u.sps && u.pps, nil
}

func (u *h264Units) size() int { return len(u.buf) + len(u.frag) }

func (u *h264Units) reset() { u.buf, u.frag, u.idr, u.sps, u.pps = nil, nil, false, false, false }
