package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
	"landline/signaling/token"
)

// try joins with a resume token and returns what the server answers: *signaling.Joined or *signaling.Error.
func (p *probe) try(room, resume string) (any, error) {
	for _, text := range []string{hello, fmt.Sprintf(`{"type":"join","req":1,"room":%q,"resume":%q}`, room, resume)} {
		if err := p.write(websocket.TextMessage, []byte(text)); err != nil {
			return nil, err
		}
	}
	for {
		_, msg, err := p.next()
		if err != nil {
			return nil, err
		}
		switch m, _ := signaling.Decode(msg); m := m.(type) {
		case *signaling.Joined:
			keepSecret(m.Resume)
			return m, nil
		case *signaling.Error:
			return m, nil
		}
	}
}

// refused tries a token that must not work, and leaves no trace.
func refused(t *testing.T, url, room, resume string) {
	t.Helper()
	p := dial(t, url)
	answer, err := p.try(room, resume)
	if e, ok := answer.(*signaling.Error); !ok || e.Code != signaling.ErrResumeRefused || e.Fatal || err != nil {
		t.Fatalf("resume token %q in room %s was answered with %+v, %v", resume, room, answer, err)
	}
	_ = p.ws.Close()
}

func (s *Server) bookkeeping() (tickets, seats, current int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.tickets), len(s.seats), len(s.current)
}

func TestResumeTokensThatAreNoGood(t *testing.T) {
	quick := protocolTimes
	quick.grace = 300 * time.Millisecond
	s, url := startWith(t, Config{}, quick, plain)
	bob, _ := enter(t, url, "r", "")
	ann, first := enter(t, url, "r", `"name":"Ann"`)
	for _, bad := range []string{"x", "r-", first.Self.ID, first.Resume + "A", first.Resume[:len(first.Resume)-1], "r-AAAAAAAAAAAAAAAAAAAAAAAA"} {
		refused(t, url, "r", bad)
	}
	_ = ann.ws.NetConn().Close()
	await[signaling.MemberState](bob)
	refused(t, url, "other", first.Resume) // and it is not used up by that
	again := dial(t, url)
	answer, err := again.try("r", first.Resume)
	second, ok := answer.(*signaling.Joined)
	if !ok || err != nil || !second.Resumed || second.Resume == first.Resume || second.Self.ID != first.Self.ID {
		t.Fatalf("%+v, %v", answer, err)
	}
	refused(t, url, "r", first.Resume)
	again.text(`{"type":"bye"}`)
	again.awaitClose()
	refused(t, url, "r", second.Resume)

	cyd, third := enter(t, url, "r", `"name":"Cyd"`)
	_ = cyd.ws.NetConn().Close()
	for left := ""; left != third.Self.ID; {
		m := await[signaling.MemberLeft](bob)
		if left = m.ID; left == third.Self.ID && m.Reason != "lost" {
			t.Errorf("after the grace: %+v", m)
		}
	}
	refused(t, url, "r", third.Resume)
	within(t, patience, "the server has forgotten those who left", func() bool {
		tickets, seats, current := s.bookkeeping()
		return tickets == 1 && seats == 1 && current == 1
	})
}

