package bench

import (
	"encoding/binary"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"landline/signaling"
)

// viewer is a member's PeerConnection, to the relay or to the floor. Pion reads it in goroutines of its own, beside the loop.
type viewer struct {
	m     *member
	epoch int
	pc    *webrtc.PeerConnection
}

// viewerAPI is that of all viewers. They send receiver reports, as every receiver does, and ask for nothing again: what is lost
// shall be seen.
var viewerAPI = sync.OnceValues(func() (*webrtc.API, error) {
	reports, err := report.NewReceiverInterceptor()
	if err != nil {
		return nil, err
	}
	with := &interceptor.Registry{}
	with.Add(reports)
	return pionAPI(pionSettings(), with)
})

// look makes a PeerConnection and offers it.
func (m *member) look() {
	v := &viewer{m: m, epoch: m.epoch}
	m.view = v
	video, audio := 0, 0
	if m.w.plan.video() {
		video = m.w.plan.Publishers
	}
	if m.w.plan.Audio {
		audio = m.w.plan.Publishers
	}
	go func() {
		pc, sdp, err := offerOf(audio, video)
		v.lock(func() {
			if err != nil {
				m.lost("no PeerConnection: " + err.Error())
				return
			}
			v.pc = pc
			pc.OnConnectionStateChange(v.state)
			pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { v.read(remote) })
			m.offer(sdp)
		}, pc)
	}()
}

// offerOf makes a PeerConnection that receives so many tracks.
func offerOf(audio, video int) (pc *webrtc.PeerConnection, sdp string, err error) {
	api, err := viewerAPI()
	if err != nil {
		return nil, "", err
	}
	if pc, err = api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return nil, "", err
	}
	for i := 0; i < audio+video && err == nil; i++ {
		kind := webrtc.RTPCodecTypeVideo
		if i < audio {
			kind = webrtc.RTPCodecTypeAudio
		}
		_, err = pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	}
	var offer webrtc.SessionDescription
	if err == nil {
		offer, err = pc.CreateOffer(nil)
	}
	if err == nil {
		err = pc.SetLocalDescription(offer)
	}
	if err != nil {
		_ = pc.Close()
		return nil, "", err
	}
	return pc, offer.SDP, nil
}

// lock does something in the worker's turn, if the connection is still the one that it was. Otherwise pc is closed, if it is one.
func (v *viewer) lock(do func(), pc *webrtc.PeerConnection) {
	w := v.m.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.m.epoch != v.epoch {
		if pc != nil {
			go pc.Close()
		}
		return
	}
	do()
	w.nudge()
}

// offer sends an offer: to the floor behind the number of the room and the offer's length.
func (m *member) offer(sdp string) {
	if m.spec.Role != onFloor {
		m.line.send(appendMasked(nil, opText, signaling.Encode(&signaling.RTCOffer{Type: "rtcOffer", Req: 1, SDP: sdp})))
		return
	}
	head := binary.BigEndian.AppendUint16(nil, uint16(m.spec.Room))
	m.line.send(append(binary.BigEndian.AppendUint32(head, uint32(len(sdp))), sdp...))
}

// answered takes the answer.
func (m *member) answered(sdp string) {
	v := m.view
	if v == nil || v.pc == nil {
		return
	}
	go func() {
		if err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
			v.lock(func() { m.lost("the answer to an offer: " + err.Error()) }, nil)
		}
	}()
}

func (v *viewer) state(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		at := now()
		v.lock(func() {
			if v.m.stage == joining {
				v.m.entered(at)
			}
		}, nil)
	case webrtc.PeerConnectionStateFailed:
		v.lock(func() { v.m.lost("a PeerConnection failed: does UDP reach the relay?") }, nil)
	}
}

// lookAway closes the PeerConnection. Pion waits for its own goroutines then, which may wait for the worker.
func (m *member) lookAway() {
	if v := m.view; v != nil && v.pc != nil {
		go v.pc.Close()
	}
	m.view = nil
}

// packetRoom is more than any packet.
const packetRoom = 1500

// read takes the packets of one m-line until it ends.
func (v *viewer) read(remote *webrtc.TrackRemote) {
	in := &inbound{audio: remote.Kind() == webrtc.RTPCodecTypeAudio}
	buf := make([]byte, packetRoom)
	var p rtp.Packet
	for {
		n, _, err := remote.Read(buf)
		if err != nil {
			return
		}
		at := now()
		if p.Unmarshal(buf[:n]) != nil {
			continue
		}
		if in.push(&p) {
			v.frame(in, at)
		}
	}
}

// frame counts what has come since the last call.
func (v *viewer) frame(in *inbound, at int64) {
	m := v.m
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	if m.epoch != v.epoch {
		return
	}
	k := m.tally.kind(in.audio)
	k.Packets += in.packets
	k.Lost += in.lost
	in.packets, in.lost = 0, 0
	if !in.whole {
		return
	}
	k.Frames++
	k.Bytes += in.bytes
	k.Latency.add(at - in.sent)
	if !m.any {
		m.any = true
		m.tally.First.add(at - m.began)
	}
}
