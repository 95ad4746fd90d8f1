package server

import (
	"errors"
	"path"

	"github.com/prometheus/client_golang/prometheus"

	"landline/relay"
	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/token"
)

// opened begins to record a room that is to be recorded always, when somebody enters it.
func (s *Server) opened(room string) {
	if s.cfg.Recordings == nil || s.cfg.RecordRooms == "" {
		return
	}
	if fits, err := path.Match(s.cfg.RecordRooms, room); err != nil || !fits {
		return
	}
	if _, err := s.cfg.Recordings.Start(s.relay, record.Order{Room: room}); err != nil && !errors.Is(err, record.ErrRunning) {
		s.log.Error("a room that should be is not recorded", "room", room, "error", err)
	}
}

// record begins or ends the recording of the member's room.
func (r *reader) record(m *signaling.Record) *signaling.Error {
	store := r.server.cfg.Recordings
	switch {
	case store == nil:
		return faultOf(signaling.ErrNoRecording, errors.New("this server does not record"))
	case !r.seat.may(token.Record):
		return noGrant(token.Record)
	}
	member := r.seat.member
	if !m.On {
		rec := store.Find(member.Room())
		if rec == nil {
			return faultOf(signaling.ErrNotRecorded, errors.New("the room is not being recorded"))
		}
		r.server.log.Info("a recording is stopped", "recording", rec.ID(), "room", member.Room(), "by", member.ID())
		rec.Stop()
		return nil
	}
	_, err := store.Start(r.server.relay, record.Order{Room: member.Room(), Of: m.Name, By: member.ID(), Name: member.Name(), PerMember: m.PerMember})
	return recordFault(err)
}

func recordFault(err error) *signaling.Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, record.ErrRunning):
		return faultOf(signaling.ErrRecordingRuns, err)
	}
	return faultOf(signaling.ErrNoRecording, err)
}

func wireRecording(rec *relay.Recording) signaling.Recording {
	return signaling.Recording{Type: "recording", ID: rec.ID, State: record.StateName(rec.State), Why: rec.Why, By: rec.By, ByName: rec.Name,
		Name: rec.Of, SinceUs: rec.Since.UnixMicro()}
}

var (
	descRecordings = desc("recordings", "Rooms that are recorded now.")
	descPlaybacks  = desc("playbacks", "Rooms into which a recording is played now.")
	descLent       = desc("recordings_lent", "Files of recordings that viewers read now.")
	descRecEnded   = desc("recordings_ended_total", "Recordings that ended, by result.", "result")
	descRecBytes   = desc("recording_bytes_total", "Bytes written to recordings.")
	descRecWaits   = desc("recording_waits_total", "Times that a recording waited for the disk, by reason.", "why")
	descRecDropped = desc("recording_frames_dropped_total", "Frames that recordings lost since the disk was full or slow.")
	descRecRescued = desc("recordings_recovered_total", "Files of recordings that a crash had cut off, and that were completed.")
)

// collectRecordings gives the counters of recordings.
func (s *Server) collectRecordings(gauge func(*prometheus.Desc, int, ...string), count func(*prometheus.Desc, uint64, ...string)) {
	c := s.cfg.Recordings.Counts()
	gauge(descRecordings, s.cfg.Recordings.Running())
	gauge(descPlaybacks, s.deck.Playing())
	gauge(descLent, s.shelf.Lent())
	count(descRecEnded, c.Saved.Load(), record.StateSaved)
	count(descRecEnded, c.Failed.Load(), record.StateFailed)
	count(descRecBytes, c.Bytes.Load())
	count(descRecWaits, c.Full.Load(), record.WhyFull)
	count(descRecWaits, c.Slow.Load(), record.WhySlow)
	count(descRecWaits, c.Errors.Load(), record.WhyDisk)
	count(descRecDropped, c.Dropped.Load())
	count(descRecRescued, c.Recovered.Load())
}
