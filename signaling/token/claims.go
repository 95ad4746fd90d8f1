package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

// Grant is one thing that a token allows.
type Grant string

// The grants of docs/protocol.md section 15.
const (
	Publish   Grant = "publish"
	Subscribe Grant = "subscribe"
	Data      Grant = "data"
	Record    Grant = "record"
	Admin     Grant = "admin"
)

// AllGrants lists every grant there is.
var AllGrants = []Grant{Publish, Subscribe, Data, Record, Admin}

// AnyRoom in Claims.Room stands for every room.
const AnyRoom = "*"

// Claims is what a token says. Times have whole seconds in the token.
type Claims struct {
	// Room is the room's name, or AnyRoom.
	Room string
	// Identity is the member's id: 1-64 bytes of A-Z a-z 0-9 _ . @ : ~ -
	Identity string
	// Name is the display name, at most 64 characters; empty leaves it to the join message.
	Name string
	// Grants is what the member may do; empty allows nothing but to be there.
	Grants []Grant
	// Expires is the end of validity, required.
	Expires time.Time
	// NotBefore and IssuedAt are optional (zero); a token is refused before either.
	NotBefore, IssuedAt time.Time
}

// Allows reports whether the claims hold the grant.
func (c Claims) Allows(g Grant) bool { return slices.Contains(c.Grants, g) }

const maxName = 64

var (
	roomName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$`)
	identity = regexp.MustCompile(`^[A-Za-z0-9_.@:~-]{1,64}$`)
)

// latest is the last second of year 9999, the bound of what time.Time can print.
const latest = 253402300799

// ruleError is a rule that a token breaks, in words that do not repeat the token.
type ruleError string

func (e ruleError) Error() string { return string(e) }

// check applies the rules of docs/protocol.md sections 4 and 15 to all but the grants.
func (c Claims) check() error {
	switch {
	case c.Room != AnyRoom && !roomName.MatchString(c.Room):
		return ruleError("room is neither * nor 1 to 64 characters of A-Z a-z 0-9 _ . ~ -, the first a letter or digit")
	case !identity.MatchString(c.Identity):
		return ruleError("sub (identity) is not 1 to 64 characters of A-Z a-z 0-9 _ . @ : ~ -")
	case !utf8.ValidString(c.Name) || utf8.RuneCountInString(c.Name) > maxName:
		return ruleError("name has over 64 characters, or is not UTF-8")
	case bytes.ContainsFunc([]byte(c.Name), func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return ruleError("name has a control character")
	case c.Expires.IsZero():
		return ruleError("exp (end of validity) is missing")
	}
	return nil
}

// checkGrants refuses grants that this version does not know. Mint does so, since there it is a misspelling.
func (c Claims) checkGrants() error {
	for _, g := range c.Grants {
		if !slices.Contains(AllGrants, g) {
			return ruleError(fmt.Sprintf("unknown grant %q: there are %q", g, AllGrants))
		}
	}
	return nil
}

// payload is the claims as JSON. It reads names exactly and once each, which encoding/json does not.
type payload struct {
	jwt.RegisteredClaims
	Room   string  `json:"room"`
	Name   string  `json:"name,omitempty"`
	Grants []Grant `json:"grants"`
}

func (c Claims) payload() *payload {
	date := func(t time.Time) *jwt.NumericDate {
		if t.IsZero() {
			return nil
		}
		return jwt.NewNumericDate(t)
	}
	p := &payload{Room: c.Room, Name: c.Name, Grants: c.Grants}
	p.Subject = c.Identity
	p.ExpiresAt, p.NotBefore, p.IssuedAt = date(c.Expires), date(c.NotBefore), date(c.IssuedAt)
	return p
}

func (p *payload) claims() Claims {
	moment := func(d *jwt.NumericDate) time.Time {
		if d == nil {
			return time.Time{}
		}
		return d.Time
	}
	c := Claims{Room: p.Room, Identity: p.Subject, Name: p.Name,
		Expires: moment(p.ExpiresAt), NotBefore: moment(p.NotBefore), IssuedAt: moment(p.IssuedAt)}
	for _, g := range AllGrants {
		if slices.Contains(p.Grants, g) {
			c.Grants = append(c.Grants, g)
		}
	}
	return c
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *payload) UnmarshalJSON(b []byte) error {
	fields, err := object(b)
	if err != nil {
		return err
	}
	// RFC 7519 section 4.1.3: whoever is not named by aud must refuse, and nothing names this server.
	if _, ok := fields["aud"]; ok {
		return ruleError("aud is for another service")
	}
	texts := []struct {
		name string
		into any
	}{{"room", &p.Room}, {"sub", &p.Subject}, {"name", &p.Name}, {"grants", &p.Grants}}
	for _, f := range texts {
		if raw, ok := fields[f.name]; ok && json.Unmarshal(raw, f.into) != nil {
			return ruleError(f.name + " is of the wrong type")
		}
	}
	times := []struct {
		name string
		into **jwt.NumericDate
	}{{"exp", &p.ExpiresAt}, {"nbf", &p.NotBefore}, {"iat", &p.IssuedAt}}
	for _, f := range times {
		raw, ok := fields[f.name]
		if !ok {
			continue
		}
		var seconds *float64
		if json.Unmarshal(raw, &seconds) != nil || seconds == nil || *seconds < 0 || *seconds > latest {
			return ruleError(f.name + " is not a time in seconds since 1970")
		}
		*f.into = jwt.NewNumericDate(time.Unix(int64(*seconds), 0))
	}
	return nil
}

// object splits a JSON object into its fields. A name that is there twice is an error: which of the two
// counts would depend on who reads.
func object(b []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, ruleError("not a JSON object")
	}
	fields := make(map[string]json.RawMessage)
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, ruleError("malformed JSON")
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, ruleError("malformed JSON")
		}
		// A name between the braces is a string, or Token would have failed.
		if _, twice := fields[name.(string)]; twice {
			return nil, ruleError("a claim or header is there twice")
		}
		fields[name.(string)] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, ruleError("malformed JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, ruleError("text behind a JSON object")
	}
	return fields, nil
}
