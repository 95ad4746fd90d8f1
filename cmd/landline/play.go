package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"landline/relay/play"
	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/server"
)

type playCmd struct {
	connectFlags
	addFlags
	What   []string `arg:"" optional:"" name:"id|file" help:"Recordings, as landline recordings names them, or media files, which are added to them; one after another. Without it, what is played in the room is changed."`
	Room   string   `required:"" group:"connect" help:"Room to play it in."`
	At     *span    `placeholder:"TIME" help:"Begin there, or go there: to the key frame before it."`
	Loop   *bool    `negatable:"" help:"Begin anew at the end."`
	Pause  bool     `help:"Stand still, also from the beginning." xor:"do"`
	Resume bool     `help:"Go on after a pause." xor:"do"`
	Next   bool     `help:"Go to what is to be played behind it." xor:"do"`
	Stop   bool     `help:"End it." xor:"do"`
}

// Help is the longer text of --help.
func (c *playCmd) Help() string {
	return `The relay plays: those who were recorded are in the room again, everybody sees the same at the same time, and this waits for the end and shows the
position. Interrupted, it ends what is played. Without a recording it changes what is played there, and ends at once:

    landline play 20251121-044000-kitchen-5f0c21ab --room kitchen
    landline play film.mp4 other.webm --room kitchen
    landline play --room kitchen --at 1m30s --pause
    landline play --room kitchen --resume
    landline play --room kitchen --next
    landline play --room kitchen --stop

A relay with keys wants a token that grants record in the room, and in the one that was recorded; one without answers its own machine.
landline stream plays a file from here, and adds it to nothing.`
}

// playLook is how often the player is looked at.
const playLook = 500 * time.Millisecond

// Run implements the command.
func (c *playCmd) Run(ctx context.Context, con *console) error {
	if err := signaling.CheckRoom(c.Room); err != nil {
		return usagef("--room: %w", err)
	}
	if len(c.What) == 0 {
		return c.change(ctx, con)
	}
	if c.Resume || c.Next || c.Stop {
		return usagef("--resume, --next and --stop are for what is played already: leave out the recording")
	}
	ids, err := c.addAll(ctx, con)
	if err != nil {
		return err
	}
	order := server.PlayRequest{Recording: ids[0], Next: ids[1:], Paused: c.Pause, Loop: c.Loop != nil && *c.Loop}
	if c.At != nil {
		order.PositionMs = c.At.duration().Milliseconds()
	}
	var state signaling.Playback
	if err := c.ask(ctx, http.MethodPut, order, &state); err != nil {
		return err
	}
	con.log.Info("playing", "room", c.Room, "recording", ids[0], "length", clockText(time.Duration(state.LengthMs)*time.Millisecond))
	if state, err = c.follow(ctx, con, state); err != nil {
		return err
	}
	return c.print(con, state)
}

// addAll gives the recordings that are meant: files are added to them before anything is played.
func (c *playCmd) addAll(ctx context.Context, con *console) (ids []string, err error) {
	for _, what := range c.What {
		if record.RoomOf(what) == "" {
			info, err := c.add(ctx, con, &c.connectFlags, what, c.Room)
			if err != nil {
				return nil, err
			}
			what = info.ID
			con.log.Info("added to the recordings", "recording", what)
		}
		ids = append(ids, what)
	}
	return ids, nil
}

func (c *playCmd) ask(ctx context.Context, method string, body, into any) error {
	return relayAPI{&c.connectFlags, "playback"}.do(ctx, method, "/"+c.Room, body, into)
}

// change changes what is played.
func (c *playCmd) change(ctx context.Context, con *console) error {
	if c.Stop {
		return c.ask(ctx, http.MethodDelete, nil, nil)
	}
	order := server.PlayChange{Loop: c.Loop, Skip: c.Next}
	if c.At != nil {
		ms := c.At.duration().Milliseconds()
		order.PositionMs = &ms
	}
	if c.Pause || c.Resume {
		order.Playing = &c.Resume
	}
	if order == (server.PlayChange{}) {
		return usagef("say which recording to play, or what to change: --at, --pause, --resume, --loop, --next, --stop")
	}
	var state signaling.Playback
	if err := c.ask(ctx, http.MethodPatch, order, &state); err != nil {
		return err
	}
	return c.print(con, state)
}

// nextWait is how long what is to be played behind it may take to begin.
const nextWait = 5 * playLook

// follow waits until it and what is played behind it are over, or somebody has another recording played, and returns the last state that was seen. An
// interruption ends it.
func (c *playCmd) follow(ctx context.Context, con *console, state signaling.Playback) (signaling.Playback, error) {
	var seen atomic.Pointer[signaling.Playback]
	seen.Store(&state)
	shown := startProgress(con, func() string { return positionText(*seen.Load()) })
	defer shown.stop()
	tick := time.NewTicker(playLook)
	defer tick.Stop()
	heard := time.Now()
	for {
		select {
		case <-ctx.Done():
			err := c.ask(context.WithoutCancel(ctx), http.MethodDelete, nil, nil)
			if errors.Is(err, play.ErrNothing) {
				err = nil // it was over
			}
			return *seen.Load(), err
		case <-tick.C:
		}
		var now signaling.Playback
		switch err := c.ask(ctx, http.MethodGet, nil, &now); {
		case errors.Is(err, play.ErrNothing) && len(seen.Load().Next) > 0 && time.Since(heard) < nextWait:
		case errors.Is(err, play.ErrNothing) || err == nil && !sameOrNext(*seen.Load(), now):
			last := *seen.Load()
			last.Playing, last.Over = false, true
			return last, nil
		case err != nil && ctx.Err() == nil && time.Since(heard) > recordGone:
			return *seen.Load(), err
		case err == nil:
			heard = time.Now()
			seen.Store(&now)
		}
	}
}

// sameOrNext reports whether what is played now is what was played before, whose members are of one player alone, or what was to come behind it.
func sameOrNext(before, now signaling.Playback) bool {
	return slices.Equal(now.Members, before.Members) || slices.Contains(before.Next, now.Recording)
}

func (c *playCmd) print(con *console, state signaling.Playback) error {
	if c.JSON {
		return writeJSON(con.out, state)
	}
	_, err := fmt.Fprintln(con.out, positionText(state))
	return err
}

// positionText shows where a player is.
func positionText(p signaling.Playback) string {
	what := "paused"
	switch {
	case p.Over:
		what = "over"
	case p.Playing:
		what = "playing"
	}
	more := ""
	if n := len(p.Next); n > 0 && !p.Over {
		more = fmt.Sprintf("  %d more", n)
	}
	return fmt.Sprintf("%s  %s of %s%s", what, clockText(time.Duration(p.PositionMs)*time.Millisecond), clockText(time.Duration(p.LengthMs)*time.Millisecond), more)
}
