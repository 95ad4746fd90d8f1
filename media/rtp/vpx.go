package rtp

import (
	"github.com/pion/rtp/codecs"

	"landline/media/vpx"
)

// vp8 unpacks the payload format of RFC 7741.
type vp8 struct{ buf []byte }

func (u *vp8) starts(payload []byte) bool {
	var p codecs.VP8Packet
	_, err := p.Unmarshal(payload)
	return err == nil && p.S == 1 && p.PID == 0
}

func (u *vp8) add(payload []byte) error {
	var p codecs.VP8Packet
	data, err := p.Unmarshal(payload)
	if err == nil && len(u.buf) == 0 && (p.S == 0 || p.PID != 0 || len(data) == 0) {
		err = errFragment
	}
	u.buf = append(u.buf, data...)
	return err
}

func (u *vp8) take() (data []byte, key bool, err error) {
	h, err := vpx.ParseVP8(u.buf)
	return u.buf, h.Key, err
}

func (u *vp8) size() int { return len(u.buf) }
func (u *vp8) reset()    { u.buf = nil }

// vp9 unpacks the payload format of RFC 9628. Spatial layers of a picture follow each other in its frame.
type vp9 struct {
	buf  []byte
	ends bool // the frame of the last spatial layer is whole
}

// The flags of the first byte.
const (
	vp9PictureID = 0x80
	vp9Inter     = 0x40
	vp9Layers    = 0x20
	vp9Begin     = 0x08
	vp9End       = 0x04
	vp9Structure = 0x02
)

// starts looks for the beginning of a picture: of its first spatial layer.
func (u *vp9) starts(payload []byte) bool {
	var p codecs.VP9Packet
	_, err := p.Unmarshal(payload)
	return err == nil && p.B && p.SID == 0
}

func (u *vp9) add(payload []byte) error {
	var p codecs.VP9Packet // a new one each time: its lists only grow
	data, err := p.Unmarshal(payload)
	if err == nil && (p.B != u.ends && len(u.buf) > 0 || !p.B && len(u.buf) == 0 || len(data) == 0) {
		err = errFragment
	}
	u.buf, u.ends = append(u.buf, data...), p.E
	return err
}

func (u *vp9) take() (data []byte, key bool, err error) {
	if !u.ends {
		return nil, false, errFragment
	}
	h, err := vpx.ParseVP9(u.buf)
	return u.buf, h.Key, err
}

func (u *vp9) size() int { return len(u.buf) }
func (u *vp9) reset()    { u.buf, u.ends = nil, false }
