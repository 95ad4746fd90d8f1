package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/server"
)

type recordCmd struct {
	connectFlags
	Room   string `required:"" group:"connect" help:"Room to record."`
	For    span   `placeholder:"TIME" help:"End so long after the beginning."`
	Member string `placeholder:"NAME" help:"Record the members of this name only."`

	PerMember bool `help:"Write a file of each member as well, beside that of the room."`
}

// Help is the longer text of --help.
func (c *recordCmd) Help() string {
	return `The relay records, into the folder of its --recordings; this asks it to, waits, and ends the recording at the end. It ends early when the
room empties. A relay with keys wants a token that grants record:

    landline record --room kitchen --for 1h
    landline record --room kitchen --per-member
    landline record --room kitchen --token "$(landline token --room kitchen --identity rec --grant record)"`
}

// How the recording is followed.
const (
	recordLook = 200 * time.Millisecond
	recordEnd  = 15 * time.Second // for the relay to complete the files
	recordGone = 10 * time.Second // so long a relay may not answer
)

// Run implements the command.
func (c *recordCmd) Run(ctx context.Context, con *console) error {
	if err := signaling.CheckRoom(c.Room); err != nil {
		return usagef("--room: %w", err)
	}
	if err := signaling.CheckName(c.Member); err != nil {
		return usagef("--member: %w", err)
	}
	api := relayAPI{&c.connectFlags, "recordings"}
	info, err := api.start(ctx, server.RecordRequest{Room: c.Room, Member: c.Member, PerMember: c.PerMember})
	if err != nil {
		return err
	}
	con.log.Info("recording", "room", c.Room, "recording", info.ID)
	if info, err = c.follow(ctx, con, api, info); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(con.out, info)
	}
	for _, f := range info.Files {
		fmt.Fprintln(con.out, fileText(f.Name, f.DurationMs, f.Bytes))
	}
	for _, f := range info.Members {
		fmt.Fprintf(con.out, "%s  %s\n", fileText(f.Name, f.DurationMs, f.Bytes), f.MemberName)
	}
	return nil
}

func fileText(name string, durationMs, bytes int64) string {
	return fmt.Sprintf("%s  %s  %.1f MB", name, clockText(time.Duration(durationMs)*time.Millisecond), float64(bytes)/1e6)
}

// follow waits for the end, which it brings about when it is time or ctx ends.
func (c *recordCmd) follow(ctx context.Context, con *console, api relayAPI, info record.Info) (record.Info, error) {
	began, heard := time.Now(), time.Now()
	var ending time.Time
	stop := ctx.Done()
	after := context.WithoutCancel(ctx)
	tick := time.NewTicker(recordLook)
	defer tick.Stop()
	for state := ""; ; {
		now := time.Now()
		got, err := api.get(after, info.ID)
		switch {
		case errors.Is(err, errNoRecording):
			return info, errors.New("nothing was sent, and nothing is recorded")
		case err != nil && now.Sub(heard) > recordGone:
			return info, err
		case err == nil:
			if info, heard = got, now; info.State != state {
				state = info.State
				con.log.Info("the recording is "+state, "recording", info.ID, "why", info.Why)
			}
		}
		switch info.State {
		case record.StateSaved:
			return info, nil
		case record.StateFailed:
			return info, fmt.Errorf("the recording has failed: %s", info.Why)
		}
		due := c.For > 0 && now.Sub(began) >= c.For.duration()
		if ending.IsZero() && (due || ctx.Err() != nil) && api.stop(after, info.ID) == nil {
			ending, stop = now, nil
		}
		if !ending.IsZero() && now.Sub(ending) > recordEnd {
			return info, errors.New("the relay has not completed the recording in time")
		}
		select {
		case <-tick.C:
		case <-stop:
			stop = nil
		}
	}
}

var errNoRecording = errors.New("there is no such recording")

// start begins a recording.
func (a relayAPI) start(ctx context.Context, r server.RecordRequest) (info record.Info, err error) {
	return info, a.do(ctx, http.MethodPost, "", r, &info)
}

func (a relayAPI) get(ctx context.Context, id string) (info record.Info, err error) {
	return info, a.do(ctx, http.MethodGet, "/"+id, nil, &info)
}

func (a relayAPI) stop(ctx context.Context, id string) error {
	return a.do(ctx, http.MethodPost, "/"+id+"/stop", nil, nil)
}
