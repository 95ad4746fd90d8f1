package rtc

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"landline/media"
)

// What is kept of what an m-line has sent. A packet is kept as it is, not copied: the memory of sound is that of all viewers.
const (
	keptPackets = 512
	resendLeast = 15 * time.Millisecond // between two answers with one packet, however often it is asked for
)

// What an m-line sends again at most, in bytes a second and at once: several times of what a link can lose that still carries the rest. Who asks for all
// of it all the time gets no more.
const (
	resendRate  = 500_000
	resendBurst = 128 << 10
)

type kept struct {
	packet *pion.Packet
	at     time.Time // it was sent last
}

// retransmit finds by which payload type retransmissions go that have a stream of their own (RFC 4588): 0 where the other side has none.
func retransmit(codecs []webrtc.RTPCodecParameters, pt uint8) uint8 {
	apt := fmt.Sprintf("apt=%d", pt)
	for _, c := range codecs {
		if strings.EqualFold(c.MimeType, webrtc.MimeTypeRTX) && c.SDPFmtpLine == apt {
			return uint8(c.PayloadType)
		}
	}
	return 0
}

// keep keeps a packet that is sent now. l.mu is held.
func (l *line) keep(p *pion.Packet, now time.Time) {
	l.kept[p.SequenceNumber%keptPackets] = kept{p, now}
}

// resend answers a request for packets. Where many are lost an answer about a picture goes twice: one that is lost as well stops the picture for
// another round trip.
func (l *line) resend(n *rtcp.TransportLayerNack, now time.Time) {
	for _, pair := range n.Nacks {
		for _, seq := range pair.PacketList() {
			l.mu.Lock()
			w, ours := l.writer, n.MediaSSRC == uint32(l.ssrc)
			h, payload, ok := l.again(seq, now)
			if ours {
				l.asked(seq, now)
			}
			second := h
			twice := ok && l.kind == media.Video && now.Before(l.lossy) && l.affords(len(payload), now)
			if twice && h.SSRC != uint32(l.ssrc) {
				second.SequenceNumber = l.nextAgain
				l.nextAgain++
			}
			l.mu.Unlock()
			if w == nil || !ok || !ours {
				continue
			}
			_, _ = w.WriteRTP(&h, payload) // or it is asked for again
			if twice {
				_, _ = w.WriteRTP(&second, payload)
			}
		}
	}
}

// affords takes so many bytes of what may be sent again by now. l.mu is held.
func (l *line) affords(n int, now time.Time) bool {
	if l.spareAt.IsZero() {
		l.spare = resendBurst
	} else {
		l.spare = min(l.spare+now.Sub(l.spareAt).Seconds()*resendRate, resendBurst)
	}
	l.spareAt = now
	if float64(n) > l.spare {
		return false
	}
	l.spare -= float64(n)
	return true
}

// again gives a packet that was sent as it is to be sent again. l.mu is held.
func (l *line) again(seq uint16, now time.Time) (h pion.Header, payload []byte, ok bool) {
	k := &l.kept[seq%keptPackets]
	if k.packet == nil || k.packet.SequenceNumber != seq || now.Sub(k.at) < resendLeast {
		return h, nil, false
	}
	if !l.affords(len(k.packet.Payload), now) {
		return h, nil, false
	}
	k.at = now
	h, payload = k.packet.Header, k.packet.Payload
	if pt := retransmit(l.codecs, h.PayloadType); pt != 0 && l.ssrcAgain != 0 {
		payload = slices.Concat(binary.BigEndian.AppendUint16(nil, seq), payload)
		h.SSRC, h.PayloadType, h.SequenceNumber = uint32(l.ssrcAgain), pt, l.nextAgain
		l.nextAgain++
	}
	return h, payload, true
}
