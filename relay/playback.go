package relay

import "time"

// Playback is what a room is told of the recording that is played into it.
type Playback struct {
	Recording string
	Title     string   // of a file that was added to the recordings; "" = it was recorded
	Members   []string // ids of those who are played
	By        string   // display name of who has it played; "" = the operator
	Playing   bool     // false: it pauses
	Loop      bool
	Position  time.Duration // in the recording
	At        time.Time     // when it was there
	Length    time.Duration
	Next      []string // recordings that are played behind it
	Over      bool
	Why       string // a code, of one that is over
}

// Since is where it is at a time.
func (p Playback) Since(at time.Time) time.Duration {
	if !p.Playing || p.Over {
		return p.Position
	}
	return min(p.Position+max(0, at.Sub(p.At)), p.Length)
}

// SetPlayback tells everybody in the room how what is played there does. The member is the one who plays.
func (m *Member) SetPlayback(p Playback) {
	m.room.change(func(wakes *[]*Subscriber) {
		m.room.playback = &p
		if p.Over {
			m.room.playback = nil
		}
		m.room.tell(&Event{Kind: PlaybackState, Playback: &p}, m, wakes)
	})
}

// Playback is what is played into the member's room; nil if nothing is.
func (m *Member) Playback() *Playback {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	return m.room.playback
}

// Present is how many are in the member's room, itself and those who are hidden counted, those who record not.
func (m *Member) Present() int {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	return len(m.room.members) - m.room.archives
}
