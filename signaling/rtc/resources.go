package rtc

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"landline/relay"
	"landline/signaling"
	"landline/signaling/token"
)

// Caps of WHIP and WHEP.
const (
	maxBody      = 64 << 10
	maxResources = 1000
	maxOwned     = 16 // resources of one token, or of one address where there are no keys
)

// fragmentType is the type of what a PATCH brings and is answered with (RFC 8840).
const fragmentType = "application/trickle-ice-sdpfrag"

// Admit checks who asks: it gives a display name, and whom the resource belongs to, or the HTTP status of a refusal.
type Admit = func(req *http.Request, room string, g token.Grant) (name, owner string, status int, err error)

// resources are the sessions of WHIP and WHEP.
type resources struct {
	port  *Port
	relay *relay.Relay
	admit Admit

	mu    sync.Mutex
	all   map[string]*resource // by id
	owned map[string]int
}

// resource is one of them.
type resource struct {
	id, owner, room string
	grant           token.Grant
	path            *path

	mu   sync.Mutex // of a PATCH
	etag string
}

// Resources serves WHIP and WHEP under /whip/ and /whep/ (docs/protocol.md section 20). It looks at no origin.
func (p *Port) Resources(r *relay.Relay, admit Admit) http.Handler {
	rs := &resources{port: p, relay: r, admit: admit, all: map[string]*resource{}, owned: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /whip/{room}", func(w http.ResponseWriter, req *http.Request) { rs.post(w, req, token.Publish) })
	mux.HandleFunc("POST /whep/{room}", func(w http.ResponseWriter, req *http.Request) { rs.post(w, req, token.Subscribe) })
	mux.HandleFunc("POST /whep/{room}/{member}", func(w http.ResponseWriter, req *http.Request) { rs.post(w, req, token.Subscribe) })
	for _, kind := range []string{"/whip/", "/whep/"} {
		mux.HandleFunc("DELETE "+kind+"{room}/session/{id}", rs.remove)
		mux.HandleFunc("PATCH "+kind+"{room}/session/{id}", rs.patch)
	}
	return mux
}

// refusal is an error with the HTTP status that tells it.
type refusal struct {
	status int
	error
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var r refusal
	switch {
	case errors.As(err, &r):
		status = r.status
	case errors.Is(err, ErrBadSDP):
		status = http.StatusBadRequest
	case errors.Is(err, ErrNoCodec):
		status = http.StatusNotAcceptable
	case errors.Is(err, ErrFull), errors.Is(err, relay.ErrRoomFull), errors.Is(err, relay.ErrTooManyRooms):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	http.Error(w, err.Error(), status)
}

// post makes a resource.
func (rs *resources) post(w http.ResponseWriter, req *http.Request, g token.Grant) {
	room := req.PathValue("room")
	if signaling.CheckRoom(room) != nil {
		http.NotFound(w, req)
		return
	}
	name, owner, status, err := rs.admit(req, room, g)
	if err != nil {
		refuse(w, refusal{status, err})
		return
	}
	offer, err := body(w, req, "application/sdp")
	if err != nil {
		refuse(w, err)
		return
	}
	res := &resource{id: secret(18), etag: `"` + secret(9) + `"`, owner: owner, room: room, grant: g}
	if err := rs.add(res); err != nil {
		refuse(w, err)
		return
	}
	answer, err := rs.begin(res, offer, name, req.PathValue("member"))
	if err != nil {
		rs.drop(res)
		refuse(w, err)
		return
	}
	kind := "/whip/"
	if g == token.Subscribe {
		kind = "/whep/"
	}
	h := w.Header()
	h.Set("Content-Type", "application/sdp")
	h.Set("Location", kind+room+"/session/"+res.id)
	h.Set("ETag", res.etag)
	h.Set("Accept-Patch", fragmentType)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

func (rs *resources) begin(res *resource, offer, name, member string) (answer string, err error) {
	if res.grant == token.Publish {
		return rs.whip(res, offer, name)
	}
	return rs.whep(res, offer, member)
}

// add counts a resource, so that nobody holds too many.
func (rs *resources) add(res *resource) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if len(rs.all) >= maxResources || rs.owned[res.owner] >= maxOwned {
		return ErrFull
	}
	rs.all[res.id] = res
	rs.owned[res.owner]++
	return nil
}

func (rs *resources) drop(res *resource) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.all[res.id] != res {
		return
	}
	delete(rs.all, res.id)
	if rs.owned[res.owner]--; rs.owned[res.owner] == 0 {
		delete(rs.owned, res.owner)
	}
}

// hold notes the path of a resource.
func (rs *resources) hold(res *resource, pt *path) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	res.path = pt
}

// mine finds the resource of a request. One that is somebody else's is as one that is not there.
func (rs *resources) mine(w http.ResponseWriter, req *http.Request) *resource {
	rs.mu.Lock()
	res := rs.all[req.PathValue("id")]
	began := res != nil && res.path != nil
	rs.mu.Unlock()
	grant := token.Publish
	if strings.HasPrefix(req.URL.Path, "/whep/") {
		grant = token.Subscribe
	}
	_, owner, status, err := rs.admit(req, req.PathValue("room"), grant)
	switch {
	case err != nil:
		refuse(w, refusal{status, err})
		return nil
	case !began || res.room != req.PathValue("room") || res.grant != grant || res.owner != owner:
		http.NotFound(w, req)
		return nil
	}
	return res
}

func (rs *resources) remove(w http.ResponseWriter, req *http.Request) {
	if res := rs.mine(w, req); res != nil {
		res.path.finish(signaling.RTCClosed)
		w.WriteHeader(http.StatusOK)
	}
}

// patch takes candidates and restarts of ICE.
func (rs *resources) patch(w http.ResponseWriter, req *http.Request) {
	res := rs.mine(w, req)
	if res == nil {
		return
	}
	fragment, err := body(w, req, fragmentType)
	if err != nil {
		refuse(w, err)
		return
	}
	answer, etag, err := res.patched(req.Header.Get("If-Match"), fragment)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("ETag", etag)
	if answer == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", fragmentType)
	_, _ = io.WriteString(w, answer)
}

// body reads a request's body of one type.
func body(w http.ResponseWriter, req *http.Request, want string) (string, error) {
	if t, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || t != want {
		return "", refusal{http.StatusUnsupportedMediaType, errors.New("the body is to be " + want)}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return "", refusal{http.StatusRequestEntityTooLarge, err}
	}
	if err != nil {
		return "", refusal{http.StatusBadRequest, err}
	}
	return string(raw), nil
}

// secret gives n random bytes as text.
func secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
