package signaling

import (
	"context"
	"fmt"

	"landline/media"
)

// The limits of SDP.
const (
	MaxSDP   = 60_000 // bytes of one in a control message
	MaxLines = 32     // m-lines
)

// The reasons of an rtcClose.
const (
	RTCClosed  = "closed"  // one side is through with it
	RTCTimeout = "timeout" // nothing was heard
	RTCFailed  = "failed"
	RTCNever   = "never" // it did not connect
)

// RTCOffer asks for a PeerConnection beside the WebSocket; RTCAnswer answers it.
type RTCOffer struct {
	Type string    `json:"type"`
	Req  int64     `json:"req,omitempty"`
	SDP  string    `json:"sdp"`
	Send []RTCSend `json:"send,omitempty"`
	Both bool      `json:"both,omitempty"` // what is received comes over the WebSocket as well, until an RTCPath says otherwise
}

// RTCSend says which m-line carries one of the client's own tracks: the number of the first packet, and the RTP timestamp of
// Us on the member's clock.
type RTCSend struct {
	Mid      string `json:"mid"`
	Track    string `json:"track"`
	Sequence uint16 `json:"sequence"`
	RTP      uint32 `json:"rtp"`
	Us       int64  `json:"us"`
}

// RTCAnswer has the server's SDP.
type RTCAnswer struct {
	Type string `json:"type"`
	Req  int64  `json:"req,omitempty"`
	SDP  string `json:"sdp"`
}

// RTCTrack says that an m-line carries a track from the packet of number Sequence on.
type RTCTrack struct {
	Type     string `json:"type"`
	Mid      string `json:"mid"`
	Member   string `json:"member"`
	Track    string `json:"track"`
	Sequence uint16 `json:"sequence"`
	RTP      uint32 `json:"rtp"`
	Us       int64  `json:"us"`
}

// RTCEnd says that the track of an m-line is over: Sequence would have been the next packet. The server's for an m-line on which the
// client sends says that it has all of it.
type RTCEnd struct {
	Type     string `json:"type"`
	Mid      string `json:"mid"`
	Sequence uint16 `json:"sequence"`
}

// RTCClose says that the PeerConnection is over.
type RTCClose struct {
	Type   string `json:"type"`
	Reason string `json:"reason,omitempty"`
}

// RTCPath says how a publisher's media comes from now on; the client asks for it, the server says so where a way has no place for it.
type RTCPath struct {
	Type   string `json:"type"`
	Member string `json:"member"`
	Path   string `json:"path"`
}

// The paths of an RTCPath.
const (
	PathBoth      = "both"
	PathWebRTC    = "webrtc"
	PathWebSocket = "websocket"
)

// RTCForce is for tests: what the client receives shall come by one path from now on, changed over to as ever; PathAny leaves it to the client again.
type RTCForce struct {
	Type string `json:"type"`
	Path string `json:"path"`
}

// PathAny is the path of an RTCForce that forces nothing.
const PathAny = "any"

func (m *RTCForce) check() error {
	if m.Path != PathAny && m.Path != PathWebRTC && m.Path != PathWebSocket {
		return fmt.Errorf("path %q: %s, %s or %s", clip(m.Path), PathAny, PathWebRTC, PathWebSocket)
	}
	return nil
}

// RTCSent states how many RTP packets its sender has sent.
type RTCSent struct {
	Type    string `json:"type"`
	Packets uint64 `json:"packets"`
}

func (m *RTCPath) check() error {
	if m.Path != PathBoth && m.Path != PathWebRTC && m.Path != PathWebSocket {
		return fmt.Errorf("path %q: %s, %s or %s", clip(m.Path), PathBoth, PathWebRTC, PathWebSocket)
	}
	return checkMember(m.Member)
}

func (m *RTCOffer) check() error {
	if len(m.SDP) > MaxSDP || len(m.Send) > MaxLines {
		return fmt.Errorf("sdp of %d bytes with %d tracks, over %d or %d", len(m.SDP), len(m.Send), MaxSDP, MaxLines)
	}
	for _, s := range m.Send {
		if s.Us < 0 || s.Us >= maxClock {
			return fmt.Errorf("us %d is not within 0 and 2^52", s.Us)
		}
		if err := CheckTrackID(s.Track); err != nil {
			return err
		}
	}
	return nil
}

// Side is a PeerConnection beside a session, as either end holds it. Its methods do not block.
type Side interface {
	// Take deals with an RTCTrack, RTCEnd, RTCClose, RTCPath or RTCSent of the other end.
	Take(msg any)
	// Close ends it. The other end is not told.
	Close()
}

// OfferedSide is a Side at the client, which made the offer.
type OfferedSide interface {
	Side
	// Connect takes the answer, and waits until the PeerConnection is up.
	Connect(ctx context.Context, sdp string) error
	// Begin says of which codec the track is that an RTCTrack speaks of: its frames come from now on.
	Begin(m *RTCTrack, codec media.Codec) error
}

// SideEnds is what a Side at the client calls, from goroutines of its own. None of it may block.
type SideEnds struct {
	Send      func(msg any)                           // a message, over the WebSocket
	Frame     func(member, track string, f SideFrame) // that was received
	Ended     func(member, track string)              // all of a track was received
	Sent      func(track string)                      // the server has all of one's own
	KeyWanted func(track string)                      // of one's own
	Over      func(reason string)                     // the Side has ended
}

// SideFrame is a frame that came by a Side; without Data it says that the rest of the group is not coming.
type SideFrame struct {
	media.Frame
	Missing int // audio: packets lost in front of it
	Level   uint8
	Voice   bool
}
