package server

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"time"

	"landline/media"
	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/token"
)

// RecordRequest is the body of POST /api/recordings.
type RecordRequest struct {
	Room   string `json:"room"`
	Member string `json:"member,omitempty"` // display name of the only member to be recorded; "" = everybody
	// PerMember is for a file of each member beside that of the room.
	PerMember bool `json:"perMember,omitempty"`
}

// RecordingsReply is what GET /api/recordings answers.
type RecordingsReply struct {
	Recordings []record.Info `json:"recordings"`
}

// errPlayed keeps a recording that somebody watches.
var errPlayed = errors.New("the recording is being played")

const maxRequest = 4096 // bytes of a RecordRequest

func (s *Server) recordingRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/recordings", s.startRecording)
	mux.HandleFunc("POST /api/recordings/upload", s.addRecording)
	mux.HandleFunc("GET /api/recordings", s.listRecordings)
	mux.HandleFunc("GET /api/recordings/{id}", s.ofRecording(false, func(w http.ResponseWriter, _ *http.Request, id string) error {
		return s.answerInfo(w, http.StatusOK, id)
	}))
	mux.HandleFunc("POST /api/recordings/{id}/stop", s.ofRecording(false, func(w http.ResponseWriter, _ *http.Request, id string) error {
		if rec := s.cfg.Recordings.Live(id); rec != nil {
			rec.Stop()
		}
		return s.answerInfo(w, http.StatusAccepted, id)
	}))
	mux.HandleFunc("GET /api/recordings/{id}/file", s.ofRecording(true, s.sendRecording))
	mux.HandleFunc("GET /api/recordings/{id}/still", s.ofRecording(true, s.sendStill))
	mux.HandleFunc("DELETE /api/recordings/{id}", s.ofRecording(true, func(w http.ResponseWriter, req *http.Request, id string) error {
		if s.deck.Plays(id) {
			return errPlayed
		}
		err := s.cfg.Recordings.Delete(id)
		if err == nil {
			s.log.Info("a recording is deleted", "recording", id, "remote", req.RemoteAddr)
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	}))
}

// mayRecord admits a request that concerns recordings of a room. Without keys everybody may record; what was recorded is for the server's own
// machine.
func (s *Server) mayRecord(w http.ResponseWriter, req *http.Request, room string, kept bool) (name string, ok bool) {
	w.Header().Set("Cache-Control", "no-store")
	if err := s.checkOrigin(req); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return "", false
	}
	if kept && s.cfg.Keys.Empty() {
		if err := s.mayAdminister(req); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return "", false
		}
	}
	name, _, status, err := s.admitRequest(req, room, token.Record)
	if err != nil {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		http.Error(w, err.Error(), status)
		return "", false
	}
	return name, true
}

func (s *Server) startRecording(w http.ResponseWriter, req *http.Request) {
	var order RecordRequest
	err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxRequest)).Decode(&order)
	if err == nil {
		err = errors.Join(signaling.CheckRoom(order.Room), signaling.CheckName(order.Member))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name, ok := s.mayRecord(w, req, order.Room, false)
	if !ok {
		return
	}
	rec, err := s.cfg.Recordings.Start(s.relay, record.Order{Room: order.Room, Of: order.Member, Name: name, PerMember: order.PerMember})
	switch {
	case errors.Is(err, record.ErrRunning):
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		w.Header().Set("Location", "/api/recordings/"+rec.ID())
		answerJSON(w, http.StatusCreated, rec.Info())
	}
}

