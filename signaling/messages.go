package signaling

import "landline/media"

// Subprotocol is the WebSocket subprotocol; Version is hello.version.
const (
	Subprotocol = "landline.v1"
	Version     = 1
)

// Hello is the client's first message.
type Hello struct {
	Type    string    `json:"type"`
	Version int       `json:"version"`
	Agent   string    `json:"agent,omitempty"`
	Decode  Decodable `json:"decode"`
}

// Decodable lists the codecs that a client decodes, per path.
type Decodable struct {
	WS     []media.Codec `json:"ws"`
	WebRTC []media.Codec `json:"webrtc,omitempty"`
}

// Welcome answers Hello.
type Welcome struct {
	Type     string   `json:"type"`
	Version  int      `json:"version"`
	Server   string   `json:"server"`
	Features []string `json:"features"`
	Limits   Limits   `json:"limits"`
}

// Join enters a room.
type Join struct {
	Type      string      `json:"type"`
	Req       int64       `json:"req,omitempty"`
	Room      string      `json:"room"`
	Name      string      `json:"name,omitempty"`
	Token     string      `json:"token,omitempty"`
	Resume    string      `json:"resume,omitempty"`
	Publish   []Track     `json:"publish,omitempty"`
	Subscribe []Subscribe `json:"subscribe,omitempty"`
	// ChatAfterUs is the stamp of the last chat that the client knows: what is kept behind it is told again.
	ChatAfterUs int64 `json:"chatAfterUs,omitempty"`
}

// Joined answers Join.
type Joined struct {
	Type    string   `json:"type"`
	Req     int64    `json:"req,omitempty"`
	Room    string   `json:"room"`
	Resumed bool     `json:"resumed"`
	Resume  string   `json:"resume"`
	GraceMs int64    `json:"graceMs"`
	Grants  []string `json:"grants"`
	Self    Member   `json:"self"`
	Members []Member `json:"members"`
}

// Member states.
const (
	Online       = "online"
	Reconnecting = "reconnecting"
)

// Member is one member as a roster shows it.
type Member struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	State  string  `json:"state"`
	Tracks []Track `json:"tracks"`
}

// Track sources.
const (
	SourceCamera      = "camera"
	SourceMic         = "mic"
	SourceScreen      = "screen"
	SourceScreenAudio = "screen-audio"
	SourceFile        = "file"
)

// Track announces one track. In an offer (publish, join) it has no AtUs and Muted, and Layers only if there are several, without aliases.
type Track struct {
	ID           string        `json:"id"`
	Kind         media.Kind    `json:"kind"`
	Source       string        `json:"source"`
	Codec        media.Codec   `json:"codec"`
	CodecString  string        `json:"codecString"`
	Config       []byte        `json:"config,omitempty"`
	Width        int           `json:"width,omitempty"`
	Height       int           `json:"height,omitempty"`
	Colour       *media.Colour `json:"colour,omitempty"`
	SampleRate   int           `json:"sampleRate,omitempty"`
	Channels     int           `json:"channels,omitempty"`
	Layers       []Layer       `json:"layers,omitempty"`
	Clock        Clock         `json:"clock"`
	AtUs         int64         `json:"atUs,omitempty"`
	Muted        bool          `json:"muted,omitempty"`
	KeyOnRequest bool          `json:"keyOnRequest,omitempty"`
}

// Layer is one rendition of a track, in pixels. What is empty is as the track says.
type Layer struct {
	Alias       uint16 `json:"alias,omitempty"`
	Width       int    `json:"width,omitempty"`
	Height      int    `json:"height,omitempty"`
	CodecString string `json:"codecString,omitempty"`
	Config      []byte `json:"config,omitempty"`
}

// Clock maps a member's clock to wall time: at Us it was WallUs (µs since 1970 UTC).
type Clock struct {
	Us     int64 `json:"us"`
	WallUs int64 `json:"wallUs"`
}

// Publish offers tracks; Published answers it with their aliases.
type Publish struct {
	Type   string  `json:"type"`
	Req    int64   `json:"req,omitempty"`
	Tracks []Track `json:"tracks"`
}

// Published answers Publish.
type Published struct {
	Type   string  `json:"type"`
	Req    int64   `json:"req,omitempty"`
	Tracks []Track `json:"tracks"`
}

// Configure replaces the format of one's own track and, where it has some, its layers'.
type Configure struct {
	Type        string        `json:"type"`
	Req         int64         `json:"req,omitempty"`
	Track       string        `json:"track"`
	CodecString string        `json:"codecString"`
	Config      []byte        `json:"config,omitempty"`
	Width       int           `json:"width,omitempty"`
	Height      int           `json:"height,omitempty"`
	Colour      *media.Colour `json:"colour,omitempty"`
	SampleRate  int           `json:"sampleRate,omitempty"`
	Channels    int           `json:"channels,omitempty"`
	Layers      []Layer       `json:"layers,omitempty"`
}

// Encoding says which layers of one's own track are made.
type Encoding struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	Track  string `json:"track"`
	Layers []bool `json:"layers"`
}

