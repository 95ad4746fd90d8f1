package rtc

import (
	"fmt"
	"strings"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"landline/media"
)

// When sound carries what was before it: it costs its rate twice again, and is of no use where nothing is lost.
const (
	lossyShare = 3                // of 256 packets
	lossyApart = 5 * time.Second  // or two that are asked for again within
	lossyTime  = 30 * time.Second // from the last sign of so many on
)

// hears takes what the other side reports about the m-line.
func (l *line) hears(reports []rtcp.ReceptionReport, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range reports {
		if r.SSRC == uint32(l.ssrc) && r.FractionLost >= lossyShare {
			l.lossy = now.Add(lossyTime)
		}
	}
}

// asked takes what the other side asks for again: what it was sent then is not in its reports any more. l.mu is held.
func (l *line) asked(seq uint16, now time.Time) {
	if seq == l.lastAsked && !l.askedAt.IsZero() {
		return
	}
	if now.Sub(l.askedAt) <= lossyApart {
		l.lossy = now.Add(lossyTime)
	}
	l.lastAsked, l.askedAt = seq, now
}

// protect sets the payload type of a packet. One of sound carries those before it where packets are lost and the other side takes that: a
// player does not wait for a retransmission of sound unless it has learned to, a round trip at the least, and the next packet is there sooner.
func (l *line) protect(p *pion.Packet, pt uint8) {
	p.PayloadType = pt
	if l.kind != media.Audio {
		return
	}
	data := p.Payload
	if red, ok := l.redundant(pt, time.Now()); ok {
		p.PayloadType, p.Payload = red, l.red.Payload(pt, p.Timestamp, data)
	}
	l.red.Note(p.Timestamp, data)
}

// redundant gives the payload type by which sound carries what was before it, if it is to.
func (l *line) redundant(of uint8, now time.Time) (pt uint8, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !now.Before(l.lossy) {
		return 0, false
	}
	for _, c := range l.codecs {
		if strings.EqualFold(c.MimeType, mimeRed) && c.SDPFmtpLine == fmt.Sprintf("%d/%d", of, of) {
			return uint8(c.PayloadType), true
		}
	}
	return 0, false
}

// plainly leaves out of an m-line that comes in what mends losses of what is sent: what is lost there is asked for again, and comes as it was.
func plainly(t *webrtc.RTPTransceiver) error {
	var list []webrtc.RTPCodecParameters
	for _, c := range t.Receiver().GetParameters().Codecs {
		if codecOf(c.MimeType) != "" {
			list = append(list, c)
		}
	}
	return t.SetCodecPreferences(list)
}
