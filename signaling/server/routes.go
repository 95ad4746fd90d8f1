package server

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"

	"landline/signaling"
	"landline/signaling/token"
)

// contentPolicy lets the app load nothing but its own files, and connect nowhere but home.
const contentPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; " +
	"img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'self'; require-trusted-types-for 'script'"

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws", s.upgrade)
	mux.HandleFunc("POST /leave", s.farewell)
	mux.HandleFunc("GET /healthz", s.health)
	mux.Handle("GET /metrics", s.adminOnly(s.metrics()))
	mux.Handle("GET /api/rooms", s.adminOnly(http.HandlerFunc(s.rooms)))
	if s.cfg.Recordings != nil {
		s.recordingRoutes(mux)
		s.playbackRoutes(mux)
	}
	if s.cfg.WebRTC != nil {
		resources := s.resources()
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
			mux.Handle(method+" /whip/", resources)
			mux.Handle(method+" /whep/", resources)
		}
	}
	if s.cfg.Faults {
		mux.HandleFunc("POST /debug/udp-cut/{cut}", s.fault(s.cutUDP))
		mux.HandleFunc("POST /debug/ws-cut/{room}/{member}", s.faultOn(cutWebSocket))
		mux.HandleFunc("POST /debug/ws-stall/{room}/{member}/{ms}", s.faultOn(stallWebSocket))
		mux.HandleFunc("POST /debug/path/{room}/{member}/{path}", s.faultOn(forcePath))
	}
	mux.HandleFunc("GET /r/{room}", func(w http.ResponseWriter, req *http.Request) {
		if signaling.CheckRoom(req.PathValue("room")) != nil {
			http.NotFound(w, req)
			return
		}
		s.page(w, req, "index.html")
	})
	mux.HandleFunc("GET /recordings/{id}", func(w http.ResponseWriter, req *http.Request) { // whether there is one, the page learns when it joins
		s.page(w, req, "index.html")
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, req *http.Request) { s.page(w, req, "index.html") })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, req *http.Request) { s.page(w, req, strings.TrimPrefix(req.URL.Path, "/")) })
	return secured(mux)
}

// secured sets the headers that every answer carries.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()")
		next.ServeHTTP(w, req)
	})
}

// page serves one file of the browser app.
func (s *Server) page(w http.ResponseWriter, req *http.Request, name string) {
	if s.cfg.App == nil {
		if name != "index.html" {
			http.NotFound(w, req)
			return
		}
		http.Error(w, "The browser app was not built into this binary. Run: make build", http.StatusNotFound)
		return
	}
	if info, err := fs.Stat(s.cfg.App, name); err != nil || info.IsDir() {
		http.NotFound(w, req)
		return
	}
	if strings.HasPrefix(name, "assets/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	http.ServeFileFS(w, req, s.cfg.App, name)
}

// farewell takes the member out whose resume token is the body: a page that is taken away can still send a beacon
// when its worker, and with it the socket, no longer gets a word out.
func (s *Server) farewell(w http.ResponseWriter, req *http.Request) {
	if err := s.checkOrigin(req); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	w.Header().Set("Connection", "close") // nobody is there who would use it again
	ticket, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxTicket))
	switch {
	case err != nil:
		http.Error(w, "a resume token is shorter", http.StatusRequestEntityTooLarge)
	case !s.leaveBy(string(ticket)):
		http.Error(w, errResumeRefused.Error(), http.StatusNotFound)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// maxTicket is more than the length of any resume token.
const maxTicket = 128

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	draining := s.draining
	s.mu.Unlock()
	if draining {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// adminOnly asks for a token that grants admin. Without keys, only this machine is let in.
func (s *Server) adminOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := s.mayAdminister(req); err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, req)
	})
}

func (s *Server) mayAdminister(req *http.Request) error {
	if s.cfg.Keys.Empty() {
		if !fromLoopback(req) {
			return errors.New("without keys, only the server's own machine may ask this")
		}
		return nil
	}
	bearer, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return errors.New("this needs a token that grants admin, as Authorization: Bearer")
	}
	c, err := s.cfg.Keys.Verify(bearer, "*", time.Now())
	if err != nil {
		return err
	}
	if !c.Allows(token.Admin) {
		return errors.New("the token does not grant admin")
	}
	return nil
}

// fromLoopback reports whether a request comes from the server's own machine.
func fromLoopback(req *http.Request) bool { return isLoopback(req.RemoteAddr) }

func isLoopback(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
