package server

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"landline/signaling/token"
)

// open are the routes that anybody may ask.
var open = []string{"GET /ws", "POST /leave", "GET /healthz", "GET /r/{room}", "GET /recordings/{id}", "GET /{$}", "GET /"}

// faults are there for tests alone: see TestFaultsAreForTheServersOwnMachine.
var faults = []string{"POST /debug/udp-cut/{cut}", "POST /debug/ws-cut/{room}/{member}", "POST /debug/ws-stall/{room}/{member}/{ms}",
	"POST /debug/path/{room}/{member}/{path}"}

// TestEveryRouteIsGuarded reads the list of routes off the source, so that a new one is not forgotten.
func TestEveryRouteIsGuarded(t *testing.T) {
	source, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`mux\.Handle(?:Func)?\("([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(found) < len(open)+2 {
		t.Fatalf("found only %q", found)
	}
	keys := testKeys(t)
	_, url := start(t, Config{Keys: keys})
	admin := mint(t, keys, func(c *token.Claims) { c.Room, c.Grants = "*", []token.Grant{token.Admin} })
	bearers := map[string]int{
		"": http.StatusUnauthorized, "Bearer ": http.StatusUnauthorized, "Basic YWRtaW46YWRtaW4=": http.StatusUnauthorized,
		"Bearer " + strings.Repeat("A.", 5000): http.StatusUnauthorized,
		"Bearer " + mint(t, keys, nil):         http.StatusUnauthorized,
		"Bearer " + mint(t, keys, func(c *token.Claims) { c.Grants = []token.Grant{token.Admin} }): http.StatusUnauthorized, // of one room
		"Bearer " + mint(t, keys, func(c *token.Claims) { c.Room = "*" }):                          http.StatusUnauthorized, // not admin
		"Bearer " + admin: http.StatusOK,
	}
	for _, f := range found {
		if slices.Contains(open, f[1]) || slices.Contains(faults, f[1]) {
			continue
		}
		path := strings.TrimPrefix(f[1], "GET ")
		for bearer, want := range bearers {
			if got := get(t, httpURL(url, path), bearer); got != want {
				t.Errorf("%s with %.40q: %d, want %d", path, bearer, got, want)
			}
		}
		for _, query := range []string{"access_token", "token", "jwt"} {
			if got := get(t, httpURL(url, path)+"?"+query+"="+admin, ""); got != http.StatusUnauthorized {
				t.Errorf("%s takes a token in the URL", path)
			}
		}
	}
}

func get(t *testing.T, url, bearer string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", bearer)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// TestWithoutKeysOnlyThisMachineLooksIn: dev mode is no open door.
func TestWithoutKeysOnlyThisMachineLooksIn(t *testing.T) {
	s, _ := start(t, Config{})
	for from, want := range map[string]int{"127.0.0.1:5": 200, "[::1]:5": 200, "192.0.2.7:5": 401, "[2001:db8::1]:5": 401, "": 401, "localhost:5": 401} {
		for _, path := range []string{"/api/rooms", "/metrics"} {
			req := httptest.NewRequest(http.MethodGet, path, nil)
			req.RemoteAddr = from
			req.Header.Set("X-Forwarded-For", "127.0.0.1")
			rec := httptest.NewRecorder()
			s.Handler().ServeHTTP(rec, req)
			if rec.Code != want {
				t.Errorf("%s from %q: %d, want %d", path, from, rec.Code, want)
			}
		}
	}
}

func TestOrigins(t *testing.T) {
	s, _ := start(t, Config{Origins: []string{"https://app.example.com", "http://dev.example.com:5173"}})
	for _, c := range []struct {
		host    string
		origins []string
		ok      bool
	}{
		{"relay.example.com", nil, true}, // not a browser
		{"relay.example.com", []string{"http://relay.example.com"}, true},
		{"relay.example.com", []string{"http://relay.example.com:80"}, true},
		{"relay.example.com:80", []string{"http://RELAY.example.COM"}, true},
		{"relay.example.com", []string{"https://relay.example.com"}, true}, // behind a proxy that does TLS
		{"relay.example.com:8080", []string{"http://relay.example.com:8080"}, true},
		{"[::1]:8080", []string{"http://[::1]:8080"}, true},
		{"[::1]", []string{"http://[::1]:80"}, true},
		{"relay.example.com", []string{"https://app.example.com"}, true},
		{"relay.example.com", []string{"http://dev.example.com:5173"}, true},
		{"relay.example.com", []string{"http://dev.example.com"}, false},
		{"relay.example.com", []string{"http://app.example.com"}, false},
		{"relay.example.com", []string{"null"}, false},
		{"relay.example.com", []string{""}, false},
		{"relay.example.com", []string{"file://"}, false},
		{"relay.example.com", []string{"relay.example.com"}, false},
		{"relay.example.com", []string{"http://relay.example.com:8080"}, false},
		{"relay.example.com:8080", []string{"http://relay.example.com"}, false},
		{"relay.example.com", []string{"http://evil-relay.example.com"}, false},
		{"relay.example.com", []string{"http://relay.example.com.evil.org"}, false},
		{"relay.example.com", []string{"http://relay.example.com@evil.org"}, false},
		{"evil.org", []string{"http://relay.example.com@evil.org"}, false},
		{"relay.example.com", []string{"http://user@relay.example.com"}, false},
		{"relay.example.com", []string{"http://relay.example.com/path"}, false},
		{"relay.example.com", []string{"ftp://relay.example.com"}, false},
		{"relay.example.com", []string{"http://relаy.example.com"}, false}, // with a Cyrillic а
		{"relay.example.com", []string{"http://xn--rely-53d.example.com"}, false},
		{"kiosk.example.com", []string{"http://\u212aiosk.example.com"}, false}, // KELVIN SIGN, which folds to k
		{"relay.example.com", []string{"http://relay.example.com", "http://relay.example.com"}, false},
		{"relay.example.com", []string{"http://relay.example.com", "http://evil.org"}, false},
	} {
		req := httptest.NewRequest(http.MethodGet, "/ws", nil)
		req.Host = c.host
		for _, o := range c.origins {
			req.Header.Add("Origin", o)
		}
		rec := httptest.NewRecorder() // cannot be hijacked: whoever gets past the origin is refused otherwise
		s.Handler().ServeHTTP(rec, req)
		if ok := rec.Code != http.StatusForbidden; ok != c.ok {
			t.Errorf("host %s, origin %q: %d", c.host, c.origins, rec.Code)
		}
	}
	req := httptest.NewRequest(http.MethodGet, "https://relay.example.com/ws", nil) // sets req.TLS
	req.Header.Set("Origin", "http://relay.example.com:443")
	rec := httptest.NewRecorder()
	if s.Handler().ServeHTTP(rec, req); rec.Code != http.StatusForbidden {
		t.Errorf("a page without TLS reaches a server with it: %d", rec.Code)
	}
}

// TestOriginOnTheWire goes through a real upgrade.
func TestOriginOnTheWire(t *testing.T) {
	_, url := start(t, Config{})
	for origin, want := range map[string]int{httpURL(url, ""): 101, "http://evil.example.com": 403, "null": 403} {
		if res := rawDial(t, url).handshake("Origin: " + origin); res.StatusCode != want {
			t.Errorf("origin %s: %s", origin, res.Status)
		}
	}
	r := rawDial(t, url)
	if res := r.handshake("Origin: "+httpURL(url, ""), "Origin: http://evil.example.com"); res.StatusCode != 403 {
		t.Errorf("two origins: %s", res.Status)
	}
}
