package relay

import (
	"time"

	"landline/media"
)

// Where not all audio fits a link, the loudest speakers are heard whole and the others not at all, in place of holes
// in everybody's voice. How loud somebody is tells the header of each packet. It takes two whose packets come too late: tracks
// share a link fairly, so one that sends more than its share is late alone, and shuts out nobody.
const (
	quieterPerSecond = 30                     // dB by which the memory of a loud moment fades
	louderBy         = 6                      // dB that a speaker must be louder to take another's place
	speakerHold      = time.Second            // nobody is let in or shut out sooner again
	crowdedStep      = 200 * time.Millisecond // one is shut out, and then it is seen whether that is enough
	retryFirst       = 2 * time.Second        // without a packet that came too late, one more may be heard
	retryMost        = time.Minute            // the wait doubles each time that there was no room after all
	activeFor        = time.Second
	lateFor          = 500 * time.Millisecond // a feed counts as too late so long after a drop
	stalledAfter     = 300 * time.Millisecond // without an ack the link does not tell what fits, nor soon after
)

// speaker is what a subscriber knows of one audio feed.
type speaker struct {
	loud    int           // dB above silence, fading
	heardAt time.Duration // when a packet last came; 0 = none yet
	late    bool          // packets were dropped by age
	lateAt  time.Duration // when last
	muffled bool          // shut out: its packets are dropped
	trial   bool          // let in to see whether there is room
	since   time.Duration // when it was shut out or let in
}

// hear takes the level of a packet that comes in.
func (sp *speaker) hear(h *media.ChunkHeader, now time.Duration) {
	level, _ := h.Level()
	faded := sp.loud - int(min(now-sp.heardAt, time.Minute)*quieterPerSecond/time.Second)
	sp.loud, sp.heardAt = max(faded, 127-int(level)), now
}

// tooLate notes that a packet of an audio feed was dropped by age.
func (s *Subscriber) tooLate(f *feed, now time.Duration) {
	if s.link.Silence(now) > stalledAfter {
		s.stalledAt = now
	}
	if s.stalledAt != 0 && now-s.stalledAt < lateFor {
		return
	}
	f.speaker.late, f.speaker.lateAt, s.crowded = true, now, true
}

// muffle shuts the quietest speaker out, since packets of several came too late.
func (s *Subscriber) muffle(now time.Duration) {
	var quietest *feed
	late := 0
	for _, f := range s.feeds {
		sp := &f.speaker
		if f.video() || sp.muffled || f.paused || now-sp.heardAt > activeFor {
			continue
		}
		if sp.late && now-sp.lateAt <= lateFor {
			late++
		}
		if quietest == nil || sp.loud < quietest.speaker.loud {
			quietest = f
		}
	}
	if late < 2 {
		return
	}
	if s.crowdedAt = now; now-s.muffledAt < crowdedStep {
		return
	}
	s.muffledAt = now
	if s.retry = max(s.retry, retryFirst); quietest.speaker.trial {
		s.retry = min(2*s.retry, retryMost)
	}
	quietest.shut(now)
}

// shut drops what a feed has, and all that comes until it is let in again.
func (f *feed) shut(now time.Duration) {
	f.empty(media.DropQuiet)
	f.skip = true
	f.abandonSent(f.sentGroup, media.DropQuiet)
	f.speaker.muffled, f.speaker.trial, f.speaker.since = true, false, now
}

// letIn gives a muffled speaker its place: that of a quieter one, or one of its own where all has fitted for a while.
func (s *Subscriber) letIn(now time.Duration) {
	var loudest, quietest *feed
	for _, f := range s.feeds {
		switch sp := &f.speaker; {
		case f.video() || now-sp.since < speakerHold && sp.since != 0:
		case sp.muffled && (loudest == nil || sp.loud > loudest.speaker.loud):
			loudest = f
		case !sp.muffled && now-sp.heardAt <= activeFor && (quietest == nil || sp.loud < quietest.speaker.loud):
			quietest = f
		}
	}
	if loudest == nil {
		if now-s.crowdedAt > 2*retryFirst {
			s.retry = retryFirst
		}
		return
	}
	room := now-s.crowdedAt > s.retry
	if !room && (quietest == nil || loudest.speaker.loud < quietest.speaker.loud+louderBy) {
		return
	}
	if !room {
		quietest.shut(now)
	}
	loudest.speaker.muffled, loudest.speaker.trial, loudest.speaker.since = false, room, now
	s.muffledAt = now
}
