package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"landline/media"
	"landline/relay"
	"landline/relay/play"
	"landline/relay/record"
	"landline/signaling"
)

// PlayRequest is the body of PUT /api/playback/ROOM.
type PlayRequest struct {
	Recording  string `json:"recording"`
	PositionMs int64  `json:"positionMs,omitempty"`
	Paused     bool   `json:"paused,omitempty"`
	Loop       bool   `json:"loop,omitempty"`

	Next []string `json:"next,omitempty"` // recordings to be played behind it
}

// PlayChange is the body of PATCH /api/playback/ROOM. What is absent stays.
type PlayChange struct {
	Playing    *bool  `json:"playing,omitempty"`
	PositionMs *int64 `json:"positionMs,omitempty"`
	Loop       *bool  `json:"loop,omitempty"`

	Next *[]string `json:"next,omitempty"` // what is played behind it
	Skip bool      `json:"skip,omitempty"` // the first of those is played now
}

// maxPosition bounds a position, in ms: ten years.
const maxPosition = 10 * 365 * 24 * 3600 * 1000

var errUnread = errors.New("the recording cannot be read")

var errPosition = errors.New("a position is 0 or more, in milliseconds")

func wirePlayback(p *relay.Playback) signaling.Playback {
	return signaling.Playback{Type: "playback", Recording: p.Recording, Title: p.Title, Members: p.Members, ByName: p.By, Playing: p.Playing, Loop: p.Loop,
		PositionMs: p.Position.Milliseconds(), AtUs: p.At.UnixMicro(), LengthMs: p.Length.Milliseconds(), Next: p.Next, Over: p.Over, Why: p.Why}
}

// playbackNow is the same as it is now.
func playbackNow(p relay.Playback) signaling.Playback {
	now := time.Now()
	p.Position, p.At = p.Since(now), now
	return wirePlayback(&p)
}

func (s *Server) playbackRoutes(mux *http.ServeMux) {
	mux.HandleFunc("PUT /api/playback/{room}", s.ofPlayback(s.startPlayback))
	mux.HandleFunc("GET /api/playback/{room}", s.ofPlayback(func(w http.ResponseWriter, _ *http.Request, room, _ string) error {
		p := s.deck.Find(room)
		if p == nil {
			return play.ErrNothing
		}
		answerJSON(w, http.StatusOK, playbackNow(p.State()))
		return nil
	}))
	mux.HandleFunc("PATCH /api/playback/{room}", s.ofPlayback(s.changePlayback))
	mux.HandleFunc("DELETE /api/playback/{room}", s.ofPlayback(func(w http.ResponseWriter, req *http.Request, room, _ string) error {
		p := s.deck.Find(room)
		if p == nil {
			return play.ErrNothing
		}
		p.Stop(play.WhyStopped)
		select {
		case <-p.Done():
		case <-req.Context().Done():
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
}

// ofPlayback is around what is done with the recording that is played in a room: who has the grant record there may.
func (s *Server) ofPlayback(f func(w http.ResponseWriter, req *http.Request, room, name string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		room := req.PathValue("room")
		if signaling.CheckRoom(room) != nil {
			http.Error(w, "no name of a room", http.StatusBadRequest)
			return
		}
		name, ok := s.mayRecord(w, req, room, false)
		if !ok {
			return
		}
		if err := f(w, req, room, name); err != nil && req.Context().Err() == nil {
			status := playStatus(err)
			if status == http.StatusInternalServerError {
				s.log.Error("a recording cannot be played", "room", room, "error", err)
				err = errUnread
			}
			http.Error(w, err.Error(), status)
		}
	}
}

// badRequest is an error of who asks.
type badRequest struct{ error }

func playStatus(err error) int {
	var bad badRequest
	switch {
	case errors.As(err, &bad):
		return http.StatusBadRequest
	case errors.Is(err, record.ErrNotFound), errors.Is(err, play.ErrNothing):
		return http.StatusNotFound
	case errors.Is(err, record.ErrLive), errors.Is(err, play.ErrBusy), errors.Is(err, play.ErrNoNext):
		return http.StatusConflict
	case errors.Is(err, play.ErrLong):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, play.ErrNoFile), errors.Is(err, media.ErrFormat), errors.Is(err, media.ErrTruncated), errors.Is(err, media.ErrTooLarge), errors.Is(err, media.ErrUnsupported):
		return http.StatusUnprocessableEntity
	case errors.Is(err, play.ErrTooMany), errors.Is(err, play.ErrClosed), errors.Is(err, relay.ErrRoomFull), errors.Is(err, relay.ErrTooManyRooms):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// decodeBody reads a JSON body.
func decodeBody(w http.ResponseWriter, req *http.Request, into any) error {
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxRequest)).Decode(into); err != nil {
		return badRequest{err}
	}
	return nil
}

func milliseconds64(ms int64) (time.Duration, error) {
	if ms < 0 || ms > maxPosition {
		return 0, badRequest{errPosition}
	}
	return time.Duration(ms) * time.Millisecond, nil
}

func (s *Server) startPlayback(w http.ResponseWriter, req *http.Request, room, name string) error {
	var order PlayRequest
	if err := decodeBody(w, req, &order); err != nil {
		return err
	}
	at, err := milliseconds64(order.PositionMs)
	if err != nil {
		return err
	}
	if ok, err := s.mayPlay(w, req, append([]string{order.Recording}, order.Next...)); !ok {
		return err
	}
	p, err := s.deck.Play(play.Order{Room: room, Recording: order.Recording, By: name, Position: at, Paused: order.Paused, Loop: order.Loop, Next: order.Next})
	if err != nil {
		return err
	}
	s.log.Info("a recording is played", "recording", order.Recording, "room", room, "by", name)
	answerJSON(w, http.StatusCreated, playbackNow(p.State()))
	return nil
}

// mayPlay reports whether who asks may have recordings played; what it answers itself is no error. What was recorded elsewhere is not for everybody who may play
// something here.
func (s *Server) mayPlay(w http.ResponseWriter, req *http.Request, recordings []string) (ok bool, err error) {
	asked := map[string]bool{}
	for _, id := range recordings {
		room := record.RoomOf(id)
		if room == "" {
			return false, record.ErrNotFound
		}
		if asked[room] {
			continue
		}
		asked[room] = true
		if _, ok := s.mayRecord(w, req, room, true); !ok {
			return false, nil
		}
	}
	return true, nil
}

func (s *Server) changePlayback(w http.ResponseWriter, req *http.Request, room, _ string) error {
	var order PlayChange
	if err := decodeBody(w, req, &order); err != nil {
		return err
	}
	p := s.deck.Find(room)
	if p == nil {
		return play.ErrNothing
	}
	change := play.Change{Playing: order.Playing, Loop: order.Loop, Next: order.Next, Skip: order.Skip}
	if order.Next != nil {
		if ok, err := s.mayPlay(w, req, *order.Next); !ok {
			return err
		}
	}
	if order.PositionMs != nil {
		at, err := milliseconds64(*order.PositionMs)
		if err != nil {
			return err
		}
		change.Position = &at
	}
	if err := p.Change(req.Context(), change); err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, playbackNow(p.State()))
	return nil
}