// A network that breaks twice in a row may swallow joined, and with it the new token.
func TestATokenIsGoodAgainWhereJoinedWasLost(t *testing.T) {
	s, url := start(t, Config{})
	bob, _ := enter(t, url, "r", "")
	ann, first := enter(t, url, "r", `"name":"Ann"`)
	var last *signaling.Joined
	for range 3 {
		_ = ann.ws.NetConn().Close()
		await[signaling.MemberState](bob)
		ann = dial(t, url)
		ann.noAcks = true
		answer, err := ann.try("r", first.Resume)
		var ok bool
		if last, ok = answer.(*signaling.Joined); !ok || err != nil || !last.Resumed || last.Self.ID != first.Self.ID {
			t.Fatalf("%+v, %v", answer, err)
		}
		await[signaling.MemberState](bob)
		refused(t, url, "r", first.Resume) // its session lives
	}
	ann.binary(media.Ack{Bytes: uint64(ann.got)}.Append(nil))
	within(t, patience, "the server has seen that joined came", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.tickets[last.Resume].spent == ""
	})
	_ = ann.ws.NetConn().Close()
	await[signaling.MemberState](bob)
	refused(t, url, "r", first.Resume)
	// It is lost once more before its client can be known to have the next token; which it has.
	var next *signaling.Joined
	for _, by := range []string{last.Resume, "next"} {
		if by == "next" {
			by = next.Resume
		}
		ann = dial(t, url)
		ann.noAcks = true
		answer, err := ann.try("r", by)
		var ok bool
		if next, ok = answer.(*signaling.Joined); !ok || err != nil || next.Self.ID != first.Self.ID {
			t.Fatalf("%+v, %v", answer, err)
		}
		await[signaling.MemberState](bob)
		_ = ann.ws.NetConn().Close()
		await[signaling.MemberState](bob)
	}
	refused(t, url, "r", last.Resume)
	if tickets, seats, _ := s.bookkeeping(); tickets != 3 || seats != 2 {
		t.Errorf("%d tickets for %d seats: Bob's, and the two that may be Ann's", tickets, seats)
	}
}

func TestOneOfManyReplaysWins(t *testing.T) {
	_, url := start(t, Config{})
	for _, lost := range []bool{true, false} {
		ann, joined := enter(t, url, "r", `"name":"Ann"`)
		bob, _ := enter(t, url, "r", "")
		if lost {
			_ = ann.ws.NetConn().Close()
			await[signaling.MemberState](bob)
		}
		const tries = 100
		answers := make(chan any, tries)
		var probes []*probe
		for range tries {
			probes = append(probes, dial(t, url))
		}
		for _, p := range probes {
			go func() {
				answer, err := p.try("r", joined.Resume)
				if err != nil {
					answer = err
				}
				answers <- answer
			}()
		}
		won := 0
		for range tries {
			switch a := (<-answers).(type) {
			case *signaling.Joined:
				won++
			case *signaling.Error:
				if a.Code != signaling.ErrResumeRefused {
					t.Errorf("%+v", a)
				}
			default:
				t.Errorf("%v", a)
			}
		}
		if won != 1 {
			t.Fatalf("%d of %d replays won", won, tries)
		}
		if !lost {
			if code, _ := ann.awaitClose(); code != int(signaling.CloseReplaced) {
				t.Errorf("the old socket was closed with %d", code)
			}
		}
	}
}

