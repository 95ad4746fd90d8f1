package server

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"

	"landline/media"
	"landline/relay"
	"landline/signaling"
	"landline/signaling/token"
)

// seat is what the server keeps of a member over its sessions.
type seat struct {
	member *relay.Member
	grants []token.Grant
	ticket string // the resume token that is good now
	spent  string // the one that the session now came by, until its client is known to have the new one
}

func (st *seat) key() memberKey { return memberKey{st.member.Room(), st.member.ID()} }

// may reports whether the member's token grants something.
func (st *seat) may(g token.Grant) bool {
	for _, have := range st.grants {
		if have == g {
			return true
		}
	}
	return false
}

var errResumeRefused = errors.New("this resume token is not good (any more): join anew")

// admitJoin checks who joins a room, or a recording.
func (s *Server) admitJoin(ss *Session, j *signaling.Join) (relay.Identity, []token.Grant, error) {
	if id := signaling.RecordingOf(j.Room); id != "" {
		who, err := s.admitViewer(ss, j, id)
		return who, nil, err
	}
	return s.admit(j, j.Room)
}

// admit checks the token of a join. In dev mode everybody gets an identity of their own.
func (s *Server) admit(j *signaling.Join, room string) (relay.Identity, []token.Grant, error) {
	if s.cfg.Keys.Empty() {
		name := j.Name
		if name == "" {
			name = "Guest"
		}
		grants := []token.Grant{token.Publish, token.Subscribe, token.Data}
		if s.cfg.Recordings != nil {
			grants = append(grants, token.Record)
		}
		return relay.Identity{ID: "m-" + secret(9), Name: name}, grants, nil
	}
	c, err := s.cfg.Keys.Verify(j.Token, room, time.Now())
	switch {
	case errors.Is(err, token.ErrExpired):
		return relay.Identity{}, nil, signaling.Closef(signaling.CloseTokenExpired, "%s", err)
	case errors.Is(err, token.ErrForbidden):
		return relay.Identity{}, nil, signaling.Closef(signaling.CloseForbidden, "%s", err)
	case err != nil:
		return relay.Identity{}, nil, signaling.Closef(signaling.CloseBadToken, "%s", err)
	}
	id := relay.Identity{ID: c.Identity, Name: c.Name}
	if id.Name == "" {
		id.Name = j.Name
	}
	if id.Name == "" {
		id.Name = id.ID
	}
	return id, c.Grants, nil
}

// join seats a session: as a newcomer, or on the seat that its resume token names.
func (s *Server) join(ss *Session, j *signaling.Join, carries []media.Codec) (st *seat, resumed bool, err error) {
	s.joins.Lock()
	defer s.joins.Unlock()
	if j.Resume != "" {
		st, err = s.resume(ss, j, carries)
		return st, true, err
	}
	who, grants, err := s.admitJoin(ss, j)
	if err != nil {
		return nil, false, err
	}
	m, err := s.relay.Join(j.Room, who, carries, ss.notify)
	switch {
	case errors.Is(err, relay.ErrRoomFull):
		return nil, false, signaling.Closef(signaling.CloseRoomFull, "%s", err)
	case err != nil:
		return nil, false, signaling.Closef(signaling.CloseOverloaded, "%s", err)
	}
	st = &seat{member: m, grants: grants}
	old := s.seat(ss, st, "")
	if old != nil {
		old.replaced("this identity joined from elsewhere")
	}
	return st, false, nil
}

// resume gives a member that lost its session this one. The token is used up whatever comes of it, unless this session
// is lost before its client can have learnt the next one.
func (s *Server) resume(ss *Session, j *signaling.Join, carries []media.Codec) (*seat, error) {
	s.mu.Lock()
	st := s.tickets[j.Resume]
	if st != nil && st.member.Room() != j.Room {
		st = nil // a token of another room tells nothing, and is not used up by guessing
	} else {
		delete(s.tickets, j.Resume)
	}
	s.mu.Unlock()
	if st == nil {
		return nil, errResumeRefused
	}
	if err := st.member.Resume(carries, ss.notify); err != nil {
		return nil, errResumeRefused
	}
	if old := s.seat(ss, st, j.Resume); old != nil {
		old.replaced("this session was resumed on another connection")
	}
	s.stats.resumes.Add(1)
	return st, nil
}

// seat notes that ss, which came by a ticket or "", is the member's session now, makes a fresh ticket, and returns the session before.
// s.joins is held, so that the member's handles are those that were made for ss.
func (s *Server) seat(ss *Session, st *seat, by string) (old *Session) {
	key := st.key()
	pub, sub := st.member.Handles()
	s.mu.Lock()
	defer s.mu.Unlock()
	old = s.current[key]
	if before := s.seats[key]; before != nil && before != st {
		s.forget(before)
	}
	s.current[key] = ss
	ss.seat, ss.pub, ss.sub = st, pub, sub
	// Where the client of the session before may have learnt its ticket or not, both were good.
	delete(s.tickets, st.ticket)
	delete(s.tickets, st.spent)
	st.ticket, st.spent = "r-"+secret(18), by
	s.tickets[st.ticket] = st
	s.seats[key] = st
	return old
}

// forget drops a seat whose member is gone. s.mu is held.
func (s *Server) forget(st *seat) {
	delete(s.tickets, st.ticket)
	delete(s.tickets, st.spent)
	if key := st.key(); s.seats[key] == st {
		delete(s.seats, key)
	}
}

// learnt is called when the client of ss is known to have its resume token.
func (s *Server) learnt(ss *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current[ss.seat.key()] == ss {
		ss.seat.spent = ""
	}
}

// unseat is called when a session is over. If it stood for its member still, the member leaves, or is given the
// grace to come back.
func (s *Server) unseat(ss *Session, st *seat, comesBack bool, reason string) {
	key := st.key()
	s.mu.Lock()
	if s.current[key] != ss {
		s.mu.Unlock()
		return
	}
	delete(s.current, key)
	switch {
	case !comesBack:
		s.forget(st)
	case st.spent != "":
		s.tickets[st.spent] = st
	}
	s.mu.Unlock()
	if !comesBack {
		st.member.Leave(reason)
		return
	}
	st.member.Lost(ss.sub, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forget(st)
	})
}

// leaveBy takes the member out that a resume token stands for, in its session or in its grace.
func (s *Server) leaveBy(ticket string) bool {
	s.joins.Lock()
	defer s.joins.Unlock()
	s.mu.Lock()
	st := s.tickets[ticket]
	if st == nil {
		s.mu.Unlock()
		return false
	}
	ss := s.current[st.key()]
	delete(s.current, st.key())
	s.forget(st)
	s.mu.Unlock()
	st.member.Leave("bye")
	if ss != nil {
		ss.end(signaling.Closef(signaling.CloseNormal, "the client left"))
	}
	return true
}

// secret gives n random bytes as text.
func secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
