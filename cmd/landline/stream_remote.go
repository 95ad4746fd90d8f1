package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
)

// remote is a file on a web server, read from its beginning with Read, or here and there with ReadAt where the server gives
// parts of files (RFC 9110 section 14). What breaks on the way is asked for again from where it broke.
type remote struct {
	ctx    context.Context
	cancel context.CancelFunc
	client *http.Client
	from   *url.URL
	size   int64  // -1: unknown
	parts  bool   // the server gives parts
	tag    string // by which the server knows that the file is still the same; "" where it gives none

	mu     sync.Mutex
	body   io.ReadCloser
	halt   context.CancelFunc // of the request of body
	at     int64              // where body is
	pos    int64              // where Read is
	over   bool               // a file of unknown size has ended
	blocks map[int64][]byte
	recent []int64 // the blocks, the one used last at the end
}

const (
	remoteBlock  = 256 << 10
	remoteBlocks = 64               // that are kept
	remoteStall  = 30 * time.Second // without a byte, a request has failed
)

// remotePauses is how long to wait before asking again; what goes on then begins anew.
var remotePauses = []time.Duration{200 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// finalError is one that asking again does not mend.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

func isAddress(path string) bool {
	lower := strings.ToLower(path)
	return strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
}

// addressName is the last part of an address: how a person knows it.
func addressName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the address"
	}
	if base := path.Base(u.Path); base != "/" && base != "." {
		return base
	}
	return u.Host
}

// openRemote asks for a file. Close gives it up.
func openRemote(ctx context.Context, address string) (*remote, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("no address of a file: want http://host/path")
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: remoteStall, DisableCompression: true}
	f := &remote{client: &http.Client{Transport: transport}, from: u, size: -1, blocks: map[int64][]byte{}}
	f.ctx, f.cancel = context.WithCancel(ctx)
	if err := f.request(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close implements io.Closer. A Read that waits ends.
func (f *remote) Close() error {
	f.cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop()
	f.client.CloseIdleConnections()
	return nil
}

func (f *remote) drop() {
	if f.body != nil {
		f.halt()
		f.body.Close()
		f.body = nil
	}
}

// request opens body where at is.
func (f *remote) request() error {
	ctx, halt := context.WithCancel(f.ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.from.String(), nil)
	if err != nil {
		halt()
		return finalError{err}
	}
	req.Header.Set("User-Agent", "landline/"+readBuild().Version)
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-", f.at))
	if f.at > 0 && f.tag != "" {
		req.Header.Set("If-Range", f.tag)
	}
	resp, err := f.client.Do(req)
	if err == nil {
		if err = f.answered(resp); err != nil {
			resp.Body.Close()
		}
	}
	if err != nil {
		halt()
		var wrapped *url.Error // it repeats the address, which may hold a secret
		if errors.As(err, &wrapped) {
			return wrapped.Err
		}
		return err
	}
	f.body, f.halt = resp.Body, halt
	return nil
}

// answered looks at the head of an answer, and at the first one keeps what it says of the file.
func (f *remote) answered(resp *http.Response) error {
	first := f.at == 0 && f.size < 0 && f.tag == ""
	switch {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && f.at == 0:
		return finalError{errors.New("it is empty")}
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("the server says %q", resp.Status)
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent:
		return finalError{fmt.Errorf("the server says %q", resp.Status)}
	case first:
		return f.learn(resp)
	case resp.StatusCode == http.StatusOK && f.at > 0:
		return finalError{errors.New("the file has changed on the server meanwhile")}
	case resp.StatusCode == http.StatusPartialContent:
		if from, size := contentRange(resp); from != f.at || size != f.size {
			return finalError{errors.New("the server gives another part than it was asked for")}
		}
	}
	return nil
}

// learn takes from the first answer what kind of file it is.
func (f *remote) learn(resp *http.Response) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch kind {
	case "text/html", "application/xhtml+xml":
		return finalError{errors.New("it is a web page: give the address of the media file itself")}
	case "application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl", "application/dash+xml":
		return finalError{errors.New("it is a playlist: give the address of the media file itself")}
	}
	f.size = resp.ContentLength
	if resp.StatusCode == http.StatusPartialContent {
		from, size := contentRange(resp)
		if from != 0 {
			return finalError{errors.New("the server gives another part than it was asked for")}
		}
		f.size, f.parts = size, size >= 0
	}
	if f.tag = resp.Header.Get("ETag"); f.tag == "" || strings.HasPrefix(f.tag, "W/") {
		f.tag = resp.Header.Get("Last-Modified")
	}
	return nil
}

// contentRange reads "bytes FROM-TO/SIZE" (RFC 9110 section 14.4); -1 stands for what is not said.
func contentRange(resp *http.Response) (from, size int64) {
	var to int64
	if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &size); err != nil {
		return from, -1
	}
	return from, size
}

// lend serves the file to ffmpeg, which reads it here and there, at an address that nobody can guess. That way certificates, redirects
// and broken connections are dealt with in one place.
func (f *remote) lend() (address string, stop io.Closer, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	secret := "/" + rand.Text()
	srv := &http.Server{ReadHeaderTimeout: remoteStall, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != secret {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(f, 0, f.size))
	})}
	go func() { _ = srv.Serve(ln) }() // until it is closed
	return "http://" + ln.Addr().String() + secret, srv, nil
}
