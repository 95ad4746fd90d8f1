package rtc

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"landline/media"
	"landline/media/rtp"
)

// line is an m-line on which we send: one track after the other, under one SSRC and one sequence of numbers.
type line struct {
	kind media.Kind
	id   string
	mid  string // once negotiated

	// Of a call whose other end plays tracks as a browser does: m-lines of one seat, a sound and a picture, are played in step, so
	// they carry one member's alone. "" where each m-line is given to whatever comes.
	seat string

	rtcp *webrtc.RTPSender
	sent *atomic.Uint64 // packets, of the path

	mu     sync.Mutex
	ssrc   webrtc.SSRC
	writer webrtc.TrackLocalWriter
	codecs []webrtc.RTPCodecParameters

	ssrcAgain webrtc.SSRC // of retransmissions, where they have a stream of their own
	nextAgain uint16      // the number of the next

	member  string // whose track it carries now; see on
	name    string
	kept    [keptPackets]kept
	spare   float64 // bytes that may be sent again
	spareAt time.Time
	lossy   time.Time // until then what is lost of sound is sent again with what follows

	lastAsked uint16 // the packet that was asked for last
	askedAt   time.Time

	// Of the sender's goroutine.
	track           *outgoing // nil: it is free
	red             rtp.Red
	next            uint16 // the number of the packet that comes next
	packets, octets uint32
}

// Bind, Unbind, ID, RID, StreamID and Kind make it a webrtc.TrackLocal.
func (l *line) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ssrc, l.writer, l.codecs, l.ssrcAgain = c.SSRC(), c.WriteStream(), c.CodecParameters(), c.SSRCRetransmission()
	for _, p := range l.codecs {
		if codecOf(p.MimeType) != "" {
			return p, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

func (l *line) Unbind(webrtc.TrackLocalContext) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writer, l.kept = nil, [keptPackets]kept{}
	return nil
}

func (l *line) ID() string       { return l.id }
func (l *line) RID() string      { return "" }
func (l *line) StreamID() string { return "landline" + l.seat }

func (l *line) Kind() webrtc.RTPCodecType {
	if l.kind == media.Audio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

// payloadType is that of a format on this m-line; ok is false where the other side does not take it.
func (l *line) payloadType(f media.Format) (pt uint8, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.codecs {
		if codecOf(p.MimeType) == f.Codec && fits(p.SDPFmtpLine, f) {
			return uint8(p.PayloadType), true
		}
	}
	return 0, false
}

// fits tells the profiles of a codec apart that decoders do not all have.
func fits(fmtp string, f media.Format) bool {
	switch f.Codec {
	case media.H264:
		return strings.Contains(fmtp, "packetization-mode=1")
	case media.VP9:
		return strings.Contains(fmtp, "profile-id=2") == strings.HasPrefix(f.CodecString, "vp09.02")
	}
	return true
}

var errUnbound = errors.New("the m-line is not connected")

// write sends one packet, which nobody may change any more: it may be asked for again.
func (l *line) write(p *pion.Packet, pt uint8) error {
	l.protect(p, pt)
	l.mu.Lock()
	w := l.writer
	p.SSRC = uint32(l.ssrc)
	l.keep(p, time.Now())
	h := p.Header // what is kept nobody changes
	l.mu.Unlock()
	if w == nil {
		return errUnbound
	}
	l.packets++
	l.sent.Add(1)
	l.octets += uint32(len(p.Payload))
	_, err := w.WriteRTP(&h, p.Payload)
	return err
}

// report says which wall time an RTP timestamp stands for, by the publisher's own clock: so sound and picture that belong together
// are played together, however long either was under way.
func (l *line) report(wallUs int64, stamp uint32) *rtcp.SenderReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &rtcp.SenderReport{SSRC: uint32(l.ssrc), NTPTime: ntp(wallUs), RTPTime: stamp, PacketCount: l.packets, OctetCount: l.octets}
}

// ntp is a time of µs since 1970 as NTP has it: seconds since 1900 in 32.32 bits.
func ntp(us int64) uint64 {
	const between = 2_208_988_800 // 1900 to 1970
	t := time.UnixMicro(us)
	return uint64(t.Unix()+between)<<32 | uint64(t.Nanosecond())<<32/1_000_000_000
}

// give hands the m-line to a track whose first frame is of us µs.
func (l *line) give(t *outgoing, pt uint8, clock rtp.Clock) {
	l.track, l.red = t, rtp.Red{}
	l.show(t.member, t.info.ID)
	t.line, t.pt, t.pack = l, pt, rtp.NewPacketizer(t.info.Codec, clock, l.next)
}

// show says whose the m-line is now, for those who read RTCP.
func (l *line) show(member, track string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.member, l.name = member, track
}

// on tells whose the m-line is; ok is false where it is free.
func (l *line) on() (member, track string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.member, l.name, l.name != ""
}
