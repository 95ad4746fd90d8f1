package rtc

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"landline/media"
	"landline/media/rtp"
	"landline/signaling"
)

// path is one PeerConnection, at either end.
type path struct {
	pc     *webrtc.PeerConnection
	log    *slog.Logger
	panics *atomic.Uint64
	wait   time.Duration // for missing packets

	ctx    context.Context // ends with the path
	cancel context.CancelFunc
	work   sync.WaitGroup // goroutines of ours
	ready  chan struct{}  // closed when it is connected
	once   sync.Once      // of ready
	closed chan struct{}  // closed when all is over

	sent, got atomic.Uint64 // RTP packets

	mu       sync.Mutex
	ins      map[string]*receiver // by mid
	tracks   map[string]*webrtc.TrackRemote
	over     bool
	reason   string
	onOver   func(reason string)
	keyAsked func(l *line)
	alive    alive
	stated   func(sent uint64)                       // tells the other end
	arrived  func(mid, mime string)                  // the first packet of an m-line has come
	reported func(mid string, sr *rtcp.SenderReport) // a sender report has
}

func newPath(api *webrtc.API, log *slog.Logger, panics *atomic.Uint64, wait time.Duration) (*path, error) {
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	p := &path{pc: pc, log: log, panics: panics, wait: wait, ready: make(chan struct{}), closed: make(chan struct{}),
		ins: map[string]*receiver{}, tracks: map[string]*webrtc.TrackRemote{}, onOver: func(string) {}, keyAsked: func(*line) {},
		stated: func(uint64) {}, arrived: func(string, string) {}, reported: func(string, *rtcp.SenderReport) {}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	pc.OnConnectionStateChange(p.state)
	pc.OnTrack(func(remote *webrtc.TrackRemote, in *webrtc.RTPReceiver) {
		p.goes(func() { p.receive(remote, in) })
	})
	p.goes(p.tick)
	return p, nil
}

// goes runs f as a goroutine of the path. A panic ends the path alone.
func (p *path) goes(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.work.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				p.panics.Add(1)
				p.log.Error("panic in a path", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
				p.finish(signaling.RTCFailed)
			}
		}()
		f()
	})
}

func (p *path) state(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		p.once.Do(func() { close(p.ready) })
	case webrtc.PeerConnectionStateFailed:
		p.finish(signaling.RTCTimeout)
	case webrtc.PeerConnectionStateClosed:
		p.finish(signaling.RTCClosed)
	}
}

// finish ends the path, once. It does not wait.
func (p *path) finish(reason string) {
	p.mu.Lock()
	if p.over {
		p.mu.Unlock()
		return
	}
	p.over, p.reason = true, reason
	told := p.onOver
	p.mu.Unlock()
	p.cancel()
	go func() {
		defer close(p.closed)
		if err := p.pc.GracefulClose(); err != nil {
			p.log.Debug("closing a PeerConnection", "error", err)
		}
		p.work.Wait()
	}()
	told(reason)
}

// busyTick is between two looks of a path at what comes in, idleTick where nothing does: viewers that were looked after as often took
// a twelfth of what they cost in all.
const (
	busyTick = 20 * time.Millisecond
	idleTick = 50 * time.Millisecond
)

// tick gives up packets that do not come, and a connection that does not come about.
func (p *path) tick() {
	every := idleTick
	t := time.NewTicker(every)
	defer t.Stop()
	late := time.After(connectTime)
	var stated uint64
	var statedAt time.Time
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-late:
			select {
			case <-p.ready:
			default:
				p.finish(signaling.RTCNever)
			}
		case now := <-t.C:
			want := idleTick
			for _, r := range p.receivers() {
				want = busyTick
				r.tick(now)
			}
			if want != every {
				every = want
				t.Reset(every)
			}
			if n := p.sent.Load(); n != stated && now.Sub(statedAt) >= stateEvery {
				stated, statedAt = n, now
				p.states(n)
			}
			if p.lost(now) {
				p.finish(signaling.RTCTimeout)
			}
		}
	}
}

// states tells the other end how many packets were sent.
func (p *path) states(n uint64) {
	p.mu.Lock()
	tell := p.stated
	p.mu.Unlock()
	tell(n)
}

// hears takes what the other end states, and lost reports whether its packets do not come any more.
func (p *path) hears(m *signaling.RTCSent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive.states(m.Packets)
}

func (p *path) lost(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alive.lost(p.got.Load(), now)
}

func (p *path) receivers() (list []*receiver) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.ins {
		list = append(list, r)
	}
	return list
}

