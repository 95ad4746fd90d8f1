package signaling

import (
	"time"

	"landline/media"
	"landline/relay/rate"
)

// Limits are the numbers of docs/protocol.md section 13 that a client is told.
type Limits struct {
	ControlBytes  int   `json:"controlBytes"`
	ChunkBytes    int   `json:"chunkBytes"`
	FrameBytes    int   `json:"frameBytes"`
	Tracks        int   `json:"tracks"`
	Subscriptions int   `json:"subscriptions"`
	Members       int   `json:"members"`
	ChatBytes     int   `json:"chatBytes"`
	JoinMs        int64 `json:"joinMs"`
	GraceMs       int64 `json:"graceMs"`
	DeadMs        int64 `json:"deadMs"`
}

// The limits of this version.
const (
	MaxControl       = 64 << 10
	MaxTracks        = 16
	MaxLayers        = 3
	MaxHeight        = 16384 // pixels of a side
	MaxSubscriptions = 256
	MaxMembers       = 2000
	MaxChat          = 4096
	MaxName          = 64 // characters
	MaxBeforeJoin    = 4096
	MaxUnknownAlias  = 1000

	JoinTimeout = 5 * time.Second
	Grace       = 30 * time.Second
	DeadTimeout = 10 * time.Second
	Heartbeat   = 3 * time.Second

	AckEvery = rate.AckEvery // the interval until ackInterval asks for another
	AckBytes = 64 << 10      // an ack is due at once after so many bytes
	AckFirst = 16            // and for each of the first messages of a connection: the sender is to know the path before it fills it
)

// ackStart is how many bytes of a connection are its start: the sender's window grows with acks, so that they come sooner there.
const ackStart = 512 << 10

// AckAfter is after how many bytes an ack is due at once, where so many bytes have come in all.
func AckAfter(total uint64) uint64 {
	if total < ackStart {
		return AckBytes / 4
	}
	return AckBytes
}

// DefaultLimits is what a server announces.
func DefaultLimits() Limits {
	return Limits{ControlBytes: MaxControl, ChunkBytes: media.MaxChunkPayload, FrameBytes: media.MaxFrameSize,
		Tracks: MaxTracks, Subscriptions: MaxSubscriptions, Members: MaxMembers, ChatBytes: MaxChat,
		JoinMs: JoinTimeout.Milliseconds(), GraceMs: Grace.Milliseconds(), DeadMs: DeadTimeout.Milliseconds()}
}
