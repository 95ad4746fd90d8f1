package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
	"golang.org/x/sys/unix"

	"landline/media"
	"landline/media/rtp"
	"landline/signaling"
)

// fan is the floor of WebRTC: bare Pion, without interceptors, that hands each packet to the PeerConnections of its room. All are on
// one UDP port, as the relay's are, and Go's scheduler and garbage collector run as they do in the relay.
type fan struct {
	api    *webrtc.API
	tracks []*webrtc.TrackLocalStaticRTP // by outlet
	packs  []*rtp.Packetizer
	conns  []int // by room
	up     chan error
}

func newFan(outlets []*outlet, rooms int) (*fan, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	const buffer = 4 << 20 // as the relay's
	_ = conn.SetReadBuffer(buffer)
	_ = conn.SetWriteBuffer(buffer)
	s := pionSettings()
	s.SetLite(true)
	s.SetICEUDPMux(ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: s.LoggerFactory.NewLogger("ice")}))
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	f := &fan{conns: make([]int, rooms), up: make(chan error, 1<<16)}
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, err
	}
	if f.api, err = pionAPI(s, &interceptor.Registry{}); err != nil {
		return nil, err
	}
	for i, o := range outlets {
		codec, mime := media.VP8, webrtc.MimeTypeVP8
		if o.audio {
			codec, mime = media.Opus, webrtc.MimeTypeOpus
		}
		t, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, fmt.Sprintf("track-%d", i), "floor")
		if err != nil {
			return nil, err
		}
		f.tracks = append(f.tracks, t)
		f.packs = append(f.packs, rtp.NewPacketizer(codec, rtp.NewClock(codec, now()/1000, 0), 1))
	}
	return f, nil
}

// serveFan takes the offers of all viewers, and returns once they are connected.
func (f *floor) serveFan(o *serveOrder) (err error) {
	runtime.UnlockOSThread() // goroutines of Pion's do the work
	if f.fan, err = newFan(f.outlets, f.plan.Rooms); err != nil {
		return err
	}
	for range o.Conns {
		fd, _, err := unix.Accept4(f.listener, unix.SOCK_CLOEXEC)
		if err != nil {
			return os.NewSyscallError("accept", err)
		}
		if err := f.answer(os.NewFile(uintptr(fd), "viewer")); err != nil {
			return err
		}
	}
	late := time.After(joinTime)
	for range o.Conns {
		select {
		case err := <-f.fan.up:
			if err != nil {
				return err
			}
		case <-late:
			return fmt.Errorf("the floor's viewers have not connected within %v", joinTime)
		}
	}
	f.rss = resident()
	return nil
}

// answer reads an offer and answers it.
func (f *floor) answer(conn *os.File) error {
	f.viewers = append(f.viewers, conn) // which lasts as long as the floor
	var head [6]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return fmt.Errorf("a viewer went away: %w", err)
	}
	room, size := int(binary.BigEndian.Uint16(head[:])), binary.BigEndian.Uint32(head[2:])
	if room >= f.plan.Rooms || size > signaling.MaxSDP {
		return fmt.Errorf("an offer of %d bytes for room %d of %d", size, room, f.plan.Rooms)
	}
	offer := make([]byte, size)
	if _, err := io.ReadFull(conn, offer); err != nil {
		return fmt.Errorf("a viewer went away: %w", err)
	}
	sdp, err := f.connect(string(offer), room)
	if err != nil {
		return err
	}
	msg := signaling.Encode(&signaling.RTCAnswer{Type: "rtcAnswer", Req: 1, SDP: sdp})
	_, err = conn.Write(append(signaling.AppendFrameHeader(nil, signaling.OpText, len(msg)), msg...))
	return err
}

// connect makes a PeerConnection with all tracks of a room.
func (f *floor) connect(offer string, room int) (answer string, err error) {
	pc, err := f.fan.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			f.fan.up <- nil
		case webrtc.PeerConnectionStateFailed:
			f.fan.up <- errors.New("a PeerConnection of the floor failed")
		}
	})
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	for i, o := range f.outlets {
		if o.room != room {
			continue
		}
		sender, err := pc.AddTrack(f.fan.tracks[i])
		if err != nil {
			return "", err
		}
		go drain(sender)
	}
	f.fan.conns[room]++
	a, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(a); err != nil {
		return "", err
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}

// drain reads the RTCP of a sender, which would fill Pion's buffers otherwise.
func drain(s *webrtc.RTPSender) {
	buf := make([]byte, packetRoom)
	for {
		if _, _, err := s.Read(buf); err != nil {
			return
		}
	}
}

// fanFrame sends one frame of the i-th outlet to all viewers of its room, in the packets that the relay makes of it.
func (f *floor) fanFrame(i int, at int64) {
	out := f.outlets[i]
	h, data := out.stamped(at)
	for _, p := range f.fan.packs[i].Packets(media.Frame{Timestamp: at / 1000, Key: h.Key, Data: data}, h.Temporal, h.Sync) {
		_ = f.fan.tracks[i].WriteRTP(p) // what does not arrive is seen to be missing
		f.slice.count.Packets += uint64(f.fan.conns[out.room])
	}
}

// resident is what this process has in memory, in bytes.
func resident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	var total, pages float64
	if _, scan := fmt.Sscan(string(text), &total, &pages); err != nil || scan != nil {
		return 0
	}
	return pages * float64(os.Getpagesize())
}
