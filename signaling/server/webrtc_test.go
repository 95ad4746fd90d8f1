package server

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"landline/signaling/rtc"
	"landline/signaling/token"
)

func testPort(t *testing.T) *rtc.Port {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port, err := rtc.NewPort(rtc.Config{Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(port.Close)
	return port
}

func TestWHIPAndWHEPAreGuarded(t *testing.T) {
	keys := testKeys(t)
	_, url := start(t, Config{Keys: keys, WebRTC: testPort(t), Origins: []string{"https://friend.example"}})
	mute := mint(t, keys, func(c *token.Claims) { c.Room, c.Grants = "kitchen", []token.Grant{token.Data} })
	other := mint(t, keys, func(c *token.Claims) { c.Room = "other" })
	good := mint(t, keys, func(c *token.Claims) { c.Room = "kitchen" })
	for _, path := range []string{"/whip/kitchen", "/whep/kitchen", "/whep/kitchen/ann"} {
		for _, c := range []struct {
			name, method, query, bearer, origin string
			want                                int
		}{
			{"no token", "POST", "", "", "", 401},
			{"a token in the URL", "POST", "?access_token=" + good, "", "", 401},
			{"a broken token", "POST", "", strings.Repeat("A.", 5000), "", 401},
			{"another room's", "POST", "", other, "", 401},
			{"no grant", "POST", "", mute, "", 403},
			{"a foreign page", "POST", "", good, "https://evil.example", 403},
			{"a foreign page asks", "OPTIONS", "", "", "https://evil.example", 403},
			{"a page that is allowed asks", "OPTIONS", "", "", "https://friend.example", 204},
			{"a page that is allowed", "POST", "", good, "https://friend.example", 400},
		} {
			req, err := http.NewRequest(c.method, httpURL(url, path)+c.query, strings.NewReader("no SDP"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/sdp")
			if c.bearer != "" {
				req.Header.Set("Authorization", "Bearer "+c.bearer)
			}
			if c.origin != "" {
				req.Header.Set("Origin", c.origin)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != c.want {
				t.Errorf("%s, %s: %s, want %d", path, c.name, resp.Status, c.want)
			}
			if allowed := resp.Header.Get("Access-Control-Allow-Origin"); (allowed != "") != (c.origin == "https://friend.example") {
				t.Errorf("%s, %s: allowed origin %q", path, c.name, allowed)
			}
		}
	}
}
