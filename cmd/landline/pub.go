package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"landline/signaling"
	"landline/signaling/client"
)

// topicFlags name a topic.
type topicFlags struct {
	roomFlags
	Topic string `required:"" group:"connect" help:"Topic of the room."`
	Mode  string `enum:"latest,ordered,lossy" default:"latest" group:"connect" help:"latest: the newest value of each key, never a backlog; ordered: every value, in order; lossy: values of the last 200 ms."`
}

func (f *topicFlags) check() error {
	if err := f.roomFlags.check(); err != nil {
		return err
	}
	if err := signaling.CheckTopic(f.Topic, f.Mode); err != nil {
		return usagef("--topic: %w", err)
	}
	return nil
}

type pubCmd struct {
	topicFlags
	Key    string   `help:"Key of the values; - takes it from the beginning of each line: KEY VALUE."`
	Values []string `arg:"" optional:"" name:"value" help:"Values: JSON, or else taken as text; null says that the key is gone. Without any, one per line of standard input."`
}

// Help is the longer text of --help.
func (c *pubCmd) Help() string {
	return `Examples:

    landline pub --room bar --topic quotes --key AAPL 187.3
    feed | landline pub --room bar --topic quotes --key -        # each line: KEY VALUE
    landline pub --room bar --topic log --mode ordered "it begins"

It ends when the relay has everything. Topics live as long as their room: as long as somebody is in it.`
}

// published is what --json tells.
type published struct {
	Values     int `json:"values"`
	Reconnects int `json:"reconnects"`
}

// maxLine bounds a line of standard input: a key, a blank and a value.
const maxLine = signaling.MaxKey + 1 + signaling.MaxValue

// flushTime bounds how long the relay may take for the last of it.
const flushTime = 30 * time.Second

// Run implements the command.
func (c *pubCmd) Run(ctx context.Context, con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Key == "-" && len(c.Values) > 0 {
		return usagef("--key - reads standard input: leave out the values")
	}
	room, err := client.Dial(ctx, c.options(con))
	if err != nil {
		return err
	}
	defer room.Close()
	report, err := c.publish(ctx, room, con.in)
	if err == nil {
		err = flush(ctx, room)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		report.Reconnects = room.Reconnects()
		return writeJSON(con.out, report)
	}
	return nil
}

// publish puts the arguments, or what standard input says.
func (c *pubCmd) publish(ctx context.Context, room *client.Room, in io.Reader) (report published, err error) {
	put := func(key, text string) error {
		report.Values++
		return room.Put(ctx, c.Topic, c.Mode, key, valueOf(text))
	}
	for _, v := range c.Values {
		if err := put(c.Key, v); err != nil {
			return report, err
		}
	}
	if len(c.Values) > 0 {
		return report, nil
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		key, text := c.Key, lines.Text()
		if key == "-" {
			var found bool
			if key, text, found = strings.Cut(text, " "); !found {
				return report, fmt.Errorf("line %d has no value behind its key: %q", report.Values+1, lines.Text())
			}
		}
		if err := put(key, text); err != nil {
			return report, err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return report, fmt.Errorf("line %d has over %d bytes", report.Values+1, maxLine)
	}
	return report, lines.Err()
}

// valueOf takes text as JSON, and else as a string.
func valueOf(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(strings.TrimSpace(text))
	}
	quoted, _ := json.Marshal(text) // a string has a form
	return quoted
}

func flush(ctx context.Context, room *client.Room) error {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	err := room.Flush(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the relay did not take all of it within %v", flushTime)
	}
	return err
}
