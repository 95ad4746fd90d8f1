package server

import (
	"errors"
	"slices"

	"landline/relay"
	"landline/relay/play"
	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/token"
)

// admitViewer checks who is to watch a recording alone. Each comes under an id of its own, so that one token is good for several; a recording
// tells nothing of itself to who may not see it.
func (s *Server) admitViewer(ss *Session, j *signaling.Join, recording string) (relay.Identity, error) {
	room := record.RoomOf(recording)
	if s.cfg.Recordings == nil || room == "" {
		return relay.Identity{}, noSuchRecording(record.ErrNotFound)
	}
	if s.cfg.Keys.Empty() && !isLoopback(ss.remote) {
		return relay.Identity{}, signaling.Closef(signaling.CloseForbidden, "without keys, only the server's own machine may watch recordings")
	}
	who, grants, err := s.admit(j, room)
	if err != nil {
		return who, err
	}
	if !slices.Contains(grants, token.Record) {
		return who, signaling.Closef(signaling.CloseForbidden, "the token does not grant %s", token.Record)
	}
	if _, err := s.shelf.Look(recording); err != nil {
		return who, s.lendFault(recording, err)
	}
	return relay.Identity{ID: "v-" + secret(9), Name: who.Name, Hidden: true}, nil
}

// lend gives a viewer the recording that it has joined for.
func (s *Server) lend(m *relay.Member) error {
	id := signaling.RecordingOf(m.Room())
	if id == "" {
		return nil
	}
	err := s.shelf.Lend(m, id)
	if err == nil || errors.Is(err, relay.ErrGone) {
		return nil
	}
	return s.lendFault(id, err)
}

func noSuchRecording(err error) *signaling.Closed {
	return signaling.Closef(signaling.CloseNoSuchRecording, "%s", err)
}

// lendFault is the close of a viewer who gets nothing to see.
func (s *Server) lendFault(recording string, err error) *signaling.Closed {
	switch {
	case errors.Is(err, record.ErrNotFound), errors.Is(err, record.ErrLive), errors.Is(err, play.ErrNoFile):
		return noSuchRecording(err)
	case errors.Is(err, play.ErrAllLent), errors.Is(err, relay.ErrTooManyStreams):
		return signaling.Closef(signaling.CloseOverloaded, "%s", err)
	}
	s.log.Error("a recording cannot be read", "recording", recording, "error", err)
	return signaling.Closef(signaling.CloseInternal, "%s", errDisk)
}
