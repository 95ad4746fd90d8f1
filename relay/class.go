package relay

import (
	"time"

	"landline/media"
	"landline/relay/rate"
)

// Class is a delivery class: how old a frame may grow in a queue, and what goes before what.
type Class uint8

// The classes of live media, in order of who goes first.
const (
	ClassAudio Class = iota
	ClassVideo
	ClassScreen
)

// ClassOf gives the class of a track.
func ClassOf(kind media.Kind, source string) Class {
	switch {
	case kind == media.Audio:
		return ClassAudio
	case source == "screen":
		return ClassScreen
	}
	return ClassVideo
}

// MaxAge is how long a frame of the class may wait, unless a subscription says otherwise.
func (c Class) MaxAge() time.Duration {
	switch c {
	case ClassAudio:
		return 300 * time.Millisecond
	case ClassScreen:
		return time.Second
	}
	return 400 * time.Millisecond
}

// Caps of one queue. Both are about memory; age is what bounds latency.
const (
	queueBytes     = 1 << 20
	queueBytesLong = 8 << 20                 // where a subscription asks for more age than longAge
	longAge        = 1500 * time.Millisecond // see docs/protocol.md section 7

	groupBytes  = 8 << 20 // of the current group kept for those who join late
	groupFrames = 1024
	groupItems  = 8192 // chunks may be tiny, and each costs memory of its own

	burstDeadline = 5 * time.Second // a catch-up burst that is not through by then is given up

	// splitSize is the payload of the pieces into which a chunk is split for slow receivers.
	splitSize = rate.MinChunk / media.OffsetUnit * media.OffsetUnit
	// batchBytes bounds one Pull, so that audio can overtake between two writes.
	batchBytes = 64 << 10

	maxEvents = 4096
)
