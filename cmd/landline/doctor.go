package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
)

type doctorCmd struct {
	connectFlags
	Room string `group:"connect" help:"Room to look from, where a token is for that one alone: its members see others come and go. Default: a room of its own."`
}

// Help is the longer text of --help.
func (c *doctorCmd) Help() string {
	return `Looks from this machine at what a call would meet: whether the relay answers, whether a WebSocket opens and binary frames pass it whole,
whether UDP passes, how long a message is on its way, and whether the clocks agree. Ends with 1 where no call would work.

    landline doctor --url https://call.example.com`
}

// finding is what one look has found.
type finding struct {
	Check string  `json:"check"`
	State state   `json:"state"`
	Ms    float64 `json:"ms,omitempty"` // how long it took
	Text  string  `json:"text"`
}

type state string

// The states of a finding.
const (
	stateOK      state = "ok"
	stateFailed  state = "failed"
	stateSkipped state = "skipped" // it could not be looked at, or the relay does not have it
)

type doctorReport struct {
	URL      string     `json:"url"`
	Works    bool       `json:"works"`
	Verdict  string     `json:"verdict"`
	Findings []*finding `json:"findings"`
}

// Run implements the command.
func (c *doctorCmd) Run(ctx context.Context, con *console) error {
	if c.Room == "" {
		c.Room = "doctor-" + rand.Text()
	}
	if err := signaling.CheckRoom(c.Room); err != nil {
		return usagef("--room: %w", err)
	}
	report := &doctorReport{URL: c.URL}
	look := &examination{cmd: c, show: func(f *finding) {
		report.Findings = append(report.Findings, f)
		if !c.JSON {
			fmt.Fprintf(con.out, "%-8s %-10s %s\n", f.State, f.Check, f.Text)
		}
	}}
	look.all(ctx)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	report.Works, report.Verdict = verdict(report.Findings)
	if c.JSON {
		if err := writeJSON(con.out, report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(con.out, "\n%s\n", report.Verdict)
	}
	if !report.Works {
		return errors.New("no call works from here")
	}
	return nil
}

// verdict says in plain words what will work.
func verdict(list []*finding) (works bool, text string) {
	is := map[string]state{}
	for _, f := range list {
		is[f.Check] = f.State
	}
	switch {
	case is["HTTP"] == stateFailed:
		return false, "No call works from here: the relay is not reached."
	case is["WebSocket"] != stateOK:
		return false, "No call works from here: the relay is reached, but no WebSocket can be opened to it."
	case is["binary"] == stateFailed:
		return false, "No call works from here: a WebSocket opens, but what is between does not pass its binary messages whole."
	case is["UDP"] == stateOK:
		return true, "Calls work from here, over the WebSocket and over WebRTC."
	case is["ICE-TCP"] == stateOK:
		return true, "Calls work from here, over the WebSocket. UDP does not pass: WebRTC connects by TCP, which is no better."
	case is["UDP"] == stateFailed:
		return true, "Calls work from here, over the WebSocket. UDP does not pass, so WebRTC does not connect."
	}
	return true, "Calls work from here, over the WebSocket."
}

// How long each look may take.
const (
	doctorHTTP   = 10 * time.Second
	doctorJoin   = 10 * time.Second
	doctorBinary = 30 * time.Second
	doctorChat   = 5 * time.Second
	doctorRTC    = 8 * time.Second
)

// examination is one run of all looks.
type examination struct {
	cmd  *doctorCmd
	show func(*finding)
}

func (x *examination) all(ctx context.Context) {
	if !x.web(ctx) {
		return
	}
	if x.rooms(ctx) {
		x.webRTC(ctx, "UDP", false)
		x.webRTC(ctx, "ICE-TCP", true)
	}
}

// note shows a finding; began zero leaves out how long it took.
func (x *examination) note(check string, s state, began time.Time, format string, args ...any) {
	f := &finding{Check: check, State: s, Text: strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")}
	if !began.IsZero() {
		f.Ms = milliseconds(time.Since(began))
	}
	x.show(f)
}

// web asks for /healthz.
func (x *examination) web(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, doctorHTTP)
	defer cancel()
	address, err := relayURL(x.cmd.URL, "healthz")
	began := time.Now()
	var resp *http.Response
	if err == nil {
		var req *http.Request
		if req, err = http.NewRequestWithContext(ctx, http.MethodGet, address, nil); err == nil {
			req.Close = true // nothing else is asked
			resp, err = http.DefaultClient.Do(req)
		}
	}
	if err != nil {
		x.note("HTTP", stateFailed, began, "%v", err)
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // only the status counts
	if resp.StatusCode != http.StatusOK {
		x.note("HTTP", stateFailed, began, "%s answers %s", address, resp.Status)
		return false
	}
	x.note("HTTP", stateOK, began, "%s answers %s", address, resp.Status)
	return true
}

// rooms looks at all that goes over a WebSocket, and reports whether one opened. A token stands for one member: with it, nobody else can
// be there who receives.
func (x *examination) rooms(ctx context.Context) bool {
	began := time.Now()
	here := newMirror()
	room, err := x.join(ctx, "doctor", client.Options{OnEvent: here.event, MaxAge: doctorBinary, ChunkSize: media.MaxChunkPayload})
	if err != nil {
		x.note("WebSocket", stateFailed, began, "%v", err)
		return false
	}
	defer room.Close()
	x.note("WebSocket", stateOK, began, "a member is in a room after %.0f ms", milliseconds(time.Since(began)))
	var frames chan media.Frame
	if x.cmd.Token == "" {
		frames = make(chan media.Frame, 1)
		other, err := x.join(ctx, "doctor's other end", client.Options{Subscribe: []signaling.Subscribe{{MaxAgeMs: doctorBinary.Milliseconds()}},
			OnFrame: func(_ *client.Incoming, f client.Frame) {
				select {
				case frames <- f.Frame:
				default: // one is enough
				}
			}})
		if err != nil {
			x.note("binary", stateFailed, began, "a second WebSocket did not open: %v", err)
			return true
		}
		defer other.Close()
	}
	x.binary(ctx, room, frames)
	x.latency(ctx, room, here)
	return true
}

func (x *examination) join(ctx context.Context, name string, o client.Options) (*client.Room, error) {
	ctx, cancel := context.WithTimeout(ctx, doctorJoin)
	defer cancel()
	o.URL, o.Room, o.Token, o.Name = x.cmd.URL, x.cmd.Room, x.cmd.Token, name
	o.Agent, o.GiveUp, o.Logger = "landline-doctor/"+readBuild().Version, -1, slog.New(slog.DiscardHandler)
	return client.Dial(ctx, o)
}
