package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"testing"
	"time"

	"landline/signaling"
	"landline/signaling/token"
)

// forge signs whatever header and claims with the server's own secret.
func forge(header, claims string, sign func() hash.Hash) string {
	enc := base64.RawURLEncoding.EncodeToString
	text := enc([]byte(header)) + "." + enc([]byte(claims))
	if sign == nil {
		return text + "."
	}
	mac := hmac.New(sign, []byte("0123456789abcdef0123456789abcdef"))
	mac.Write([]byte(text))
	return text + "." + enc(mac.Sum(nil))
}

func TestTokensThatAreNoGood(t *testing.T) {
	keys := testKeys(t)
	s, url := start(t, Config{Keys: keys})
	foreign, err := token.ParseKeys([]string{"test:another secret of 32 characters"})
	if err != nil {
		t.Fatal(err)
	}
	good := mint(t, keys, nil)
	claims := fmt.Sprintf(`{"room":"r","sub":"ann","grants":["publish"],"exp":%d}`, time.Now().Add(time.Hour).Unix())
	at := func(d time.Duration) time.Time { return time.Now().Add(d) }
	for name, c := range map[string]struct {
		token string
		code  signaling.CloseCode
	}{
		"none":               {"", signaling.CloseBadToken},
		"garbage":            {"garbage", signaling.CloseBadToken},
		"dots":               {strings.Repeat(".", 3000), signaling.CloseBadToken},
		"alg none":           {forge(`{"alg":"none","kid":"test"}`, claims, nil), signaling.CloseBadToken},
		"alg none, signed":   {forge(`{"alg":"none","kid":"test"}`, claims, sha256.New), signaling.CloseBadToken},
		"alg RS256":          {forge(`{"alg":"RS256","kid":"test"}`, claims, sha256.New), signaling.CloseBadToken},
		"alg HS384":          {forge(`{"alg":"HS384","kid":"test"}`, claims, sha512.New384), signaling.CloseBadToken},
		"no alg":             {forge(`{"kid":"test"}`, claims, sha256.New), signaling.CloseBadToken},
		"kid of a path":      {forge(`{"alg":"HS256","kid":"../../dev/null"}`, claims, sha256.New), signaling.CloseBadToken},
		"empty signature":    {good[:strings.LastIndex(good, ".")+1], signaling.CloseBadToken},
		"claims exchanged":   {strings.Split(good, ".")[0] + "." + strings.Split(forge(`{}`, claims, sha256.New), ".")[1] + "." + strings.Split(good, ".")[2], signaling.CloseBadToken},
		"room twice":         {forge(`{"alg":"HS256","kid":"test"}`, `{"room":"r",`+claims[1:], sha256.New), signaling.CloseBadToken},
		"another key":        {mint(t, foreign, nil), signaling.CloseBadToken},
		"oversize":           {strings.Repeat("A", 5000), signaling.CloseJoinTimeout},
		"expired":            {mint(t, keys, func(c *token.Claims) { c.Expires = at(-time.Minute) }), signaling.CloseTokenExpired},
		"not valid yet":      {mint(t, keys, func(c *token.Claims) { c.NotBefore = at(time.Minute) }), signaling.CloseTokenExpired},
		"room of others":     {mint(t, keys, func(c *token.Claims) { c.Room = "R" }), signaling.CloseForbidden},
		"a newline in front": {"\n" + good, signaling.CloseBadToken},
	} {
		t.Run(name, func(t *testing.T) {
			keepSecret(c.token)
			p := dial(t, url)
			p.text(hello)
			p.text(fmt.Sprintf(`{"type":"join","room":"r",%s}`, withToken(c.token)))
			if code, fatal := p.awaitClose(); code != int(c.code) || fatal == nil || fatal.Code != c.code.Name() {
				t.Fatalf("closed with %d, %+v, want %d %s", code, fatal, c.code, c.code.Name())
			}
		})
	}
	if rooms := s.relay.Snapshot(); len(rooms) != 0 {
		t.Errorf("rooms that nobody was let into: %+v", rooms)
	}
	_, joined := enter(t, url, "r", withToken(good)+`,"name":"Not Ann"`)
	if joined.Self.Name != "Ann" || joined.Self.ID != "ann" {
		t.Errorf("the token's name does not count: %+v", joined.Self)
	}
	enter(t, url, "r", withToken(mint(t, keys, func(c *token.Claims) { c.Identity, c.Expires = "late", at(-10*time.Second) })))
	enter(t, url, "any", withToken(mint(t, keys, func(c *token.Claims) { c.Room = "*" })))
}

func TestWhatIsNotGrantedIsRefused(t *testing.T) {
	keys := testKeys(t)
	s, url := start(t, Config{Keys: keys})
	ask := map[token.Grant]string{
		token.Publish:   `{"type":"publish","req":5,"tracks":[` + mic + `]}`,
		token.Subscribe: `{"type":"subscribe","req":5}`,
		token.Data:      `{"type":"chat","req":5,"text":"hello"}`,
	}
	for missing, message := range ask {
		var grants []token.Grant
		for g := range ask {
			if g != missing {
				grants = append(grants, g)
			}
		}
		p, joined := enter(t, url, "r", withToken(mint(t, keys, func(c *token.Claims) { c.Identity, c.Grants = string(missing), grants })))
		if len(joined.Grants) != 2 {
			t.Errorf("grants %q", joined.Grants)
		}
		p.text(message)
		if e := await[signaling.Error](p); e.Code != signaling.ErrNoGrant || e.Req != 5 || e.Fatal {
			t.Errorf("without %s: %+v", missing, e)
		}
	}
	p, joined := enter(t, url, "r", `"req":3,"publish":[`+mic+`],"subscribe":[{}],`+withToken(mint(t, keys, func(c *token.Claims) { c.Grants = nil })))
	if len(joined.Self.Tracks) != 0 {
		t.Errorf("published without a grant: %+v", joined.Self)
	}
	for range 2 {
		if e := await[signaling.Error](p); e.Code != signaling.ErrNoGrant || e.Req != 3 {
			t.Errorf("%+v", e)
		}
	}
	for _, m := range s.relay.Snapshot()[0].Members {
		if len(m.Tracks) > 0 || m.Link.Subscribed > 0 {
			t.Errorf("%s has tracks %v and %d subscriptions", m.ID, m.Tracks, m.Link.Subscribed)
		}
	}
}
