package rtc

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
)

// credentials are what ICE knows an end by (RFC 8839 section 5.4).
type credentials struct{ ufrag, pwd string }

var (
	ufragRule = regexp.MustCompile(`^[A-Za-z0-9+/]{4,256}$`)
	pwdRule   = regexp.MustCompile(`^[A-Za-z0-9+/]{22,256}$`)
)

const (
	ufragLine     = "a=ice-ufrag:"
	pwdLine       = "a=ice-pwd:"
	candidateLine = "a=candidate:"
	candidatesEnd = "a=end-of-candidates"
)

// credentialsOf gives the first credentials of a description or a fragment of one; none where they are not whole.
func credentialsOf(sdp string) (c credentials) {
	for l := range strings.Lines(sdp) {
		l = strings.TrimSpace(l)
		if v, ok := strings.CutPrefix(l, ufragLine); ok && c.ufrag == "" && ufragRule.MatchString(v) {
			c.ufrag = v
		}
		if v, ok := strings.CutPrefix(l, pwdLine); ok && c.pwd == "" && pwdRule.MatchString(v) {
			c.pwd = v
		}
	}
	if c.ufrag == "" || c.pwd == "" {
		return credentials{}
	}
	return c
}

// in gives a description with these credentials, and without candidates: those were of the old ones.
func (c credentials) in(sdp string) string {
	var b strings.Builder
	for l := range strings.Lines(sdp) {
		switch {
		case strings.HasPrefix(l, ufragLine):
			b.WriteString(ufragLine + c.ufrag + "\r\n")
		case strings.HasPrefix(l, pwdLine):
			b.WriteString(pwdLine + c.pwd + "\r\n")
		case strings.HasPrefix(l, candidateLine), strings.HasPrefix(l, candidatesEnd):
		default:
			b.WriteString(l)
		}
	}
	return b.String()
}

// fragmentOf is what of an answer tells of ICE (RFC 8840 section 9): all m-lines go over the transport of the first.
func fragmentOf(answer string) string {
	var b strings.Builder
	lines := 0
	for l := range strings.Lines(answer) {
		media := strings.HasPrefix(l, "m=")
		if media {
			lines++
		}
		switch {
		case lines > 1:
			return b.String()
		case media, strings.HasPrefix(l, "a=ice-"), strings.HasPrefix(l, "a=group:"), strings.HasPrefix(l, "a=mid:"),
			strings.HasPrefix(l, candidateLine), strings.HasPrefix(l, candidatesEnd):
			b.WriteString(l)
		}
	}
	return b.String()
}

// restart has ICE look for a way to the other end anew, by its new credentials: it has another address. What was negotiated stays as it is. It gives the fragment with
// the credentials and candidates of this end.
func (p *path) restart(c credentials) (fragment string, err error) {
	if err := p.offered(c.in(p.pc.RemoteDescription().SDP)); err != nil {
		return "", err
	}
	answer, err := p.answer()
	if err != nil {
		return "", err
	}
	return fragmentOf(answer), nil
}

// errNoRestart is the refusal of a PATCH that would restart ICE, and brings nothing to do so with.
var errNoRestart = refusal{http.StatusUnprocessableEntity, errors.New("ice-restart: a new a=ice-ufrag and a=ice-pwd are wanted (RFC 8839 section 5.4)")}

// patched deals with a PATCH that is let in (RFC 9725 section 4.3): candidates, of which the server has no need, or a restart of ICE, which gives a fragment and
// a new ETag.
func (res *resource) patched(match, fragment string) (answer, etag string, err error) {
	res.mu.Lock()
	defer res.mu.Unlock()
	switch {
	case match == "":
		return "", "", refusal{http.StatusPreconditionRequired, errors.New("If-Match with the ETag of the session is wanted")}
	case match != res.etag && match != "*":
		return "", "", refusal{http.StatusPreconditionFailed, errors.New("the session has another ETag")}
	}
	c, now := credentialsOf(fragment), credentialsOf(res.path.pc.RemoteDescription().SDP)
	anew := c != credentials{} && c != now
	switch {
	case !anew && (match == "*" || strings.Contains(fragment, ufragLine) && c != now):
		return "", "", errNoRestart
	case !anew:
		return "", res.etag, nil
	}
	if answer, err = res.path.restart(c); err != nil {
		return "", "", err
	}
	res.etag = `"` + secret(9) + `"`
	return answer, res.etag, nil
}
