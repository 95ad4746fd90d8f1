package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"landline/signaling/impair"
	"landline/signaling/server"
	"landline/signaling/token"
)

// examined runs the doctor and gives its report, and the state of each look.
func examined(t *testing.T, wantCode int, args ...string) (r doctorReport, is map[string]state) {
	t.Helper()
	out, errs, code := launch(t, nil, append([]string{"doctor", "--json"}, args...)...).wait(t)
	if code != wantCode {
		t.Errorf("exit %d, want %d: %s", code, wantCode, errs)
	}
	if err := decodeOne(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	is = map[string]state{}
	for _, f := range r.Findings {
		is[f.Check] = f.State
	}
	return r, is
}

func expect(t *testing.T, r doctorReport, is map[string]state, want map[string]state, verdict string) {
	t.Helper()
	for check, s := range want {
		if is[check] != s {
			t.Errorf("%s: %s, want %s", check, is[check], s)
		}
	}
	if len(is) != len(want) || !strings.Contains(r.Verdict, verdict) {
		t.Errorf("%v: %s, want %q", is, r.Verdict, verdict)
	}
	if t.Failed() {
		for _, f := range r.Findings {
			t.Logf("%+v", *f)
		}
	}
}

func TestDoctorFindsThatAllWorks(t *testing.T) {
	relay := wholeRelay(t)
	r, is := examined(t, 0, "--url", relay)
	expect(t, r, is, map[string]state{"HTTP": stateOK, "WebSocket": stateOK, "binary": stateOK, "latency": stateOK, "clock": stateOK, "UDP": stateOK,
		"ICE-TCP": stateOK}, "over the WebSocket and over WebRTC")
	until(t, "end of its members", func() bool { return len(membersOf(t, relay)) == 0 })
}

func TestDoctorFindsThatUDPDoesNotPass(t *testing.T) {
	t.Parallel()
	relay := relayWith(t, server.Config{WebRTC: rtcPortAt(t, "192.0.2.1")}) // RFC 5737: nobody has it
	r, is := examined(t, 0, "--url", relay)
	expect(t, r, is, map[string]state{"HTTP": stateOK, "WebSocket": stateOK, "binary": stateOK, "latency": stateOK, "clock": stateOK, "UDP": stateFailed,
		"ICE-TCP": stateSkipped}, "UDP does not pass, so WebRTC does not connect")
}

func TestDoctorMeasuresTheWay(t *testing.T) {
	relay := relayFor(t)
	thin := impair.Link{Delay: 20 * time.Millisecond, Rate: 80_000} // a call's frames may be 0.4 s old, and what is sent to look takes longer
	d := detourTo(t, relay, thin, thin)
	r, is := examined(t, 0, "--url", d.url)
	expect(t, r, is, map[string]state{"HTTP": stateOK, "WebSocket": stateOK, "binary": stateOK, "latency": stateOK, "clock": stateOK, "UDP": stateSkipped, "ICE-TCP": stateSkipped},
		"Calls work from here, over the WebSocket.")
	for _, f := range r.Findings {
		if f.Check == "latency" && f.Ms < 40 {
			t.Errorf("over a path of 40 ms: %s", f.Text)
		}
		if f.Check == "clock" && (f.Ms < -25 || f.Ms > 25) {
			t.Errorf("on one machine: %s", f.Text)
		}
	}
}

func TestDoctorFindsWhatIsNoRelay(t *testing.T) {
	r, is := examined(t, 1, "--url", "http://127.0.0.1:1")
	expect(t, r, is, map[string]state{"HTTP": stateFailed}, "not reached")
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer other.Close()
	r, is = examined(t, 1, "--url", other.URL)
	expect(t, r, is, map[string]state{"HTTP": stateOK, "WebSocket": stateFailed}, "no WebSocket can be opened")
}

// limited is a path that breaks when so many bytes have gone up it.
func limited(t *testing.T, relay string, most int64) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	carry := func(down net.Conn) {
		defer down.Close()
		up, err := net.Dial("tcp", strings.TrimPrefix(relay, "http://"))
		if err != nil {
			return
		}
		defer up.Close()
		running.Go(func() { _, _ = io.Copy(down, up) })
		_, _ = io.CopyN(up, down, most)
	}
	running.Go(func() {
		for {
			down, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { carry(down) })
		}
	})
	return "http://" + ln.Addr().String()
}

func TestDoctorFindsThatBinaryMessagesDoNotPass(t *testing.T) {
	r, is := examined(t, 1, "--url", limited(t, relayFor(t), 30_000))
	expect(t, r, is, map[string]state{"HTTP": stateOK, "WebSocket": stateOK, "binary": stateFailed, "latency": stateSkipped, "UDP": stateSkipped, "ICE-TCP": stateSkipped},
		"does not pass its binary messages whole")
}

func TestDoctorTellsWhatATokenLacks(t *testing.T) {
	keys, err := token.ParseKeys([]string{"k:0123456789abcdef0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	relay := relayWith(t, server.Config{Keys: keys})
	r, is := examined(t, 1, "--url", relay)
	expect(t, r, is, map[string]state{"HTTP": stateOK, "WebSocket": stateFailed}, "no WebSocket can be opened")
	if !strings.Contains(r.Findings[1].Text, "token") {
		t.Errorf("no word of the token: %s", r.Findings[1].Text)
	}
	pass, err := keys.Mint(token.Claims{Room: "*", Identity: "doctor", Expires: time.Now().Add(time.Hour), Grants: []token.Grant{token.Subscribe}})
	if err != nil {
		t.Fatal(err)
	}
	r, is = examined(t, 0, "--url", relay, "--token", pass)
	expect(t, r, is, map[string]state{"HTTP": stateOK, "WebSocket": stateOK, "binary": stateSkipped, "latency": stateSkipped, "UDP": stateSkipped, "ICE-TCP": stateSkipped}, "Calls work")
	pass, err = keys.Mint(token.Claims{Room: "*", Identity: "doctor", Expires: time.Now().Add(time.Hour), Grants: token.AllGrants})
	if err != nil {
		t.Fatal(err)
	}
	r, is = examined(t, 0, "--url", relay, "--token", pass)
	expect(t, r, is, map[string]state{"HTTP": stateOK, "WebSocket": stateOK, "binary": stateOK, "latency": stateOK, "clock": stateOK, "UDP": stateSkipped, "ICE-TCP": stateSkipped}, "Calls work")
}
