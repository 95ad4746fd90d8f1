package relay

import (
	"time"

	"landline/media"
)

// padding is what a link is tried with that is thought to carry less than is asked for: what is sent over it meanwhile is too little to
// show that it has become better, and a larger layer for a trial would be seen.
type padding struct {
	at   time.Duration // when it was last sent
	wait time.Duration // and how long until the next time
}

const (
	padCalm  = 2 * time.Second // without trouble
	padFirst = 2 * time.Second
	padMost  = 10 * time.Second
	padCount = 6 // of a size that rate.Controller looks at
	padSize  = 1200
	padLeast = 160_000 / 8 // bytes a second: on a link that is known to take less, sound would wait for it too long
)

// padMessage is shared by all.
var padMessage = append([]byte{media.KindPadding}, make([]byte, padSize-1)...)

// pad sends padding where it is time for it and nothing else waits, also more than the window takes: that is what shows something.
func (s *Subscriber) pad(p *pulling) {
	if !s.limited || p.now-s.padding.at < s.padding.wait || s.link.InFlight() > s.link.Window()/4 || s.link.Busy(p.now) || s.something() {
		return
	}
	if c := s.link.Capacity(p.now); c > 0 && c < padLeast {
		return
	}
	for _, f := range s.feeds {
		if f.layered() && p.now-f.choice.calm < padCalm {
			s.padding.wait = padFirst
			return
		}
	}
	s.padding.at, s.padding.wait = p.now, min(2*max(s.padding.wait, padFirst), padMost)
	for range padCount {
		s.emit(Message{Data: padMessage}, p)
	}
}
