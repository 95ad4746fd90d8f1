package server

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"landline/media"
	"landline/relay"
	"landline/signaling"
	"landline/signaling/token"
)

// WebRTC carries media beside sessions, and serves WHIP and WHEP: package rtc. A Server without one has sessions alone.
type WebRTC interface {
	// Call answers a session's offer: the member's media takes that way until the Side is closed.
	Call(o *signaling.RTCOffer, m *relay.Member, carries []media.Codec, tell func(msg any)) (signaling.Side, *signaling.RTCAnswer, error)
	// Resources serves what is under /whip/ and /whep/.
	Resources(r *relay.Relay, admit func(req *http.Request, room string, g token.Grant) (name, owner string, status int, err error)) http.Handler
	// Counts tells how many PeerConnections there are and were, how many of them never connected, and panics.
	Counts() (open, opened, never, panics uint64)
	// CutUDP loses all packets, or none any more, where faults were allowed.
	CutUDP(cut bool)
}

// features lists the optional abilities of this server.
func (s *Server) features() []string {
	list := []string{"topics", "objects", "layers"}
	if s.cfg.WebRTC != nil {
		list = append(list, "webrtc")
	}
	if s.cfg.Recordings != nil {
		list = append(list, "recording", "playback", "watching")
	}
	return list
}

// rtcOffer opens a PeerConnection beside the session.
func (r *reader) rtcOffer(o *signaling.RTCOffer) *signaling.Error {
	switch {
	case r.server.cfg.WebRTC == nil:
		return faultOf(signaling.ErrNoWebRTC, errors.New("this server has no WebRTC"))
	case len(o.Send) > 0 && !r.seat.may(token.Publish):
		return noGrant(token.Publish)
	}
	side, answer, err := r.server.cfg.WebRTC.Call(o, r.seat.member, r.decodesRTC, r.tell)
	switch {
	case errors.Is(err, relay.ErrNoSuchTrack):
		return faultOf(signaling.ErrNoSuchTrack, err)
	case errors.Is(err, relay.ErrGone):
		return nil // and its session with it
	case err != nil:
		return faultOf(signaling.ErrBadSDP, err)
	}
	r.mu.Lock()
	before, ended := r.side, r.ending != nil
	r.side = side
	r.mu.Unlock()
	if before != nil {
		before.Close()
	}
	if ended {
		side.Close()
		return nil
	}
	r.send(*answer)
	return nil
}

// tell sends what a Side has to say: a message, or an event that went with its media.
func (ss *Session) tell(msg any) {
	if e, ok := msg.(*relay.Event); ok {
		msg = eventMessage(e)
	}
	ss.send(msg)
}

// besides hands a message to the PeerConnection that is beside the session.
func (ss *Session) besides(msg any) {
	ss.mu.Lock()
	side := ss.side
	ss.mu.Unlock()
	if side != nil {
		side.Take(msg)
	}
}

// closeSide ends the PeerConnection with its session.
func (ss *Session) closeSide() {
	ss.mu.Lock()
	side := ss.side
	ss.side = nil
	ss.mu.Unlock()
	if side != nil {
		side.Close()
	}
}

// resources serves WHIP and WHEP, also to pages of origins that are allowed.
func (s *Server) resources() http.Handler {
	inner := s.cfg.WebRTC.Resources(s.relay, s.admitRequest)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := s.checkOrigin(req); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		h := w.Header()
		if origin := req.Header.Get("Origin"); origin != "" {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "Location, ETag, Accept-Patch, Retry-After")
			h.Add("Vary", "Origin")
		}
		h.Set("Cache-Control", "no-store")
		if req.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "POST, PATCH, DELETE, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
			h.Set("Accept-Post", "application/sdp")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		s.mu.Lock()
		draining := s.draining
		s.mu.Unlock()
		if draining && req.Method == http.MethodPost {
			http.Error(w, "the server restarts; come back", http.StatusServiceUnavailable)
			return
		}
		inner.ServeHTTP(w, req)
	})
}

// admitRequest checks the Bearer token of a request to WHIP or WHEP. Without keys whoever reaches the server is let in, and belongs to
// the address.
func (s *Server) admitRequest(req *http.Request, room string, g token.Grant) (name, owner string, status int, err error) {
	if s.cfg.Keys.Empty() {
		host, _, err := net.SplitHostPort(req.RemoteAddr)
		return "", host, http.StatusForbidden, err
	}
	bearer, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", "", http.StatusUnauthorized, errors.New("this needs a token, as Authorization: Bearer")
	}
	c, err := s.cfg.Keys.Verify(bearer, room, time.Now())
	switch {
	case err != nil:
		return "", "", http.StatusUnauthorized, err
	case !c.Allows(g):
		return "", "", http.StatusForbidden, errors.New("the token does not grant " + string(g))
	}
	if name = c.Name; name == "" {
		name = c.Identity
	}
	return name, c.Identity, 0, nil
}