// addRecording keeps the body, a file, as a recording of ?room=.
func (s *Server) addRecording(w http.ResponseWriter, req *http.Request) {
	room, title := req.URL.Query().Get("room"), req.URL.Query().Get("title")
	if err := errors.Join(signaling.CheckRoom(room), signaling.CheckName(title)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name, ok := s.mayRecord(w, req, room, true)
	if !ok {
		return
	}
	control := http.NewResponseController(w)
	info, err := s.cfg.Recordings.Add(record.Addition{Room: room, Title: title, Name: name}, &patientBody{req.Body, control})
	_ = control.SetWriteDeadline(time.Now().Add(downloadTime)) // not all writers have one
	if err != nil {
		status := addStatus(err)
		if status == http.StatusInternalServerError {
			s.log.Error("a file cannot be added to the recordings", "room", room, "error", err)
			err = errDisk
		}
		w.Header().Set("Connection", "close") // what is left of the body is not read
		http.Error(w, err.Error(), status)
		return
	}
	w.Header().Set("Location", "/api/recordings/"+info.ID)
	answerJSON(w, http.StatusCreated, info)
}

var errDisk = errors.New("the disk does not answer")

func addStatus(err error) int {
	switch {
	case errors.Is(err, record.ErrTooLarge), errors.Is(err, media.ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, record.ErrNoRoom):
		return http.StatusInsufficientStorage
	case errors.Is(err, record.ErrAdding), errors.Is(err, record.ErrClosed):
		return http.StatusServiceUnavailable
	case errors.Is(err, media.ErrFormat), errors.Is(err, media.ErrUnsupported), errors.Is(err, media.ErrTruncated):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// patientBody gives an upload as much time as it needs, as long as it goes on.
type patientBody struct {
	io.Reader
	control *http.ResponseController
}

func (p *patientBody) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(downloadTime)) // not all readers have one
	return p.Reader.Read(b)
}

// listRecordings lists those of ?room=, or all for a token of all rooms.
func (s *Server) listRecordings(w http.ResponseWriter, req *http.Request) {
	room := req.URL.Query().Get("room")
	if room != "" && signaling.CheckRoom(room) != nil {
		http.Error(w, "no name of a room", http.StatusBadRequest)
		return
	}
	asked := room
	if asked == "" {
		asked = token.AnyRoom
	}
	if _, ok := s.mayRecord(w, req, asked, true); !ok {
		return
	}
	list, err := s.cfg.Recordings.List(room)
	if err != nil {
		s.log.Error("recordings cannot be listed", "error", err)
		http.Error(w, errDisk.Error(), http.StatusInternalServerError)
		return
	}
	answerJSON(w, http.StatusOK, RecordingsReply{Recordings: list})
}

// ofRecording is around what is done with one recording. Its id names its room: who has no grant there does not learn whether it exists.
func (s *Server) ofRecording(kept bool, f func(w http.ResponseWriter, req *http.Request, id string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		id := req.PathValue("id")
		room := record.RoomOf(id)
		if room == "" {
			http.Error(w, record.ErrNotFound.Error(), http.StatusNotFound)
			return
		}
		if _, ok := s.mayRecord(w, req, room, kept); !ok {
			return
		}
		err := f(w, req, id)
		switch {
		case err == nil:
		case errors.Is(err, record.ErrNotFound):
			http.Error(w, err.Error(), http.StatusNotFound)
		case errors.Is(err, record.ErrLive), errors.Is(err, errPlayed):
			http.Error(w, err.Error(), http.StatusConflict)
		default:
			s.log.Error("a recording cannot be read", "recording", id, "error", err)
			http.Error(w, errDisk.Error(), http.StatusInternalServerError)
		}
	}
}

func (s *Server) answerInfo(w http.ResponseWriter, status int, id string) error {
	info, err := s.cfg.Recordings.Get(id)
	if err == nil {
		answerJSON(w, status, info)
	}
	return err
}

// sendRecording sends a file, the first or ?part=, or that of a ?member= beside it, in ranges where they are asked for.
func (s *Server) sendRecording(w http.ResponseWriter, req *http.Request, id string) error {
	part := 0
	if text := req.URL.Query().Get("part"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return record.ErrNotFound
		}
		part = n - 1
	}
	open := s.cfg.Recordings.Media
	if member := req.URL.Query().Get("member"); member != "" {
		open = func(id string, part int) (record.Content, string, time.Time, error) {
			return s.cfg.Recordings.MemberMedia(id, part, member)
		}
	}
	content, name, changed, err := open(id, part)
	if err != nil {
		return err
	}
	defer content.Close()
	h := w.Header()
	h.Set("Content-Type", record.MIME(name))
	h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; media-src 'self'")
	http.ServeContent(&patient{w, http.NewResponseController(w)}, req, name, changed, content)
	return nil
}

// sendStill sends a picture of a recording; 204 where there is none to be had.
func (s *Server) sendStill(w http.ResponseWriter, _ *http.Request, id string) error {
	still, err := s.cfg.Recordings.Still(id)
	switch {
	case errors.Is(err, record.ErrNoStill):
		w.WriteHeader(http.StatusNoContent)
		return nil
	case err != nil:
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/webp")
	h.Set("Content-Length", strconv.Itoa(len(still)))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	_, _ = w.Write(still)
	return nil
}

// patient gives a download as much time as it needs, as long as it goes on.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

const downloadTime = 30 * time.Second // for one Write or Read

func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(downloadTime)) // not all writers have one
	return p.ResponseWriter.Write(b)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
