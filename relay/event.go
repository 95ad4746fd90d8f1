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
	Feedback                             // Track.ID of one's own: a key frame is wanted
	ChatText                             // Member, Name, Text, Seq, Req, At, Past
	NoticeText                           // Reason (a code), Member, Track.ID, Text
	DropReport                           // Drops
	ObjectOffered                        // Member, Object
	ObjectAccepted                       // Object with Offset, Turn
	ObjectCredit                         // Object with Offset
	ObjectFinished                       // Object with SHA256
	ObjectReceived                       // Object
	ObjectCancelled                      // Object, Reason
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
	Object *ObjectEvent
	Seq    uint64
	Req    int64
	At     time.Time
	Past   bool // it was said before the session began

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
	KeyOnRequest bool // the publisher can make a key frame when asked
}

// TrackInfo is an offer accepted, as everybody is told of it.
type TrackInfo struct {
	Offer
	Alias uint16
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
