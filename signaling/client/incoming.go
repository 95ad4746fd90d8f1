package client

import (
	"maps"
	"sync"
	"time"

	"landline/media"
	"landline/signaling"
)

// Frame is one frame as it was received. Its timestamp is the full value of the sender's clock in µs.
type Frame struct {
	media.Frame
	Group  uint32
	Number uint16 // in the group
	Config bool   // the track's format changed with this frame
	// CatchUp says that the frame was published earlier: it is to be decoded, not to be shown in its turn.
	CatchUp bool
	Level   uint8 // audio: -dBov, 127 = silence or unknown
	Voice   bool
	Arrived time.Time // of its last byte
}

// Incoming is a track that is received.
type Incoming struct {
	Member signaling.Member // whose it is, without Tracks

	// Of the deliver goroutine.
	alias    uint16 // of the layer that comes; 0 = none yet
	asm      media.Assembler
	clock    unwrapper
	catching bool // between two catch-up markers
	headLate bool // the frame being put together began there
	any      bool // a frame was delivered; last tells which
	last     position
	sideOpen bool // frames by the side can be decoded
	sideDone bool // all of them have come
	bySide   bool // the last that was delivered came by the side, at sideUs
	sideUs   int64

	mu    sync.Mutex
	again bool // a key frame was asked for: the next catch-up is delivered in full
	track signaling.Track
	stats IncomingStats
	base  map[string]uint64 // drops told on earlier connections
	delay histogram
}

// position is where a frame stands among those that were delivered.
type position struct {
	alias  uint16
	group  uint32
	number uint16
}

// IncomingStats counts what came of a track.
type IncomingStats struct {
	Frames, Bytes, KeyFrames uint64
	// Gaps counts groups and frames missing in the numbers. A group that was given up on the way is in
	// Abandoned, not in Gaps.
	Gaps      uint64
	Abandoned uint64
	// Drops are those told by the relay, by reason.
	Drops map[string]uint64
	// Side counts those of Frames that came by WebRTC.
	Side uint64
	// Latency of the frames, from when they were due by the sender's clock to when their last byte came. Catch-up
	// is left out.
	LatencyP50, LatencyP99 time.Duration
	LatencyFrames          uint64
	// Layer is the one that comes, of a track with several, and Switches how often another one took over.
	Layer    signaling.Layer
	Switches uint64
}

func newIncoming(m signaling.Member, t signaling.Track) *Incoming {
	m.Tracks = nil
	in := &Incoming{Member: m, track: t}
	in.clock.start(max(t.AtUs, t.Clock.Us), time.Now())
	return in
}

// Track is the track's announcement, as it is now.
func (in *Incoming) Track() signaling.Track {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.track
}

// Stats counts what came so far.
func (in *Incoming) Stats() IncomingStats {
	in.mu.Lock()
	defer in.mu.Unlock()
	s := in.stats
	s.Drops = maps.Clone(in.base)
	for why, n := range in.stats.Drops {
		if s.Drops == nil {
			s.Drops = map[string]uint64{}
		}
		s.Drops[why] += n
	}
	s.LatencyP50, s.LatencyP99, s.LatencyFrames = in.delay.quantile(0.5), in.delay.quantile(0.99), in.delay.n
	return s
}

// reconnected starts over on a new connection: what was under way does not go on.
func (in *Incoming) reconnected() {
	in.asm.CatchUp(media.Control{Code: 1})
	in.catching, in.headLate = false, false
	in.mu.Lock()
	defer in.mu.Unlock()
	for why, n := range in.stats.Drops {
		if in.base == nil {
			in.base = map[string]uint64{}
		}
		in.base[why] += n
	}
	in.stats.Drops = nil
}

// turn goes over to the layer of an alias, which begins with a group. It reports false for one that does not come now.
func (in *Incoming) turn(alias uint16, begins bool) bool {
	if alias == in.alias {
		return true
	}
	if !begins {
		return false
	}
	if in.alias != 0 {
		in.asm.CatchUp(media.Control{Code: 1}) // group numbers of the other layer tell nothing of this one's
		in.catching, in.headLate = false, false
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.alias != 0 {
		in.stats.Switches++
	}
	in.alias = alias
	in.stats.Layer = in.layer(alias)
	return true
}

// layer is what the announcement says of the layer with an alias.
func (in *Incoming) layer(alias uint16) signaling.Layer {
	for _, l := range in.track.Layers {
		if l.Alias == alias {
			return l
		}
	}
	return signaling.Layer{}
}

// control takes an Abandon or a catch-up marker.
func (in *Incoming) control(c media.Control) {
	if !in.turn(c.Alias, c.Kind == media.KindCatchUp && c.Code == 1) {
		return
	}
	switch c.Kind {
	case media.KindAbandon:
		in.asm.Abandon(c)
		in.mu.Lock()
		in.stats.Abandoned = in.asm.Abandoned
		in.mu.Unlock()
	case media.KindCatchUp:
		in.catching = c.Code == 1
		in.asm.CatchUp(c)
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.catching && in.again {
			in.any, in.again = false, false
		}
	}
}

// repeat makes the next catch-up bring also what was delivered before.
func (in *Incoming) repeat() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.again = true
}

// chunk takes a chunk and returns the frame that it completes.
func (in *Incoming) chunk(c *media.Chunk, at time.Time) (f Frame, ok bool) {
	if !in.turn(c.Alias, c.Offset == 0 && c.Frame == 0 && c.Key) {
		return f, false
	}
	if c.Offset == 0 {
		in.headLate = in.catching
	}
	before := in.asm.Gaps
	h, data, ok := in.asm.Push(c)
	gaps := in.asm.Gaps - before
	if ok {
		f.Timestamp = in.clock.full(h.Timestamp, at)
		f.Key, f.Data, f.Group, f.Number, f.Config = h.Key, data, h.Group, h.Frame, h.Config
		f.CatchUp, f.Arrived = in.headLate, at
		if in.track.Kind == media.Audio {
			f.Level, f.Voice = h.Level()
		}
		if in.repeated(f) || in.hadBySide(f) {
			ok = false
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stats.Gaps += gaps
	if ok {
		in.count(f)
	}
	return f, ok
}

// repeated reports whether a catch-up brings a frame that was delivered before.
func (in *Incoming) repeated(f Frame) bool {
	return f.CatchUp && in.any && in.last.alias == in.alias && f.Group == in.last.group && f.Number <= in.last.number
}

func (in *Incoming) count(f Frame) {
	s := &in.stats
	if in.any && in.last.alias == in.alias && f.Group > in.last.group+1 {
		s.Gaps += uint64(f.Group - in.last.group - 1)
	}
	in.any, in.last = true, position{in.alias, f.Group, f.Number}
	s.Frames++
	s.Bytes += uint64(len(f.Data))
	if f.Key {
		s.KeyFrames++
	}
	if c := in.track.Clock; !f.CatchUp && c.WallUs != 0 {
		due := time.UnixMicro(c.WallUs + f.Timestamp - c.Us)
		in.delay.add(f.Arrived.Sub(due))
	}
}

// unwrapper gives the low 32 bits of a clock their full value (docs/protocol.md section 9).
type unwrapper struct {
	value int64
	at    time.Time
}

func (u *unwrapper) start(value int64, at time.Time) { u.value, u.at = value, at }

// full is the value nearest to where the clock should be now.
func (u *unwrapper) full(low uint32, at time.Time) int64 {
	should := u.value + at.Sub(u.at).Microseconds()
	u.value, u.at = should+int64(int32(low-uint32(should))), at
	return u.value
}
