package relay

import (
	"sync/atomic"
	"time"

	"landline/media"
)

// EventKind tells what an Event is about.
type EventKind uint8

// The events a Subscriber delivers. They are the control half of what a session sends.
const (
	MemberJoined    EventKind = iota + 1 // Member, Name, State, Tracks
	MemberLeft                           // Member, Reason
	MemberState                          // Member, State
	TrackAdded                           // Member, Track
	TrackUpdated                         // Member, Track
	TrackRemoved                         // Member, Track.ID, Reason
	Feedback                             // Track.ID of one's own: a key frame is wanted, of Layer
	LayersWanted                         // Track.ID of one's own, Layers
	LayerSent                            // Member, Track.ID, Height, Why
	ChatText                             // Member, Name, Text, Seq, Req, At, Past
	NoticeText                           // Reason (a code), Member, Track.ID, Text
	DropReport                           // Drops
	ObjectOffering                       // Object with ID, Streams of one's own; Req
	ObjectOffered                        // Member, Object
	ObjectAccepted                       // Object with Offset, Turn
	ObjectCredit                         // Object with Offset
	ObjectFinished                       // Object with SHA256
	ObjectReceived                       // Object
	ObjectCancelled                      // Object, Reason
	RecordingState                       // Recording
	PlaybackState                        // Playback
)

// Event is something that a member is told. Events are shared between receivers and never change.
type Event struct {
	Kind   EventKind
	Member string
	Name   string
	State  State
	Reason string
	Text   string
	Track  TrackInfo
	Tracks []TrackInfo
	Drops  []TrackDrops
	Layer  int    // index of a layer, from 1; 0 = all
	Layers []bool // for each layer, whether it is wanted
	Height int
	Why    LayerWhy
	Object *ObjectEvent

	Recording *Recording
	Playback  *Playback
	Seq       uint64
	Req       int64
	At        time.Time
	Past      bool // it was said before the session began

	// Encoded caches the transport's form of the event, for all its receivers.
	Encoded atomic.Pointer[[]byte]
}

// State says whether a member has a session.
type State uint8

// The states of a member.
const (
	Online State = iota
	Reconnecting
)

// Clock maps a member's clock to wall time: at Us it was WallUs (µs since 1970).
type Clock struct{ Us, WallUs int64 }

// Offer is what a publisher says of a track.
type Offer struct {
	ID     string
	Source string
	media.Format
	Clock        Clock
	KeyOnRequest bool        // the publisher can make a key frame when asked
	Layers       []LayerInfo // in order of rising height; none: one layer of the track's own size
}

// LayerInfo is what is told of a layer. What is empty is as the track says.
type LayerInfo struct {
	Alias         uint16 // 0 in an offer
	Width, Height int
	CodecString   string
	Config        []byte
}

// TrackInfo is an offer accepted, as everybody is told of it. It has at least one layer.
type TrackInfo struct {
	Offer
	AtUs  int64 // newest timestamp seen, unwrapped; 0 if none yet
	Muted bool
}

// MemberInfo is a member as a roster shows it.
type MemberInfo struct {
	ID, Name string
	State    State
	Tracks   []TrackInfo
}

// TrackDrops counts the frames of one track that were dropped on the way to one subscriber.
type TrackDrops struct {
	Member, Track string
	Frames        DropCounts
}

// DropCounts counts frames by media.DropReason.
type DropCounts [media.DropReasons]uint64

// Total is the sum over all reasons.
func (d DropCounts) Total() (n uint64) {
	for _, c := range d {
		n += c
	}
	return n
}
