package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"landline/signaling"
	"landline/signaling/client"
)

type subCmd struct {
	topicFlags
	Key      string        `help:"Tell of this key only."`
	Duration time.Duration `help:"How long to listen; 0: until interrupted."`
}

// Help is the longer text of --help.
func (c *subCmd) Help() string {
	return `It writes what the topic holds, and then what comes, a line each: the key and the value. --json writes one object
for each line instead: {"key", "value", "seq", "at", "by"}; at is the relay's time in µs since 1970.`
}

// told is one line of --json.
type told struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
	Seq   uint64          `json:"seq"`
	At    int64           `json:"at"`
	By    string          `json:"by"`
}

// Run implements the command.
func (c *subCmd) Run(ctx context.Context, con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Duration < 0 {
		return usagef("--duration %v is negative", c.Duration)
	}
	ctx, refused := context.WithCancelCause(ctx)
	defer refused(nil)
	o := c.options(con)
	o.OnEvent = func(msg any) {
		if e, ok := msg.(*signaling.Error); ok {
			refused(fmt.Errorf("the relay refuses it: %s: %s", e.Code, e.Text))
		}
	}
	room, err := client.Dial(ctx, o)
	if err != nil {
		return err
	}
	defer room.Close()
	out := bufio.NewWriter(con.out)
	err = room.Follow(c.Topic, c.Mode, func(d *signaling.Data) {
		if d.Missed > 0 {
			con.log.Warn("values were gone before they could be told", "missed", d.Missed)
		}
		if err := errors.Join(c.write(out, d.Values), out.Flush()); err != nil {
			refused(err)
		}
	})
	if err != nil {
		return err
	}
	return c.listen(ctx, room)
}

// listen waits until it is over.
func (c *subCmd) listen(ctx context.Context, room *client.Room) error {
	var over <-chan time.Time
	if c.Duration > 0 {
		over = time.After(c.Duration)
	}
	select {
	case <-over:
	case <-ctx.Done():
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			return cause
		}
	case <-room.Done():
		return room.Err()
	}
	return nil
}

func (c *subCmd) write(out *bufio.Writer, values []signaling.Value) error {
	for _, v := range values {
		if c.Key != "" && v.Key != c.Key {
			continue
		}
		if c.JSON {
			if err := writeJSON(out, told{v.Key, v.Value, v.Seq, v.AtUs, v.By}); err != nil {
				return err
			}
			continue
		}
		if v.Key != "" {
			fmt.Fprint(out, v.Key, " ") // its error stays with out
		}
		fmt.Fprintln(out, plain(v.Value))
	}
	return nil
}

// plain shows text without quotes.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
