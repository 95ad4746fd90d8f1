package rtp

import "landline/media"

// Sync maps the RTP timestamps of one of several streams of a sender to a clock of theirs that they share: at first by when they come,
// and from the sender's first report on by what it says. It moves there slowly, and never goes back.
type Sync struct {
	clock  Clock
	audio  bool
	fixed  bool  // the others go by this one
	offset int64 // µs added to clock now
	target int64 // and in the end
	last   int64 // what At gave last
	begun  bool
}

// Wall is what a Sync shares with those of the other streams: which wall time of the sender, in µs, the clock's 0 is.
type Wall struct {
	known bool
	audio bool // by a stream of sound
	zero  int64
}

// slew is how many µs the mapping moves in a second at most.
const slew = 5_000

// NewSync makes a mapping by the first frame, which came at us.
func NewSync(c media.Codec, us int64, stamp uint32) Sync {
	return Sync{clock: NewClock(c, us, stamp), audio: c == media.Opus}
}

// At gives the time of a timestamp.
func (s *Sync) At(stamp uint32) int64 {
	us := s.clock.Micros(stamp)
	if s.begun {
		most := max(0, us+s.offset-s.last) * slew / second
		s.offset += min(max(s.target-s.offset, -most), most)
	}
	s.begun, s.last = true, max(us+s.offset, s.last+1)
	return s.last
}

// Report takes a sender's report: at wall µs of its clock the timestamp was stamp. The first stream of sound that reports stays as it is
// and the others follow it, since a player hears it where sound is moved by a sample; until then they follow the first of any.
func (s *Sync) Report(w *Wall, wall int64, stamp uint32) {
	clock := s.clock // a report must not move the unwrapping
	us := clock.Micros(stamp)
	if !w.known || s.audio && !w.audio {
		w.known, w.audio, w.zero = true, s.audio, wall-us-s.offset
		s.fixed = s.audio
		s.target = s.offset
	}
	if s.fixed {
		return
	}
	s.target = wall - w.zero - us
}
