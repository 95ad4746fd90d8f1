package rtp

import (
	"github.com/pion/rtp/codecs"

	"landline/media/av1"
)

// av1Units unpacks the AV1 RTP payload format into a temporal unit in low-overhead form.
type av1Units struct {
	in      codecs.AV1Depacketizer
	buf     []byte
	pending int // bytes of the OBU that goes on in the next packet
}

// av1NewSequence is the N bit of the aggregation header: the first packet of a coded video sequence.
const av1NewSequence = 0x08

func (u *av1Units) starts(payload []byte) bool { return payload[0]&av1NewSequence != 0 }

func (u *av1Units) add(payload []byte) error {
	const continues = 0x80
	if goesOn := payload[0]&continues != 0; goesOn != (u.pending > 0) {
		return errFragment
	}
	data, err := u.in.Unmarshal(payload)
	if err != nil {
		return err
	}
	u.buf = append(u.buf, data...)
	if u.in.Y {
		u.pending += len(payload)
	} else {
		u.pending = 0
	}
	return nil
}

func (u *av1Units) take() (data []byte, key bool, err error) {
	if u.pending > 0 {
		return nil, false, errFragment
	}
	data, sequence, err := av1.TemporalUnit(u.buf)
	return data, err == nil && sequence != nil && av1.IsKey(data), err
}

func (u *av1Units) size() int { return len(u.buf) + u.pending }

func (u *av1Units) reset() { u.in, u.buf, u.pending = codecs.AV1Depacketizer{}, nil, 0 }
