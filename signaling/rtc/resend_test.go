package rtc

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"landline/media"
)

// What a viewer asks for again comes in a stream of its own where that was negotiated, as browsers do, and else as it was.
func TestRetransmissionsHaveAStreamOfTheirOwnWhereNegotiated(t *testing.T) {
	for name, own := range map[string]bool{"with RTX": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			ann := l.join("ann")
			write := ann.writes(t, "camera", vp8Format)
			viewer := newBrowserLike(t)
			if own {
				viewer = newPeer(t)
			}
			type packet struct {
				*pion.Packet
				rtx bool
			}
			got := make(chan packet, 1000)
			viewer.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
				for {
					p, a, err := remote.ReadRTP()
					if err != nil {
						return
					}
					got <- packet{p, a.Get(webrtc.AttributeRtxSsrc) != nil}
				}
			})
			viewer.receives(webrtc.RTPCodecTypeVideo)
			l.post(viewer, "/whep/room/ann", "tok")
			viewer.connected()
			next := func() packet {
				t.Helper()
				select {
				case p := <-got:
					return p
				case <-time.After(20 * time.Second):
					t.Fatal("nothing comes")
					return packet{}
				}
			}
			write(media.Frame{Key: true, Data: key(100)})
			first := next()
			// One that is on its way already is not sent twice, so the wait before an answer is part of what is tested.
			line := &rtcp.TransportLayerNack{MediaSSRC: first.SSRC, Nacks: []rtcp.NackPair{{PacketID: first.SequenceNumber}}}
			i := 1
			again := func() (p packet) {
				until(t, "the answer", func() bool {
					if err := viewer.WriteRTCP([]rtcp.Packet{line}); err != nil {
						t.Fatal(err)
					}
					write(media.Frame{Timestamp: int64(i) * 33_333, Data: delta(100)}) // with which Pion hands out what came otherwise
					i++
					p = next()
					return p.SequenceNumber == first.SequenceNumber
				})
				return p
			}
			if !own { // to Pion's SRTP it would be a replay: the line is asked directly
				port := onlyLine(t, l)
				port.mu.Lock()
				h, payload, ok := port.again(first.SequenceNumber, time.Now().Add(resendLeast))
				_, _, twice := port.again(first.SequenceNumber, time.Now().Add(resendLeast))
				port.mu.Unlock()
				if !ok || twice || h.SSRC != first.SSRC || h.PayloadType != first.PayloadType || h.SequenceNumber != first.SequenceNumber || !bytes.Equal(payload, first.Payload) {
					t.Errorf("%v %v: %+v", ok, twice, h)
				}
				return
			}
			if p := again(); !p.rtx || !bytes.Equal(p.Payload, first.Payload) || p.Timestamp != first.Timestamp {
				t.Errorf("RTX %v, %d bytes of %d", p.rtx, len(p.Payload), len(first.Payload))
			}
		})
	}
}

// onlyLine is the m-line of the one PeerConnection of a lab.
func onlyLine(t *testing.T, l *lab) *line {
	t.Helper()
	l.port.mu.Lock()
	defer l.port.mu.Unlock()
	for p := range l.port.paths {
		for _, s := range p.pc.GetSenders() {
			if line, ok := s.Track().(*line); ok {
				return line
			}
		}
	}
	t.Fatal("no m-line")
	return nil
}

// written notes what is sent.
type written []pion.Header

func (w *written) WriteRTP(h *pion.Header, _ []byte) (int, error) { *w = append(*w, *h); return 0, nil }
func (w *written) Write([]byte) (int, error)                      { return 0, nil }

// Where many packets are lost an answer about a picture goes twice, and of a stream of its own each under its own number.
func TestAnswersGoTwiceWhereManyPacketsAreLost(t *testing.T) {
	now := time.Now()
	for _, own := range []bool{true, false} {
		var w written
		l := &line{kind: media.Video, ssrc: 1, writer: &w}
		if own {
			l.ssrcAgain = 2
			l.codecs = []webrtc.RTPCodecParameters{{PayloadType: 97, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, SDPFmtpLine: "apt=96"}}}
		}
		for seq := uint16(10); seq < 12; seq++ {
			l.keep(&pion.Packet{Header: pion.Header{SSRC: 1, PayloadType: 96, SequenceNumber: seq}}, now)
		}
		ask := func(seq uint16) {
			now = now.Add(time.Second)
			l.resend(&rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: []rtcp.NackPair{{PacketID: seq}}}, now)
		}
		ask(10)
		if len(w) != 1 {
			t.Fatalf("%d answers at the first loss", len(w))
		}
		ask(11)
		if len(w) != 3 {
			t.Fatalf("%d answers after the second loss, want 3", len(w))
		}
		if own != (w[1].SequenceNumber != w[2].SequenceNumber) || own != (w[2].SSRC == 2) {
			t.Errorf("RTX %v: %+v and %+v", own, w[1], w[2])
		}
	}
}

// greedy counts what it is sent.
type greedy struct{ bytes int }

func (g *greedy) WriteRTP(_ *pion.Header, payload []byte) (int, error) {
	g.bytes += len(payload)
	return len(payload), nil
}

func (g *greedy) Write(b []byte) (int, error) { return len(b), nil }

// A viewer asks for everything, all the time, and reports that it loses much besides, so that answers go twice.
func TestWhoAsksForEverythingGetsNoMore(t *testing.T) {
	now := time.Now()
	g := &greedy{}
	l := &line{kind: media.Video, ssrc: 7, writer: g, lossy: now.Add(time.Hour)}
	all := &rtcp.TransportLayerNack{MediaSSRC: 7}
	for seq := range uint16(keptPackets) {
		l.keep(&pion.Packet{Header: pion.Header{SSRC: 7, SequenceNumber: seq}, Payload: make([]byte, 1_000)}, now)
		all.Nacks = append(all.Nacks, rtcp.NackPair{PacketID: seq})
	}
	const seconds, each = 10, 2 * time.Millisecond
	for range seconds * time.Second / each {
		now = now.Add(each)
		l.resend(all, now)
	}
	most := resendBurst + seconds*resendRate
	if g.bytes > most || g.bytes < most*9/10 {
		t.Errorf("%d bytes in %d s, at most %d", g.bytes, seconds, most)
	}
}
