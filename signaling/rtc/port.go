package rtc

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"landline/media"
)

// Config of a Port.
type Config struct {
	// Conn is the UDP socket of all PeerConnections; the Port closes it.
	Conn *net.UDPConn
	// TCP gives connections of ICE-TCP (RFC 6544), on the port number of Conn; nil: there are none. The Port closes it.
	TCP net.Listener
	// Addresses are announced as those where the socket is reached; none: those of the interfaces, or the one that Conn is bound to.
	Addresses []string
	Logger    *slog.Logger // nil: nothing is logged
	Faults    bool         // CutUDP works
}

// Port is the WebRTC side of a server: one UDP port, the TCP port of the same number where that is wanted, and the paths on them.
type Port struct {
	api *webrtc.API
	mux ice.UDPMux
	tcp ice.TCPMux // nil: UDP alone
	log *slog.Logger

	wait time.Duration // for a missing packet

	panics, opened, never atomic.Uint64

	cut atomic.Bool

	mu     sync.Mutex
	paths  map[*path]struct{}
	closed bool
}

// maxPaths is how many PeerConnections a Port takes.
const maxPaths = 4000

// How ICE-TCP is bounded: nobody is waited for longer, and what a slow connection does not take is dropped, as UDP would.
const (
	firstSTUN = 5 * time.Second
	tcpBuffer = 256 << 10 // bytes that wait for one connection
)

// serverWait is how long the relay waits for a packet that is missing: viewers wait with it.
const serverWait = 250 * time.Millisecond

// ErrBadSDP says that an offer cannot be answered, ErrFull that there are as many PeerConnections as there may be, ErrNoCodec
// that an offer has nothing that is carried.
var (
	ErrBadSDP  = errors.New("an offer that cannot be answered")
	ErrFull    = errors.New("the server has as many PeerConnections as it takes")
	ErrNoCodec = errors.New("the offer has no codec that is carried")
)

// NewPort makes a Port.
func NewPort(c Config) (*Port, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	const buffer = 4 << 20 // as far as the system lets us
	_ = c.Conn.SetReadBuffer(buffer)
	_ = c.Conn.SetWriteBuffer(buffer)
	quiet := &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled, ScopeLevels: map[string]logging.LogLevel{}}
	p := &Port{log: c.Logger, wait: serverWait, paths: map[*path]struct{}{}}
	socket := net.PacketConn(c.Conn)
	if c.Faults {
		socket = faulty{PacketConn: socket, cut: &p.cut}
	}
	p.mux = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: socket, Logger: quiet.NewLogger("ice")})
	var s webrtc.SettingEngine
	s.LoggerFactory = quiet
	s.SetLite(true)
	s.SetICEUDPMux(p.mux)
	s.SetNetworkTypes(p.overTCP(&s, c.TCP, quiet))
	s.DisableActiveTCP(true)
	s.SetIncludeLoopbackCandidate(c.Conn.LocalAddr().(*net.UDPAddr).IP.IsLoopback())
	err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer)
	if len(c.Addresses) > 0 {
		err = errors.Join(err, s.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{External: c.Addresses,
			AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace}))
	}
	if err == nil {
		p.api, err = newAPI(s, true)
	}
	if err != nil {
		p.closeSockets()
		return nil, err
	}
	return p, nil
}

// overTCP takes a listener of ICE-TCP, if there is one, and gives the networks of the Port.
func (p *Port) overTCP(s *webrtc.SettingEngine, ln net.Listener, quiet logging.LoggerFactory) []webrtc.NetworkType {
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if ln == nil {
		return networks
	}
	p.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{Listener: ln, Logger: quiet.NewLogger("ice"), ReadBufferSize: 64, WriteBufferSize: tcpBuffer,
		FirstStunBindTimeout: firstSTUN, AliveDurationForConnFromStun: firstSTUN})
	s.SetICETCPMux(p.tcp)
	return append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
}

func (p *Port) closeSockets() {
	_ = p.mux.Close()
	if p.tcp != nil {
		_ = p.tcp.Close()
	}
}

