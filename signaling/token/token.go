package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MaxLength is the most bytes a token may have. A longer one is refused before anything is read of it.
const MaxLength = 4096

// Leeway is how far the clocks of minter and verifier may differ.
const Leeway = 30 * time.Second

// What is wrong with a token. Each stands for a close code of docs/protocol.md section 12; the errors that
// wrap them never repeat what the token holds.
var (
	// ErrBadToken (bad-token, 4400): missing, malformed, wrongly signed, of another algorithm, or with
	// claims against the rules.
	ErrBadToken = errors.New("bad token")
	// ErrExpired (token-expired, 4401): the token is sound, but no longer or not yet valid.
	ErrExpired = errors.New("token outside its time")
	// ErrForbidden (forbidden, 4402): the token is sound and valid, for another room.
	ErrForbidden = errors.New("token for another room")
)

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrBadToken}, args...)...)
}

// Mint signs the claims with the first key. It refuses claims that Verify would refuse.
func (k Keys) Mint(c Claims) (string, error) {
	if k.Empty() {
		return "", ErrNoKeys
	}
	if err := c.check(); err != nil {
		return "", err
	}
	if err := c.checkGrants(); err != nil {
		return "", err
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, c.payload())
	t.Header["kid"] = k.list[0].id
	return t.SignedString(k.list[0].secret())
}

// Verify checks a token's signature, its time and that it is for the room, in this order, and returns what
// it claims. The room "*" asks for a token of every room. Grants that this version does not know are left
// out. Nothing of the claims is read before the signature was seen to be right.
func (k Keys) Verify(token, room string, now time.Time) (Claims, error) {
	switch {
	case k.Empty():
		return Claims{}, ErrNoKeys
	case token == "":
		return Claims{}, bad("none was given")
	case len(token) > MaxLength:
		return Claims{}, bad("%d bytes, at most %d are read", len(token), MaxLength)
	}
	raw, err := k.authentic(token)
	if err != nil {
		return Claims{}, err
	}
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil {
		return Claims{}, refusal(err)
	}
	// That exp is there at all is for check to see.
	valid := jwt.NewValidator(jwt.WithIssuedAt(), jwt.WithLeeway(Leeway), jwt.WithTimeFunc(func() time.Time { return now }))
	if err := valid.Validate(&p); err != nil {
		return Claims{}, refusal(err)
	}
	c := p.claims()
	if err := c.check(); err != nil {
		return Claims{}, refusal(err)
	}
	if c.Room != AnyRoom && c.Room != room {
		return Claims{}, ErrForbidden
	}
	return c, nil
}

// authentic returns the claims' JSON of a token that one of the keys has signed (RFC 7515 section 5.2).
func (k Keys) authentic(token string) ([]byte, error) {
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return nil, bad("not three segments")
	}
	if strings.ContainsAny(token, "\r\n") { // which encoding/base64 would pass over
		return nil, bad("it holds a line break")
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return nil, bad("segment %d is not base64url", i+1)
		}
	}
	secret, err := k.secretFor(decoded[0])
	if err != nil {
		return nil, refusal(err)
	}
	text := token[:len(parts[0])+1+len(parts[1])]
	if err := jwt.SigningMethodHS256.Verify(text, decoded[2], secret); err != nil {
		return nil, bad("the signature is wrong")
	}
	return decoded[1], nil
}

// secretFor finds the secret that a token's header names.
func (k Keys) secretFor(raw []byte) ([]byte, error) {
	header, err := object(raw)
	if err != nil {
		return nil, err
	}
	// RFC 7515 section 4.1.11: whoever does not understand an extension in crit must refuse.
	if _, ok := header["crit"]; ok {
		return nil, ruleError("critical extensions are not supported")
	}
	var alg, kid string
	if json.Unmarshal(header["alg"], &alg) != nil || alg != jwt.SigningMethodHS256.Alg() {
		return nil, ruleError("alg is not HS256")
	}
	if json.Unmarshal(header["kid"], &kid) != nil || kid == "" {
		return nil, ruleError("kid is missing or not a string")
	}
	if key := k.find(kid); key != nil {
		return key.secret(), nil
	}
	return nil, ruleError("kid names no key of this server")
}

// refusal turns an error about header or claims into one of ours, in words that do not repeat the token.
func refusal(err error) error {
	var rule ruleError
	switch {
	case errors.As(err, &rule):
		return bad("%v", rule)
	case errors.Is(err, jwt.ErrTokenExpired):
		return fmt.Errorf("%w: it has expired", ErrExpired)
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return fmt.Errorf("%w: it is not valid yet", ErrExpired)
	}
	return bad("malformed claims")
}
