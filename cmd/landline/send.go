package main

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"

	"landline/signaling"
	"landline/signaling/client"
)

type sendCmd struct {
	roomFlags
	File string `arg:"" placeholder:"FILE" help:"File to send."`
	To   string `placeholder:"NAME" help:"Send it to members of this name alone; without it, to everybody who takes it."`
	Wait span   `default:"30s" placeholder:"TIME" help:"How long to wait for somebody who takes it."`
}

// Help is the longer text of --help.
func (c *sendCmd) Help() string {
	return `The file is offered to the members of the room, and to those who come meanwhile: people accept it in the chat of their page, landline
receive by itself. Each takes it at its own pace; what goes on in the room comes first on every link. It ends when all who took it have it
and have compared its hash; who has not answered is waited for as long as --wait says. It goes on by itself after a lost connection, also
when the relay was started anew.

    landline receive inbox --room kitchen --count 1       # on the other side
    landline send plan.pdf --room kitchen --to Bob`
}

// Run implements the command.
func (c *sendCmd) Run(ctx context.Context, con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := signaling.CheckName(c.To); err != nil {
		return usagef("--to: %w", err)
	}
	if c.Name == "" {
		c.Name = "send"
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file: pack a folder first, for instance with tar", c.File)
	}
	if err := signaling.CheckObjectName(info.Name()); err != nil {
		return fmt.Errorf("%w: send it under another name", err)
	}
	object := client.Object{Name: info.Name(), MIME: mime.TypeByExtension(filepath.Ext(c.File)), Size: uint64(info.Size()), Source: f,
		Wait: c.Wait.duration(), To: func(m signaling.Member) bool { return c.To == "" || m.Name == c.To }}
	return c.send(ctx, con, object)
}

// send offers the object and waits for its end.
func (c *sendCmd) send(ctx context.Context, con *console, object client.Object) error {
	began := time.Now()
	room, err := client.Dial(ctx, c.options(con))
	if err != nil {
		return err
	}
	defer room.Close()
	s, err := room.Offer(object)
	if err != nil {
		return err
	}
	con.log.Info("offered", "room", c.Room, "member", room.Self(), "file", object.Name, "bytes", object.Size)
	var rate rateMeter
	bar := startProgress(con, func() string { return sendingText(s.Receivers(), object.Size, &rate) })
	err = s.Wait(ctx)
	bar.stop()
	report := c.reportOf(room, s, object, time.Since(began))
	if ctx.Err() != nil {
		err = errors.New("interrupted: nobody gets the rest; send it again")
	}
	if err == nil {
		err = c.outcome(report.Receivers)
	}
	if err != nil {
		report.Error = err.Error()
	}
	if !c.JSON {
		con.log.Info("sent", "file", object.Name, "bytes", object.Size, "sha256", report.SHA256, "receivers", report.Receivers, "reconnects", report.Reconnects)
		return err
	}
	return errors.Join(err, writeJSON(con.out, report))
}

// outcome is the error of a sending that somebody did not get, or nobody did.
func (c *sendCmd) outcome(list []sentTo) error {
	got := 0
	var failed []string
	for _, r := range list {
		switch {
		case r.Result == client.StateReceived:
			got++
		case r.accepted || r.Result == client.StateRefused:
			failed = append(failed, strings.TrimSuffix(fmt.Sprintf("%s: %s, %s", r.Name, r.Result, r.Why), ", "))
		}
	}
	switch {
	case len(failed) > 0:
		return fmt.Errorf("%d of %d receivers did not get it (%s): send it again", len(failed), got+len(failed), strings.Join(failed, "; "))
	case got == 0 && c.To != "":
		return fmt.Errorf("no member called %s took it within %v: accept it in the page there or start landline receive, or give --wait more time", c.To, c.Wait.duration())
	case got == 0:
		return fmt.Errorf("nobody took it within %v: accept it in a page of room %s or start landline receive there, or give --wait more time", c.Wait.duration(), c.Room)
	}
	return nil
}

// sendReport is what send --json writes.
type sendReport struct {
	Room       string   `json:"room"`
	Member     string   `json:"member"`
	File       string   `json:"file"`
	Bytes      uint64   `json:"bytes"`
	SHA256     string   `json:"sha256"`
	Receivers  []sentTo `json:"receivers"`
	Seconds    float64  `json:"seconds"`
	Reconnects int      `json:"reconnects"`
	Error      string   `json:"error,omitempty"`
}

// sentTo is one receiver: Result is received, offered (it has not answered), refused (by the relay), or the reason of a cancel.
type sentTo struct {
	Member   string `json:"member"`
	Name     string `json:"name"`
	Result   string `json:"result"`
	Bytes    uint64 `json:"bytes"`
	Why      string `json:"why,omitempty"`
	accepted bool
}

func (c *sendCmd) reportOf(room *client.Room, s *client.Sending, o client.Object, took time.Duration) sendReport {
	r := sendReport{Room: c.Room, Member: room.Self(), File: o.Name, Bytes: o.Size, SHA256: s.SHA256(), Receivers: []sentTo{},
		Seconds: took.Seconds(), Reconnects: room.Reconnects()}
	for _, to := range s.Receivers() {
		r.Receivers = append(r.Receivers, sentTo{to.Member, to.Name, to.State, to.Bytes, to.Why, to.Accepted})
	}
	return r
}

// sendingText is the line on the terminal: the slowest of those who take it.
func sendingText(list []client.Receiver, size uint64, rate *rateMeter) string {
	var all uint64
	least, taking, got := size, 0, 0
	for _, r := range list {
		all += r.Bytes
		switch r.State {
		case client.StateAccepted:
			taking++
			least = min(least, r.Bytes)
		case client.StateReceived:
			got++
		}
	}
	if taking+got == 0 {
		return "waiting for somebody who takes it"
	}
	return fmt.Sprintf("%s  %s  %d have it, %d on the way", partText(least, size), bitsText(rate.update(all)), got, taking)
}

// partText shows how much of a size is there: 3.2 of 10.5 MB, 30 %.
func partText(n, size uint64) string {
	percent := 100.0
	if size > 0 {
		percent = float64(n) / float64(size) * 100
	}
	return fmt.Sprintf("%.1f of %.1f MB, %.0f %%", float64(n)/1e6, float64(size)/1e6, percent)
}
