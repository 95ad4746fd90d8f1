package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"landline/signaling/server"
)

// relay is the one under load, as its HTTP resources show it.
type relay struct {
	base  *url.URL
	token string
	http  *http.Client
}

func newRelay(c *Config) (*relay, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "ws", "http":
		u.Scheme = "http"
	case "wss", "https":
		u.Scheme = "https"
	default:
		return nil, fmt.Errorf("%q: want http, https, ws or wss", c.URL)
	}
	if u.Host == "" {
		return nil, fmt.Errorf("%q has no host", c.URL)
	}
	u.Path, u.RawQuery, u.Fragment = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/ws"), "", ""
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: c.Insecure}}
	return &relay{base: u, token: c.Token, http: &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

// address resolves the relay's name once for all members.
func (r *relay) address(ctx context.Context, insecure bool) (address, error) {
	port := r.base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[r.base.Scheme]
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", r.base.Hostname())
	if err != nil {
		return address{}, err
	}
	return address{Dial: net.JoinHostPort(ips[0].Unmap().String(), port), Host: r.base.Host, Path: r.base.Path + "/ws",
		TLS: r.base.Scheme == "https", Insecure: insecure}, nil
}

func (r *relay) get(ctx context.Context, path string) (io.ReadCloser, error) {
	u := *r.base
	u.Path += path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return nil, noRelay(r.base, err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp.Body, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		err = errors.New("the relay has keys: give one with --key, or a token of room * that grants admin with --token (see landline token --help)")
	default:
		err = fmt.Errorf("%s answers %s: is it a Landline relay?", u.String(), resp.Status)
	}
	resp.Body.Close()
	return nil, err
}

// noRelay says what is most likely wrong when there is no connection.
func noRelay(base *url.URL, err error) error {
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return fmt.Errorf("%s has a certificate that this machine does not trust (%w): --insecure takes any", base, cert.Err)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("no relay answers at %s (%w): start one with landline serve, or give its address with --url", base, op.Err)
	}
	return err
}

// figures are those of /metrics that the bench uses.
type figures struct {
	at       time.Time
	cpu      float64 // seconds of the process: user and system
	rss      float64 // bytes
	panics   float64
	asked    float64 // key-frame requests passed on
	drops    map[string]float64
	out      map[string]float64 // media bytes, by path
	sessions float64
	webRTC   bool // the relay has it
}

// figures reads /metrics.
//
// process_cpu_seconds_total comes from /proc, in steps of 10 ms. The kernel counts exactly and rounds only what it
// tells, so the error of a difference is at most one step however long the stretch: at 40,000 frames of 5 µs each a
// second, a slice of 2 s is 400 ms, and a step 2.5 % of it, in the median of five less. Short runs with few members
// are coarse: Report.CPUStep tells how much.
func (r *relay) figures(ctx context.Context) (*figures, error) {
	body, err := r.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	f := &figures{at: time.Now(), drops: map[string]float64{}, out: map[string]float64{}}
	single := map[string]*float64{"process_cpu_seconds_total": &f.cpu, "process_resident_memory_bytes": &f.rss,
		"landline_panics_total": &f.panics, "landline_keyframe_requests_total": &f.asked, "landline_sessions": &f.sessions}
	seen := 0
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue
		}
		if to := single[name]; to != nil {
			*to = value
			seen++
		}
		if why, ok := strings.CutPrefix(name, `landline_frames_dropped_total{reason="`); ok {
			f.drops[strings.TrimSuffix(why, `"}`)] = value
		}
		if path, ok := strings.CutPrefix(name, `landline_media_bytes_out_total{path="`); ok {
			f.out[strings.TrimSuffix(path, `"}`)] = value
		}
		f.webRTC = f.webRTC || name == "landline_webrtc_connections"
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if seen < len(single) {
		return nil, fmt.Errorf("%s/metrics is not that of a Landline relay of this version", r.base)
	}
	return f, nil
}

// rooms reads /api/rooms.
func (r *relay) rooms(ctx context.Context) (*server.RoomsReply, error) {
	body, err := r.get(ctx, "/api/rooms")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var reply server.RoomsReply
	if err := json.NewDecoder(body).Decode(&reply); err != nil {
		return nil, fmt.Errorf("%s/api/rooms: %w", r.base, err)
	}
	return &reply, nil
}