// in is the receiver of an m-line.
func (p *path) in(mid string) *receiver {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.ins[mid]
	if r == nil && len(p.ins) < signaling.MaxLines {
		r = &receiver{mid: mid, start: time.Now(), wait: p.wait, ask: func() { p.pli(mid) },
			again: func(missing []uint16) { p.nack(mid, missing) }}
		p.ins[mid] = r
	}
	return r
}

// receive is called when the first packet of an m-line comes.
func (p *path) receive(remote *webrtc.TrackRemote, in *webrtc.RTPReceiver) {
	mid := midOf(p.pc, func(t *webrtc.RTPTransceiver) bool { return t.Receiver() == in })
	r := p.in(mid)
	if r == nil || mid == "" {
		return
	}
	p.mu.Lock()
	if p.tracks[mid] != nil { // a second stream of one m-line, as simulcast has it: the first is taken
		p.mu.Unlock()
		return
	}
	p.tracks[mid] = remote
	arrived, reported := p.arrived, p.reported
	p.mu.Unlock()
	arrived(mid, remote.Codec().MimeType)
	p.goes(func() {
		for {
			packet, _, err := remote.ReadRTP()
			if err != nil {
				return
			}
			p.got.Add(1)
			r.push(packet)
		}
	})
	p.goes(func() {
		for {
			packets, _, err := in.ReadRTCP()
			if err != nil {
				return
			}
			for _, packet := range packets {
				if sr, ok := packet.(*rtcp.SenderReport); ok && sr.SSRC == uint32(remote.SSRC()) {
					reported(mid, sr)
				}
			}
		}
	})
}

// pli asks for a key frame.
func (p *path) pli(mid string) {
	p.mu.Lock()
	remote := p.tracks[mid]
	p.mu.Unlock()
	if remote != nil {
		_ = p.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(remote.SSRC())}})
	}
}

// nack asks for packets again, where the other side answers that.
func (p *path) nack(mid string, missing []uint16) {
	p.mu.Lock()
	remote := p.tracks[mid]
	p.mu.Unlock()
	if remote == nil || !answersNACK(remote.Codec().RTCPFeedback) {
		return
	}
	_ = p.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: uint32(remote.SSRC()), Nacks: rtcp.NackPairsFromSequenceNumbers(missing)}})
}

// options of the Depacketizer of an m-line that comes in.
func (p *path) options(mid string, c media.Codec) rtp.Options {
	o := rtp.Options{Codec: c}
	for _, t := range p.pc.GetTransceivers() {
		if t.Mid() != mid || t.Receiver() == nil {
			continue
		}
		for _, h := range t.Receiver().GetParameters().HeaderExtensions {
			if h.URI == audioLevel {
				o.Level = uint8(h.ID)
			}
		}
	}
	return o
}

// controls reads the RTCP of an m-line on which we send. A request for a key frame goes upstream.
func (p *path) controls(l *line) {
	p.mu.Lock()
	asked := p.keyAsked
	p.mu.Unlock()
	p.goes(func() {
		for {
			packets, _, err := l.rtcp.ReadRTCP()
			if err != nil {
				return
			}
			for _, packet := range packets {
				switch m := packet.(type) {
				case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
					asked(l)
				case *rtcp.TransportLayerNack:
					l.resend(m, time.Now())
				case *rtcp.ReceiverReport:
					l.hears(m.Reports, time.Now())
				}
			}
		}
	})
}

// sends runs a sender until the path ends, once it is connected.
func (p *path) sends(s *sender) {
	s.report = func(list []rtcp.Packet) { _ = p.pc.WriteRTCP(list) }
	for _, l := range s.lines {
		l.sent = &p.sent
		p.controls(l)
	}
	p.goes(func() {
		select {
		case <-p.ready:
			s.connected()
			s.run(p.ctx)
		case <-p.ctx.Done():
		}
	})
}

// why tells the reason of a path that is over.
func (p *path) why() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason
}

func midOf(pc *webrtc.PeerConnection, is func(*webrtc.RTPTransceiver) bool) string {
	for _, t := range pc.GetTransceivers() {
		if is(t) {
			return t.Mid()
		}
	}
	return ""
}

// bare takes the candidates out of an SDP: the server has no use for them, and would look up and send to what strangers name.
func bare(sdp string) (string, error) {
	const maxSDPLines = 4096
	if strings.Count(sdp, "\n") > maxSDPLines || strings.Count(sdp, "\nm=") > signaling.MaxLines {
		return "", fmt.Errorf("over %d lines, or %d m-lines", maxSDPLines, signaling.MaxLines)
	}
	var out strings.Builder
	for l := range strings.Lines(sdp) {
		if !strings.HasPrefix(l, "a=candidate:") && !strings.HasPrefix(l, "a=end-of-candidates") {
			out.WriteString(l)
		}
	}
	return out.String(), nil
}