// Mute says whether one's own track is muted.
type Mute struct {
	Type  string `json:"type"`
	Req   int64  `json:"req,omitempty"`
	Track string `json:"track"`
	Muted bool   `json:"muted"`
}

// Unpublish withdraws one's own track.
type Unpublish struct {
	Type  string `json:"type"`
	Req   int64  `json:"req,omitempty"`
	Track string `json:"track"`
}

// Subscribe asks for what its selector (Member, Name, Track) names. Height is the tallest picture that is of use, in pixels, 0 = any;
// Hold asks for that layer always.
type Subscribe struct {
	Type     string `json:"type,omitempty"`
	Req      int64  `json:"req,omitempty"`
	Member   string `json:"member,omitempty"`
	Name     string `json:"name,omitempty"`
	Track    string `json:"track,omitempty"`
	Priority *int   `json:"priority,omitempty"`
	Paused   bool   `json:"paused,omitempty"`
	MaxAgeMs int64  `json:"maxAgeMs,omitempty"`
	Height   int    `json:"height,omitempty"`
	Hold     bool   `json:"hold,omitempty"`
}

// Unsubscribe takes back the subscription with the same selector.
type Unsubscribe struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	Member string `json:"member,omitempty"`
	Name   string `json:"name,omitempty"`
	Track  string `json:"track,omitempty"`
}

// KeyFrame says that a receiver cannot decode a track.
type KeyFrame struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	Member string `json:"member"`
	Track  string `json:"track"`
	Why    string `json:"why,omitempty"`
}

// Chat is text to everybody in the room. Source and N are the sender's, as those of Put; From, Name, Seq, AtUs and Past (it
// was said before this session began) are the server's.
type Chat struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	From   string `json:"from,omitempty"`
	Name   string `json:"name,omitempty"`
	Text   string `json:"text"`
	Source string `json:"source,omitempty"`
	N      uint64 `json:"n,omitempty"`
	Seq    uint64 `json:"seq,omitempty"`
	AtUs   int64  `json:"atUs,omitempty"`
	Past   bool   `json:"past,omitempty"`
}

// MemberJoined announces a member.
type MemberJoined struct {
	Type   string `json:"type"`
	Member Member `json:"member"`
}

// MemberState says that a member is online or reconnecting.
type MemberState struct {
	Type  string `json:"type"`
	ID    string `json:"id"`
	State string `json:"state"`
}

// MemberLeft says that a member is gone. Reason is "bye", "lost", "replaced" or "closed".
type MemberLeft struct {
	Type   string `json:"type"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// TrackAdded announces a track, before its first chunk; TrackUpdated repeats it with what changed.
type TrackAdded struct {
	Type   string `json:"type"`
	Member string `json:"member"`
	Track  Track  `json:"track"`
}

// TrackRemoved follows a track's End.
type TrackRemoved struct {
	Type   string `json:"type"`
	Member string `json:"member"`
	Track  string `json:"track"`
	Reason string `json:"reason,omitempty"`
}

// Feedback tells a publisher what its subscribers need of a track now: of one Layer, by its index, or of all where that is nil.
type Feedback struct {
	Type     string `json:"type"`
	Track    string `json:"track"`
	KeyFrame bool   `json:"keyframe,omitempty"`
	Layer    *int   `json:"layer,omitempty"`
}

// Wanted tells a publisher which layers of a track anybody takes now.
type Wanted struct {
	Type   string `json:"type"`
	Track  string `json:"track"`
	Layers []bool `json:"layers"`
}

// Reasons of LayerSent.
const (
	WhyAsked     = "asked"
	WhyLink      = "link"
	WhyPublisher = "publisher"
)

// LayerSent tells a receiver which layer of a track it is sent, by its height in pixels, and why it is that one.
type LayerSent struct {
	Type   string `json:"type"`
	Member string `json:"member"`
	Track  string `json:"track"`
	Height int    `json:"height"`
	Why    string `json:"why"`
}

// Drops counts frames that the relay dropped on the way to this receiver.
type Drops struct {
	Type   string      `json:"type"`
	Tracks []TrackDrop `json:"tracks"`
}

// TrackDrop holds one track's drops by the name of the reason.
type TrackDrop struct {
	Member string            `json:"member"`
	Track  string            `json:"track"`
	Frames map[string]uint64 `json:"frames"`
}

// Notice tells something that a person should know.
type Notice struct {
	Type   string `json:"type"`
	Code   string `json:"code"`
	Member string `json:"member,omitempty"`
	Track  string `json:"track,omitempty"`
	Text   string `json:"text"`
}

// Error says that a request failed or, with Fatal, that the session is about to be closed.
type Error struct {
	Type  string `json:"type"`
	Req   int64  `json:"req,omitempty"`
	Code  string `json:"code"`
	Text  string `json:"text"`
	Fatal bool   `json:"fatal,omitempty"`
}

// Bye from a client leaves the room. From the server it says that it is going away, and when to return.
type Bye struct {
	Type    string `json:"type"`
	Reason  string `json:"reason,omitempty"`
	RetryMs int64  `json:"retryMs,omitempty"`
}

// AckInterval asks the other side to acknowledge this often.
type AckInterval struct {
	Type string `json:"type"`
	Ms   int64  `json:"ms"`
}
