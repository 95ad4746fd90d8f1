package relay

import (
	"time"

	"landline/media"
)

// ArchiveBytes is how much may wait for one who records a room.
const ArchiveBytes = 64 << 20

// fitArchive drops whole groups of the feed that holds the most, until the queue of one who records fits into its budget.
func (s *Subscriber) fitArchive(now time.Duration) {
	for {
		total, most := 0, (*feed)(nil)
		for _, f := range s.feeds {
			if total += f.bytes; f.headFrameComplete() && (most == nil || f.bytes > most.bytes) {
				most = f
			}
		}
		if total <= ArchiveBytes || most == nil {
			return
		}
		if most.burst.state != burstNone {
			most.cutBurst(now)
		}
		most.passAbandons()
		if most.headFrameComplete() {
			most.cutHead(now, media.DropBytes)
		}
	}
}

// Recording is what a room is told of its recording.
type Recording struct {
	ID    string
	State RecordState
	Why   string    // a code, of one that waits or has failed
	By    string    // member id of who began it; "" = the operator
	Name  string    // and the name
	Of    string    // display name of the only member who is recorded; "" = all
	Since time.Time // when it began
}

// RecordState says how a recording does.
type RecordState uint8

// The states of a recording, in their order.
const (
	Recorded   RecordState = iota + 1 // it goes on
	RecordWait                        // it goes on once there is room on the disk again
	RecordOver                        // nothing more is recorded; the file is being completed
	RecordSaved
	RecordFailed
)

// SetRecording tells everybody in the room how its recording does. The member is the one who records.
func (m *Member) SetRecording(rec Recording) {
	m.room.change(func(wakes *[]*Subscriber) {
		m.room.recording = &rec
		m.room.tell(&Event{Kind: RecordingState, Recording: &rec}, m, wakes)
	})
}

// Recording is how the recording of the member's room does; nil if there was none.
func (m *Member) Recording() *Recording {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	return m.room.recording
}

// Now is the clock by which Out.At is told.
func (m *Member) Now() time.Duration { return m.room.relay.now() }
