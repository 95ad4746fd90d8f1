package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	oldSecret = "an old secret of 30 bytes, yes"
	newSecret = "0123456789abcdef"
)

var now = time.Unix(1_763_700_000, 0)

func keys(t testing.TB, specs ...string) Keys {
	t.Helper()
	k, err := ParseKeys(specs)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ann() Claims {
	return Claims{Room: "kitchen", Identity: "ann@example.org", Name: "Ann Ångström",
		Grants: []Grant{Publish, Data}, Expires: now.Add(time.Hour), NotBefore: now, IssuedAt: now}
}

func TestMintedTokenVerifies(t *testing.T) {
	k := keys(t, "new:"+newSecret)
	for _, want := range []Claims{
		ann(),
		{Room: AnyRoom, Identity: "ops", Grants: []Grant{Admin}, Expires: now.Add(time.Minute)},
		{Room: "kitchen", Identity: "mute", Expires: now.Add(time.Minute)},
	} {
		signed, err := k.Mint(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.Verify(signed, "kitchen", now)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestRotation(t *testing.T) {
	before := keys(t, "old:"+oldSecret)
	during := keys(t, "new:"+newSecret, "old:"+oldSecret)
	after := keys(t, "new:"+newSecret)
	first, _ := before.Mint(ann())
	second, _ := during.Mint(ann())
	for _, c := range []struct {
		what  string
		keys  Keys
		token string
		want  error
	}{
		{"old token while both keys stand", during, first, nil},
		{"new token while both keys stand", during, second, nil},
		{"new token signed by the first key", after, second, nil},
		{"old token when the old key is gone", after, first, ErrBadToken},
		{"same id, other secret", keys(t, "old:"+newSecret), first, ErrBadToken},
		{"no keys", Keys{}, first, ErrNoKeys},
	} {
		if _, err := c.keys.Verify(c.token, "kitchen", now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
}

func TestTimeAndRoom(t *testing.T) {
	k := keys(t, "k:"+newSecret)
	signed, _ := k.Mint(ann())
	everywhere, _ := k.Mint(Claims{Room: AnyRoom, Identity: "ops", Expires: now.Add(time.Hour)})
	later, _ := k.Mint(Claims{Room: "kitchen", Identity: "ann", IssuedAt: now, Expires: now.Add(time.Hour)})
	for _, c := range []struct {
		what, token, room string
		at                time.Duration
		want              error
	}{
		{"in time", signed, "kitchen", time.Minute, nil},
		{"29 s early", signed, "kitchen", -29 * time.Second, nil},
		{"31 s early", signed, "kitchen", -31 * time.Second, ErrExpired},
		{"29 s before it was issued", later, "kitchen", -29 * time.Second, nil},
		{"31 s before it was issued", later, "kitchen", -31 * time.Second, ErrExpired},
		{"29 s late", signed, "kitchen", time.Hour + 29*time.Second, nil},
		{"31 s late", signed, "kitchen", time.Hour + 31*time.Second, ErrExpired},
		{"other room", signed, "kitchen2", 0, ErrForbidden},
		{"no room", signed, "", 0, ErrForbidden},
		{"asks for every room", signed, AnyRoom, 0, ErrForbidden},
		{"expired and for another room", signed, "hall", 2 * time.Hour, ErrExpired},
		{"token of every room", everywhere, "hall", 0, nil},
		{"token of every room, asked for every room", everywhere, AnyRoom, 0, nil},
	} {
		if _, err := k.Verify(c.token, c.room, now.Add(c.at)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
}

func segment(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }

// sign makes a token of any header and claims under a method of the jwt package.
func sign(m jwt.SigningMethod, secret any, header, claims string) string {
	text := segment(header) + "." + segment(claims)
	sig, err := m.Sign(text, secret)
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

const (
	goodHeader = `{"alg":"HS256","typ":"JWT","kid":"k"}`
	goodClaims = `{"room":"kitchen","sub":"ann","name":"Ann","grants":["publish"],"exp":1763703600}`
)

// hostile lists tokens that are to be refused as bad, by what is wrong with them.
func hostile() map[string]string {
	hs := func(header, claims string) string {
		return sign(jwt.SigningMethodHS256, []byte(newSecret), header, claims)
	}
	good := hs(goodHeader, goodClaims)
	cut := strings.LastIndex(good, ".")
	list := map[string]string{
		"empty":                   "",
		"1 MiB of dots":           strings.Repeat(".", 1<<20),
		"4 KiB of dots":           strings.Repeat(".", MaxLength),
		"two segments":            good[:cut],
		"four segments":           good + "." + good[cut+1:],
		"empty signature":         good[:cut+1],
		"cut signature":           good[:len(good)-3],
		"flipped signature":       good[:cut+1] + segment(strings.Repeat("x", 32)),
		"padding":                 good + "=",
		"bits after the end":      good[:len(good)-1] + string(good[len(good)-1]+1),
		"white space":             good[:cut] + " " + good[cut:],
		"not base64":              "!!!." + good[strings.Index(good, ".")+1:],
		"claims of another token": segment(goodHeader) + "." + segment(`{"room":"*"}`) + good[cut:],
		"alg none":                sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, `{"alg":"none","kid":"k"}`, goodClaims),
		"alg None":                sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, `{"alg":"None","kid":"k"}`, goodClaims),
		"alg HS384":               sign(jwt.SigningMethodHS384, []byte(newSecret), `{"alg":"HS384","kid":"k"}`, goodClaims),
		"alg HS512":               sign(jwt.SigningMethodHS512, []byte(newSecret), `{"alg":"HS512","kid":"k"}`, goodClaims),
		"deep header":             segment(strings.Repeat("[", 3000)) + ".e30.x",
		"deep small header":       segment(`{"alg":"HS256","kid":`+strings.Repeat("[", 300)) + ".e30.x",
		"deep claims, unsigned":   segment(goodHeader) + "." + segment(strings.Repeat("[", 2500)) + ".x",
		"newline at the end":      good + "\n",
		"newline within":          good[:cut+5] + "\r\n" + good[cut+5:],
	}
	maps.Copy(list, badHeaders(hs))
	maps.Copy(list, badClaims(hs))
	return list
}

func badHeaders(hs func(header, claims string) string) map[string]string {
	list := map[string]string{}
	for what, header := range map[string]string{
		"alg RS256 over HMAC": `{"alg":"RS256","kid":"k"}`,
		"alg ES256 over HMAC": `{"alg":"ES256","kid":"k"}`,
		"alg hs256":           `{"alg":"hs256","kid":"k"}`,
		"alg absent":          `{"kid":"k"}`,
		"alg a list":          `{"alg":["HS256"],"kid":"k"}`,
		"alg twice":           `{"alg":"none","alg":"HS256","kid":"k"}`,
		"kid twice":           `{"alg":"HS256","kid":"x","kid":"k"}`,
		"kid absent":          `{"alg":"HS256"}`,
		"kid empty":           `{"alg":"HS256","kid":""}`,
		"kid a number":        `{"alg":"HS256","kid":1}`,
		"kid in capitals":     `{"alg":"HS256","KID":"k"}`,
		"kid unknown":         `{"alg":"HS256","kid":"kk"}`,
		"kid traversal":       `{"alg":"HS256","kid":"../../../../dev/null"}`,
		"kid with NUL":        `{"alg":"HS256","kid":"k\u0000"}`,
		"crit":                `{"alg":"HS256","kid":"k","crit":["exp"]}`,
		"header cut":          `{"alg":"HS256","kid":"k"`,
		"text behind header":  `{"alg":"HS256","kid":"k"}{}`,
		"header null":         `null`,
		"header a list":       `[]`,
		"header empty":        ``,
	} {
		list[what] = hs(header, goodClaims)
	}
	return list
}

func badClaims(hs func(header, claims string) string) map[string]string {
	list := map[string]string{}
	for what, claims := range map[string]string{
		"claims null":      `null`,
		"claims a list":    `[]`,
		"claims empty":     `{}`,
		"exp absent":       `{"room":"kitchen","sub":"ann"}`,
		"exp null":         `{"room":"kitchen","sub":"ann","exp":null}`,
		"exp a string":     `{"room":"kitchen","sub":"ann","exp":"1763703600"}`,
		"exp negative":     `{"room":"kitchen","sub":"ann","exp":-1}`,
		"exp huge":         `{"room":"kitchen","sub":"ann","exp":1e300}`,
		"exp over float64": `{"room":"kitchen","sub":"ann","exp":1e400}`,
		"exp in capitals":  `{"room":"kitchen","sub":"ann","EXP":1763703600}`,
		"exp twice":        `{"room":"kitchen","sub":"ann","exp":1,"exp":1763703600}`,
		"nbf a string":     `{"room":"kitchen","sub":"ann","exp":1763703600,"nbf":"now"}`,
		"iat a list":       `{"room":"kitchen","sub":"ann","exp":1763703600,"iat":[]}`,
		"room twice":       `{"room":"hall","room":"kitchen","sub":"ann","exp":1763703600}`,
		"room absent":      `{"sub":"ann","exp":1763703600}`,
		"room in capitals": `{"ROOM":"kitchen","sub":"ann","exp":1763703600}`,
		"room a path":      `{"room":"../kitchen","sub":"ann","exp":1763703600}`,
		"room a pattern":   `{"room":"kit*","sub":"ann","exp":1763703600}`,
		"sub absent":       `{"room":"kitchen","exp":1763703600}`,
		"sub empty":        `{"room":"kitchen","sub":"","exp":1763703600}`,
		"sub with a space": `{"room":"kitchen","sub":"a b","exp":1763703600}`,
		"sub with newline": `{"room":"kitchen","sub":"a\n","exp":1763703600}`,
		"sub too long":     `{"room":"kitchen","sub":"` + strings.Repeat("a", 65) + `","exp":1763703600}`,
		"sub a number":     `{"room":"kitchen","sub":7,"exp":1763703600}`,
		"name too long":    `{"room":"kitchen","sub":"ann","name":"` + strings.Repeat("é", 65) + `","exp":1763703600}`,
		"name with escape": `{"room":"kitchen","sub":"ann","name":"a\u001b[2J","exp":1763703600}`,
		"grants a string":  `{"room":"kitchen","sub":"ann","grants":"admin","exp":1763703600}`,
		"foreign audience": `{"room":"kitchen","sub":"ann","aud":"mail","exp":1763703600}`,
		"text behind":      goodClaims + `{}`,
	} {
		list[what] = hs(goodHeader, claims)
	}
	return list
}

func TestHostileTokensAreRefused(t *testing.T) {
	k := keys(t, "k:"+newSecret)
	if _, err := k.Verify(sign(jwt.SigningMethodHS256, []byte(newSecret), goodHeader, goodClaims), "kitchen", now); err != nil {
		t.Fatalf("the token that the others are made from: %v", err)
	}
	for what, signed := range hostile() {
		claims, err := k.Verify(signed, "kitchen", now)
		if !errors.Is(err, ErrBadToken) {
			t.Errorf("%s: %v, want ErrBadToken", what, err)
			continue
		}
		if !reflect.DeepEqual(claims, Claims{}) {
			t.Errorf("%s: claims of a refused token: %v", what, claims)
		}
		if len(err.Error()) > 123 {
			t.Errorf("%s: %d bytes of reason do not fit into a close frame: %v", what, len(err.Error()), err)
		}
	}
}

// No refusal allocates over 64 KiB, whatever the token.
func TestRefusalIsCheap(t *testing.T) {
	const runs = 50
	k := keys(t, "k:"+newSecret)
	for what, signed := range hostile() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			_, _ = k.Verify(signed, "kitchen", now)
		}
		runtime.ReadMemStats(&after)
		if bytes := (after.TotalAlloc - before.TotalAlloc) / runs; bytes > 64<<10 {
			t.Errorf("%s: %d bytes allocated to refuse it", what, bytes)
		}
	}
}

func TestGrants(t *testing.T) {
	k := keys(t, "k:"+newSecret)
	signed := sign(jwt.SigningMethodHS256, []byte(newSecret), goodHeader,
		`{"room":"kitchen","sub":"ann","grants":["data","fly","publish","data","Admin"],"exp":1763703600}`)
	c, err := k.Verify(signed, "kitchen", now)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Grant{Publish, Data}; !reflect.DeepEqual(c.Grants, want) {
		t.Errorf("grants %v, want %v", c.Grants, want)
	}
	if !c.Allows(Data) || c.Allows(Admin) || c.Allows(Subscribe) {
		t.Errorf("Allows disagrees with %v", c.Grants)
	}
}

func TestMintRefusesWhatVerifyWould(t *testing.T) {
	k := keys(t, "k:"+newSecret)
	for what, change := range map[string]func(*Claims){
		"room":     func(c *Claims) { c.Room = "a b" },
		"identity": func(c *Claims) { c.Identity = "" },
		"name":     func(c *Claims) { c.Name = "a\x00" },
		"not UTF8": func(c *Claims) { c.Name = "\xff" },
		"exp":      func(c *Claims) { c.Expires = time.Time{} },
		"grants":   func(c *Claims) { c.Grants = []Grant{"publsh"} },
	} {
		c := ann()
		change(&c)
		if signed, err := k.Mint(c); err == nil {
			t.Errorf("%s: minted %s", what, signed)
		}
	}
	if _, err := (Keys{}).Mint(ann()); !errors.Is(err, ErrNoKeys) {
		t.Errorf("without keys: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	for _, signed := range hostile() {
		if len(signed) <= MaxLength {
			f.Add(signed)
		}
	}
	k := keys(f, "k:"+newSecret, "other:"+oldSecret)
	f.Add(sign(jwt.SigningMethodHS256, []byte(newSecret), goodHeader, goodClaims))
	f.Fuzz(func(t *testing.T, signed string) {
		c, err := k.Verify(signed, "kitchen", now)
		if err != nil {
			return
		}
		// What passes is signed with our key and can be minted again to the same claims.
		again, err := k.Mint(c)
		if err != nil {
			t.Fatalf("verified claims cannot be minted: %v: %v", c, err)
		}
		if d, err := k.Verify(again, "kitchen", now); err != nil || fmt.Sprint(c) != fmt.Sprint(d) {
			t.Fatalf("%v became %v, %v", c, d, err)
		}
	})
}

// FuzzClaims signs whatever it is given, so that the rules behind the signature are reached.
func FuzzClaims(f *testing.F) {
	f.Add(goodHeader, goodClaims)
	f.Add(goodHeader, `{"room":"*","sub":"ops","grants":["admin"],"exp":1763703600,"nbf":1.5,"iat":0}`)
	f.Add(`{"alg":"HS256","kid":"k","kid":"k"}`, `{"exp":1,"exp":2}`)
	k := keys(f, "k:"+newSecret)
	f.Fuzz(func(t *testing.T, header, claims string) {
		c, err := k.Verify(sign(jwt.SigningMethodHS256, []byte(newSecret), header, claims), "kitchen", now)
		if err != nil {
			return
		}
		if c.check() != nil || (c.Room != "kitchen" && c.Room != AnyRoom) || c.Expires.Before(now.Add(-Leeway)) {
			t.Fatalf("accepted %v", c)
		}
	})
}