// Close ends all paths and the sockets.
func (p *Port) Close() {
	p.mu.Lock()
	p.closed = true
	var list []*path
	for pt := range p.paths {
		list = append(list, pt)
	}
	p.mu.Unlock()
	for _, pt := range list {
		pt.finish("closed")
	}
	for _, pt := range list {
		<-pt.closed
	}
	p.closeSockets()
}

// Stats are counters of a Port.
type Stats struct{ Open, Opened, Never, Panics uint64 }

// Counts is what the server tells in its metrics.
func (p *Port) Counts() (open, opened, never, panics uint64) {
	s := p.Stats()
	return s.Open, s.Opened, s.Never, s.Panics
}

// Stats counts PeerConnections: open ones, all, those that never connected, and panics.
func (p *Port) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Open: uint64(len(p.paths)), Opened: p.opened.Load(), Never: p.never.Load(), Panics: p.panics.Load()}
}

// open makes a path that answers an offer. Nothing is sent or taken before prepare has seen its m-lines.
func (p *Port) open(offer string, onOver func(reason string)) (*path, error) {
	sdp, err := bare(offer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	pt, err := newPath(p.api, p.log, &p.panics, p.wait)
	if err != nil {
		return nil, err
	}
	if err := p.admit(pt, onOver); err != nil {
		return nil, err
	}
	if err := pt.offered(askable(sdp)); err != nil {
		pt.finish("failed")
		return nil, err
	}
	return pt, nil
}

func (p *Port) admit(pt *path, onOver func(reason string)) error {
	p.mu.Lock()
	full := p.closed || len(p.paths) >= maxPaths
	if !full {
		p.paths[pt] = struct{}{}
		p.opened.Add(1)
	}
	p.mu.Unlock()
	if full {
		pt.finish("closed")
		return ErrFull
	}
	pt.mu.Lock()
	defer pt.mu.Unlock()
	pt.onOver = func(reason string) {
		if reason == "never" {
			p.never.Add(1)
		}
		p.mu.Lock()
		delete(p.paths, pt)
		p.mu.Unlock()
		onOver(reason)
	}
	return nil
}

// offered takes an offer. Whatever it does to the parsers below, it ends this path alone.
func (p *path) offered(sdp string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			p.panics.Add(1)
			err = fmt.Errorf("%w: %v", ErrBadSDP, r)
		}
	}()
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	return nil
}

// lines gives the m-lines of the offer: out are those that the other side receives on, each with a sender now; in are the mids of those on
// which it sends.
func (p *path) lines() (out []*line, in []string, err error) {
	for i, t := range p.pc.GetTransceivers() {
		kind := media.Video
		if t.Kind() == webrtc.RTPCodecTypeAudio {
			kind = media.Audio
		}
		switch t.Direction() {
		case webrtc.RTPTransceiverDirectionRecvonly:
			in = append(in, t.Mid())
			if err := plainly(t); err != nil {
				return nil, nil, fmt.Errorf("%w: %w", ErrBadSDP, err)
			}
		case webrtc.RTPTransceiverDirectionSendonly:
			out = append(out, &line{kind: kind, id: fmt.Sprintf("line-%d", i), mid: t.Mid()})
		}
	}
	for _, l := range out {
		if l.rtcp, err = p.pc.AddTrack(l); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrBadSDP, err)
		}
		l.mid = midOf(p.pc, func(t *webrtc.RTPTransceiver) bool { return t.Sender() == l.rtcp })
	}
	return out, in, nil
}

// answer makes the answer, with the addresses of the port.
func (p *path) answer() (sdp string, err error) {
	defer func() {
		if r := recover(); r != nil {
			p.panics.Add(1)
			err = fmt.Errorf("%w: %v", ErrBadSDP, r)
		}
	}()
	gathered := webrtc.GatheringCompletePromise(p.pc)
	a, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	if err := p.pc.SetLocalDescription(a); err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	select {
	case <-gathered:
	case <-p.ctx.Done():
		return "", ErrFull
	}
	return p.pc.LocalDescription().SDP, nil
}
