package server

import (
	"encoding/json"
	"net/http"
	"time"

	"landline/relay"
	"landline/signaling"
)

// RoomsReply is what GET /api/rooms answers.
type RoomsReply struct {
	Server   string       `json:"server"`
	UptimeMs int64        `json:"uptimeMs"`
	Rooms    []RoomStatus `json:"rooms"`
}

// RoomStatus describes one room.
type RoomStatus struct {
	Room    string         `json:"room"`
	Members []MemberStatus `json:"members"`
}

// MemberStatus describes one member: what it publishes, and how its own reception goes.
type MemberStatus struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	State     string        `json:"state"`
	Transport string        `json:"transport"`
	Since     time.Time     `json:"since"`
	Hidden    bool          `json:"hidden,omitempty"` // it only watches, a room by WHEP or a recording alone, or plays a recording
	Paths     []PathStatus  `json:"paths"`
	Tracks    []TrackStatus `json:"tracks"`
	Link      LinkStatus    `json:"link"`
}

// PathStatus counts the bytes of media that a member sent and received by one path, over all its sessions.
type PathStatus struct {
	Path     string `json:"path"` // websocket or webrtc
	BytesIn  uint64 `json:"bytesIn"`
	BytesOut uint64 `json:"bytesOut"`
}

// pathNames are those of relay.Path.
var pathNames = [relay.Paths]string{relay.WebSocket: "websocket", relay.WebRTC: "webrtc", relay.ToArchive: "recording"}

// TrackStatus counts what a track has brought to the relay since it began.
type TrackStatus struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"`
	Codec       string `json:"codec"`
	Muted       bool   `json:"muted"`
	Frames      uint64 `json:"frames"`
	Bytes       uint64 `json:"bytes"`
	KeyFrames   uint64 `json:"keyFrames"`
	Subscribers int    `json:"subscribers"`
	// Layers is there where the track has several, in order of rising height.
	Layers []LayerStatus `json:"layers,omitempty"`
}

// LayerStatus tells how a layer does.
type LayerStatus struct {
	Width  int  `json:"width"`
	Height int  `json:"height"`
	Rate   int  `json:"bytesPerSecond"` // of late
	Made   bool `json:"made"`
	Wanted bool `json:"wanted"` // as the publisher was told
	Takers int  `json:"takers"`
}

// SentStatus tells which layer of a track with several a member is sent, and why that one.
type SentStatus struct {
	Member string `json:"member"`
	Track  string `json:"track"`
	Height int    `json:"height"`
	Why    string `json:"why"`
	Next   int    `json:"nextHeight,omitempty"` // of the layer that is to come next
}

// LinkStatus tells how a member's reception goes now.
type LinkStatus struct {
	Subscribed  int               `json:"subscribed"`
	QueueBytes  int               `json:"queueBytes"`
	QueueAgeMs  float64           `json:"queueAgeMs"`
	InFlight    int               `json:"inFlightBytes"`
	Window      int               `json:"windowBytes"`
	DelayMs     float64           `json:"delayMs"`                // queueing on the path
	RTTMs       float64           `json:"rttMs"`                  // shortest of late
	Rate        int               `json:"bytesPerSecond"`         // delivered, the best of late
	Capacity    int               `json:"capacityBytesPerSecond"` // of a link that was seen full of late, else 0
	Sent        uint64            `json:"sentBytes"`
	ClosedGates int               `json:"closedGates"`
	Muffled     int               `json:"muffledSpeakers"`
	DataBehind  int               `json:"dataBehind"` // values of topics that were not sent yet
	Thinned     int               `json:"thinnedTracks"`
	Layers      []SentStatus      `json:"layers,omitempty"`
	Drops       map[string]uint64 `json:"drops"`
}

func (s *Server) rooms(w http.ResponseWriter, _ *http.Request) {
	reply := RoomsReply{Server: "landline/" + s.cfg.Version, UptimeMs: time.Since(s.start).Milliseconds(), Rooms: []RoomStatus{}}
	for _, r := range s.relay.Snapshot() {
		room := RoomStatus{Room: r.Name}
		for _, m := range r.Members {
			room.Members = append(room.Members, memberStatus(m))
		}
		reply.Rooms = append(reply.Rooms, room)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func memberStatus(m relay.MemberStats) MemberStatus {
	out := MemberStatus{ID: m.ID, Name: m.Name, State: wireState(m.State), Transport: transport(m), Hidden: m.Hidden, Since: m.Since, Tracks: []TrackStatus{},
		Link: LinkStatus{Subscribed: m.Link.Subscribed, QueueBytes: m.Link.QueueBytes, QueueAgeMs: milliseconds(m.Link.QueueAge),
			InFlight: m.Link.InFlight, Window: m.Link.Window, DelayMs: milliseconds(m.Link.Delay), RTTMs: milliseconds(m.Link.RTT), Rate: m.Link.Rate,
			Capacity: m.Link.Capacity, Sent: m.Link.Sent, ClosedGates: m.Link.ClosedGates, Muffled: m.Link.Muffled, DataBehind: m.Link.DataBehind, Thinned: m.Link.Thinned, Layers: sentLayers(m.Link.Layers), Drops: dropNames(m.Link.Drops)}}
	if out.State == signaling.Reconnecting {
		out.Transport = "none"
	}
	for p, name := range pathNames {
		out.Paths = append(out.Paths, PathStatus{Path: name, BytesIn: m.Traffic.In(relay.Path(p)), BytesOut: m.Traffic.Out(relay.Path(p))})
	}
	for _, t := range m.Tracks {
		out.Tracks = append(out.Tracks, TrackStatus{ID: t.ID, Kind: string(t.Kind), Codec: string(t.Codec), Muted: t.Muted, Frames: t.Frames,
			Bytes: t.Bytes, KeyFrames: t.KeyFrames, Subscribers: t.Subscribers, Layers: layerStatus(t.Layers)})
	}
	return out
}

func layerStatus(layers []relay.LayerStats) (out []LayerStatus) {
	for _, l := range layers {
		out = append(out, LayerStatus(l))
	}
	return out
}

func sentLayers(feeds []relay.FeedStats) (out []SentStatus) {
	for _, f := range feeds {
		out = append(out, SentStatus{Member: f.Member, Track: f.Track, Height: f.Height, Why: wireWhy(f.Why), Next: f.Next})
	}
	return out
}

// transport names what carries a member's media now.
func transport(m relay.MemberStats) string {
	if m.Detour {
		return pathNames[relay.WebSocket] + "+" + pathNames[relay.WebRTC]
	}
	return pathNames[m.Path]
}