func testKeys(t testing.TB) token.Keys {
	t.Helper()
	keys, err := token.ParseKeys([]string{"test:0123456789abcdef0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// mint makes a token for an hour, for room r and identity ann unless change says otherwise.
func mint(t testing.TB, keys token.Keys, change func(*token.Claims)) string {
	t.Helper()
	c := token.Claims{Room: "r", Identity: "ann", Name: "Ann", Grants: []token.Grant{token.Publish, token.Subscribe, token.Data},
		Expires: time.Now().Add(time.Hour)}
	if change != nil {
		change(&c)
	}
	s, err := keys.Mint(c)
	if err != nil {
		t.Fatal(err)
	}
	keepSecret(s)
	return s
}

func withToken(s string) string { return fmt.Sprintf(`"token":%q`, s) }

// TestSecondSessionReplacesTheFirst: an identity is in a room once.
func TestSecondSessionReplacesTheFirst(t *testing.T) {
	keys := testKeys(t)
	_, url := start(t, Config{Keys: keys})
	bob, _ := enter(t, url, "r", withToken(mint(t, keys, func(c *token.Claims) { c.Identity = "bob" })))
	ann := mint(t, keys, nil)
	first, one := enter(t, url, "r", withToken(ann))
	if m := await[signaling.MemberJoined](bob); m.Member.ID != "ann" {
		t.Fatalf("%+v", m)
	}
	_, two := enter(t, url, "r", withToken(ann))
	if two.Resumed || two.Self.ID != "ann" || two.Resume == one.Resume {
		t.Fatalf("%+v", two)
	}
	if code, fatal := first.awaitClose(); code != int(signaling.CloseReplaced) || fatal == nil || fatal.Code != "replaced" {
		t.Fatalf("the first was closed with %d, %+v", code, fatal)
	}
	var seen []string
	for len(seen) < 2 {
		_, msg, err := bob.next()
		if err != nil {
			t.Fatal(err)
		}
		switch m, _ := signaling.Decode(msg); m := m.(type) {
		case *signaling.MemberLeft:
			seen = append(seen, "left "+m.ID+" "+m.Reason)
		case *signaling.MemberJoined:
			seen = append(seen, "joined "+m.Member.ID)
		}
	}
	if seen[0] != "left ann replaced" || seen[1] != "joined ann" {
		t.Fatalf("the others saw %q", seen)
	}
	refused(t, url, "r", one.Resume)
}

// TestComingBackWithoutResumingLeavesNothingBehind: who was lost and joins anew has one seat and one resume token.
func TestComingBackWithoutResumingLeavesNothingBehind(t *testing.T) {
	keys := testKeys(t)
	s, url := start(t, Config{Keys: keys})
	bob, _ := enter(t, url, "r", withToken(mint(t, keys, func(c *token.Claims) { c.Identity = "bob" })))
	ann := mint(t, keys, nil)
	var tickets []string
	for range 10 {
		p, joined := enter(t, url, "r", withToken(ann))
		tickets = append(tickets, joined.Resume)
		_ = p.ws.NetConn().Close()
		await[signaling.MemberState](bob)
	}
	if tickets, seats, current := s.bookkeeping(); tickets != 2 || seats != 2 || current != 1 {
		t.Fatalf("%d tickets, %d seats, %d current sessions of two members", tickets, seats, current)
	}
	refused(t, url, "r", tickets[3])
	if a, err := dial(t, url).try("r", tickets[9]); err != nil || a.(*signaling.Joined).Self.ID != "ann" {
		t.Fatalf("%+v, %v", a, err)
	}
}

func postLeave(t *testing.T, url, body, origin string) int {
	t.Helper()
	req, err := http.NewRequest("POST", strings.Replace(url, "ws", "http", 1), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Path = "/leave"
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	_ = answer.Body.Close()
	return answer.StatusCode
}

// TestABeaconLeavesForAPageThatIsGone: at once, with its socket open or lost.
func TestABeaconLeavesForAPageThatIsGone(t *testing.T) {
	s, url := start(t, Config{})
	bob, _ := enter(t, url, "r", "")
	for _, lost := range []bool{false, true} {
		ann, joined := enter(t, url, "r", `"name":"Ann"`)
		if lost {
			_ = ann.ws.NetConn().Close()
			await[signaling.MemberState](bob)
		}
		for body, want := range map[string]int{"": 404, "r-wrong": 404, strings.Repeat("x", 129): 413} {
			if got := postLeave(t, url, body, ""); got != want {
				t.Errorf("%.10q is answered with %d, not %d", body, got, want)
			}
		}
		if got := postLeave(t, url, joined.Resume, "https://elsewhere.example"); got != http.StatusForbidden {
			t.Errorf("another site's page is answered with %d", got)
		}
		if got := postLeave(t, url, joined.Resume, ""); got != http.StatusNoContent {
			t.Fatalf("answered with %d", got)
		}
		if m := await[signaling.MemberLeft](bob); m.ID != joined.Self.ID || m.Reason != "bye" {
			t.Errorf("%+v", m)
		}
		if !lost {
			if code, _ := ann.awaitClose(); code != int(signaling.CloseNormal) {
				t.Errorf("the socket was closed with %d", code)
			}
		}
		if got := postLeave(t, url, joined.Resume, ""); got != http.StatusNotFound {
			t.Errorf("a second time: %d", got)
		}
		refused(t, url, "r", joined.Resume)
	}
	if tickets, seats, current := s.bookkeeping(); tickets != 1 || seats != 1 || current != 1 {
		t.Errorf("%d tickets, %d seats, %d current sessions of one member", tickets, seats, current)
	}
}
