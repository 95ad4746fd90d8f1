package token

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// MinSecret is the least number of bytes of a key's secret.
const MinSecret = 16

var keyID = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// Keys holds what tokens are signed with. The first key mints, all of them verify, so that a key can be
// replaced without a moment in which valid tokens are refused: put the new one in front, and take the old
// one away when the last token it signed has expired. The zero value holds no key.
type Keys struct {
	list []key
}

type key struct {
	id string
	// A function, so that a stray %v or %s of a struct that holds Keys prints an address and no secret.
	secret func() []byte
}

// ParseKeys reads keys written as "id:secret". Its errors name a key by its id and never show a secret.
func ParseKeys(specs []string) (Keys, error) {
	var keys Keys
	for i, spec := range specs {
		id, secret, ok := strings.Cut(spec, ":")
		switch {
		case !ok:
			return Keys{}, fmt.Errorf("key %d: not of the form id:secret", i+1)
		case !keyID.MatchString(id):
			return Keys{}, fmt.Errorf("key %d: what stands before the colon is no key id: 1 to 64 characters of A-Z a-z 0-9 _ . -", i+1)
		case len(secret) < MinSecret:
			return Keys{}, fmt.Errorf("key %d (%s): the secret has %d bytes, at least %d are needed", i+1, id, len(secret), MinSecret)
		case keys.find(id) != nil:
			return Keys{}, fmt.Errorf("key %d: the id %s is there twice", i+1, id)
		}
		keys.list = append(keys.list, key{id: id, secret: func() []byte { return []byte(secret) }})
	}
	return keys, nil
}

// ErrNoKeys says that a token was to be minted or verified without any key.
var ErrNoKeys = errors.New("no keys are configured")

// Empty reports whether there are no keys: the server is in dev mode.
func (k Keys) Empty() bool { return len(k.list) == 0 }

func (k Keys) find(id string) *key {
	for i := range k.list {
		if k.list[i].id == id {
			return &k.list[i]
		}
	}
	return nil
}

// String lists the key ids, without secrets.
func (k Keys) String() string {
	ids := make([]string, len(k.list))
	for i, key := range k.list {
		ids[i] = key.id
	}
	return "keys[" + strings.Join(ids, " ") + "]"
}

// GoString is String, so that %#v shows no secret either.
func (k Keys) GoString() string { return k.String() }

// LogValue is String, for log/slog.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }
