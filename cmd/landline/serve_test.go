package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"landline/signaling/token"
)

// fakeRelay stands in for the relay; without drain it drains at once.
type fakeRelay struct {
	handler http.HandlerFunc
	drain   func(context.Context) error
	closed  bool
}

func (f *fakeRelay) Handler() http.Handler { return f.handler }
func (f *fakeRelay) Close()                { f.closed = true }

func (f *fakeRelay) Drain(ctx context.Context) error {
	if f.drain == nil {
		return nil
	}
	return f.drain(ctx)
}

func hello(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }

// output collects what is written, and lets a test wait for a line.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.grew != nil {
		close(o.grew)
		o.grew = nil
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// line waits for a whole line that holds part.
func (o *output) line(t *testing.T, part string) string {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		o.mu.Lock()
		text := o.text.String()
		if o.grew == nil {
			o.grew = make(chan struct{})
		}
		grew := o.grew
		o.mu.Unlock()
		for line := range strings.Lines(text) {
			if strings.Contains(line, part) && strings.HasSuffix(line, "\n") {
				return line
			}
		}
		select {
		case <-grew:
		case <-late:
			t.Fatalf("no line with %q in:\n%s", part, text)
		}
	}
}

// serving is a serve command that runs.
type serving struct {
	url      string
	out, log *output
	signal   context.CancelFunc
	done     chan error
}

// serve runs the command with these flags on a free port, until the test ends at the latest.
func serve(t *testing.T, relay relayServer, flags ...string) *serving {
	t.Helper()
	var cmd serveCmd
	parser, err := kong.New(&cmd, kong.DefaultEnvars("LANDLINE"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(append([]string{"--listen", "127.0.0.1:0"}, flags...)); err != nil {
		t.Fatal(err)
	}
	s := &serving{out: new(output), log: new(output), done: make(chan error, 1)}
	var ctx context.Context
	ctx, s.signal = context.WithCancel(context.Background())
	con := &console{in: strings.NewReader(""), out: s.out, err: s.log, log: newLogger(s.log, "debug")}
	go func() {
		s.done <- cmd.serve(ctx, con, func(relayOptions) (relayServer, error) { return relay, nil })
		close(s.done)
	}()
	t.Cleanup(func() { s.signal(); <-s.done })
	var record struct{ URL string }
	if err := json.Unmarshal([]byte(s.log.line(t, `"msg":"serving"`)), &record); err != nil {
		t.Fatal(err)
	}
	s.url = record.URL
	return s
}

// get asks over a connection of its own.
func get(t *testing.T, url string, transport *http.Transport) (*http.Response, string) {
	t.Helper()
	transport.DisableKeepAlives = true
	defer transport.CloseIdleConnections()
	r, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(body)
}

// A batch is one vectored write on a bare TCP connection only.
func TestPlainConnectionsArriveBare(t *testing.T) {
	kind := make(chan bool, 1)
	relay := &fakeRelay{handler: func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, bare := conn.(*net.TCPConn)
		kind <- bare
		io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	}}
	s := serve(t, relay)
	if s.out.line(t, s.url); strings.HasSuffix(s.url, ":0") { // which waits for it: the log comes first
		t.Errorf("%s is not the real address", s.url)
	}
	get(t, s.url, &http.Transport{})
	if !<-kind {
		t.Error("the handler's connection is not a *net.TCPConn")
	}
}

func TestASignalDrainsWhileHealthIsStillAnswered(t *testing.T) {
	draining, asked := make(chan time.Duration, 1), make(chan struct{})
	relay := &fakeRelay{handler: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		drain: func(ctx context.Context) error {
			end, _ := ctx.Deadline()
			draining <- time.Until(end)
			<-asked
			return nil
		}}
	s := serve(t, relay, "--drain", "1m")
	s.signal()
	if left := <-draining; left < 50*time.Second || left > time.Minute {
		t.Errorf("%v for draining, --drain says 1m", left)
	}
	if r, _ := get(t, s.url+"/healthz", &http.Transport{}); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("healthz while draining: %s", r.Status)
	}
	close(asked)
	if err := <-s.done; err != nil {
		t.Errorf("after draining: %v", err)
	}
	if !relay.closed {
		t.Error("the relay was not closed")
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://")); err == nil {
		conn.Close()
		t.Error("the port is still open")
	}
}

func TestDrainingIsBounded(t *testing.T) {
	relay := &fakeRelay{handler: hello, drain: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	s := serve(t, relay, "--drain", "50ms")
	s.signal()
	if err := <-s.done; err != nil {
		t.Errorf("a drain that was cut short is no failure: %v", err)
	}
	s.log.line(t, "not everyone was gone in time")
}

func TestAPortInUseIsAFailure(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, stderr, code := invoke(t, "serve", "--listen", ln.Addr().String())
	if code != 1 || !strings.Contains(stderr, "address already in use") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

func TestOnlyLoopbackIsServedWithoutKeys(t *testing.T) {
	keys, err := token.ParseKeys([]string{testKey})
	if err != nil {
		t.Fatal(err)
	}
	for listen, exposed := range map[string]bool{
		"127.0.0.1:8080": false, "127.1.2.3:0": false, "[::1]:8080": false, "localhost:8080": false, "[::ffff:127.0.0.1]:80": false,
		":8080": true, "0.0.0.0:8080": true, "[::]:8080": true, "192.0.2.7:80": true, "[2001:db8::1]:80": true, "[::ffff:0.0.0.0]:80": true,
	} {
		_, err := (&serveCmd{Listen: listen}).address(token.Keys{})
		if exposed != (err != nil) {
			t.Errorf("%s without keys: %v", listen, err)
		}
		if err != nil && !(strings.Contains(err.Error(), "--open") && strings.Contains(err.Error(), "LANDLINE_KEYS")) {
			t.Errorf("%s: the reason does not say what to do: %v", listen, err)
		}
		if _, err := (&serveCmd{Listen: listen, Open: true}).address(token.Keys{}); err != nil {
			t.Errorf("%s with --open: %v", listen, err)
		}
		if _, err := (&serveCmd{Listen: listen}).address(keys); err != nil {
			t.Errorf("%s with keys: %v", listen, err)
		}
	}
}

func TestTheAddressToOpen(t *testing.T) {
	for _, c := range []struct {
		cmd  serveCmd
		addr net.TCPAddr
		want string
	}{
		{serveCmd{TLS: "off"}, net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}, "http://127.0.0.1:8080"},
		{serveCmd{TLS: "off"}, net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, "http://192.0.2.1"},
		{serveCmd{TLS: "off"}, net.TCPAddr{IP: net.IPv6loopback, Port: 80}, "http://[::1]"},
		{serveCmd{TLS: "self"}, net.TCPAddr{IP: net.IPv6loopback, Port: 8443}, "https://[::1]:8443"},
		{serveCmd{TLS: "auto", Domain: []string{"call.example.org"}}, net.TCPAddr{IP: net.IPv6zero, Port: 443}, "https://call.example.org"},
		{serveCmd{TLS: "off", TLSCert: "a.pem"}, net.TCPAddr{IP: net.IPv4zero, Port: 443}, "https://" + reachableHost()},
	} {
		if got := c.cmd.url(&c.addr); got != c.want {
			t.Errorf("%v: %s, want %s", c.addr, got, c.want)
		}
	}
}

// A handler's panic is an error in the log; what a peer can do at will is not.
func TestWhatTheLogShows(t *testing.T) {
	relay := &fakeRelay{handler: func(http.ResponseWriter, *http.Request) { panic("out of tune") }}
	s := serve(t, relay, "--key", testKey)
	if r, err := http.Get(s.url); err == nil {
		r.Body.Close()
	}
	if line := s.log.line(t, "out of tune"); !strings.Contains(line, `"level":"ERROR"`) {
		t.Errorf("a panic is logged as %s", line)
	}
	if !strings.Contains(s.log.String(), `"keys":"keys[main]"`) || strings.Contains(s.log.String()+s.out.String(), "hunter2") {
		t.Errorf("the log names no key, or shows its secret: %s", s.log.String())
	}
}

func TestConnectionsThatNeverUpgradeAreCapped(t *testing.T) {
	var log output
	limit := &pending{max: 2, log: newLogger(&log, "info")}
	upgraded := make(chan net.Conn, 1)
	server := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		upgraded <- conn
	}), nil, newLogger(&log, "info"))
	server.ConnState = limit.observe
	ln, err := listen(t.Context(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- server.Serve(ln) }()
	defer func() { server.Close(); <-done }()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	upgrade := func(conn net.Conn) {
		t.Helper()
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		select {
		case conn := <-upgraded:
			t.Cleanup(func() { conn.Close() })
		case <-time.After(10 * time.Second):
			t.Fatal("a connection within the cap was not served")
		}
	}
	first, _, third := dial(), dial(), dial()
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("the third of two connections was kept")
	}
	log.line(t, "over the cap")
	upgrade(first)
	until(t, "the first and the third to be forgotten", func() bool { return limit.open.Load() == 1 })
	upgrade(dial())
}
