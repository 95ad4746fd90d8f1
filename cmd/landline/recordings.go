package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"landline/relay/record"
	"landline/signaling/server"
)

// recordingsCmd is what there is to do with recordings of a relay.
type recordingsCmd struct {
	List recordingsListCmd `cmd:"" default:"withargs" help:"List recordings, the newest first."`
	Get  recordingsGetCmd  `cmd:"" help:"Download a recording."`
	Rm   recordingsRmCmd   `cmd:"" help:"Delete a recording."`
	Add  recordingsAddCmd  `cmd:"" help:"Keep a media file as a recording."`
}

// Help is the longer text of --help.
func (c *recordingsCmd) Help() string {
	return `A relay with keys wants a token that grants record for the recording's room, or for all rooms (--room '*' of landline token); one without answers to
its own machine only.

    landline recordings list --room kitchen
    landline recordings get 20251121-044000-kitchen-5f0c21ab --out kitchen.webm
    landline recordings get 20251121-044000-kitchen-5f0c21ab --member Ann --out ann.webm
    landline recordings rm 20251121-044000-kitchen-5f0c21ab
    landline recordings add film.mp4 --room kitchen`
}

type recordingsListCmd struct {
	connectFlags
	Room string `group:"connect" placeholder:"ROOM" help:"Those of this room only. Without it the token must be for all rooms."`
}

// Run implements the command.
func (c *recordingsListCmd) Run(ctx context.Context, con *console) error {
	path := ""
	if c.Room != "" {
		path = "?room=" + url.QueryEscape(c.Room)
	}
	var reply server.RecordingsReply
	if err := (relayAPI{&c.connectFlags, "recordings"}).do(ctx, http.MethodGet, path, nil, &reply); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(con.out, reply)
	}
	if len(reply.Recordings) == 0 {
		_, err := fmt.Fprintln(con.out, "no recordings")
		return err
	}
	table := tabwriter.NewWriter(con.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "RECORDING\tSTATE\tLENGTH\tSIZE\tFILES\tBY\tTITLE")
	for _, i := range reply.Recordings {
		length := time.Duration(i.DurationMs) * time.Millisecond
		fmt.Fprintf(table, "%s\t%s\t%s\t%.1f MB\t%s\t%s\t%s\n", i.ID, i.State, clockText(length), float64(i.Bytes)/1e6, filesText(i), orDash(i.Name), orDash(i.Title))
	}
	return table.Flush()
}

// filesText counts the files of the room, and those of members.
func filesText(i record.Info) string {
	if len(i.Members) == 0 {
		return fmt.Sprint(len(i.Files))
	}
	return fmt.Sprintf("%d+%d", len(i.Files), len(i.Members))
}

type recordingsGetCmd struct {
	connectFlags
	ID     string `arg:"" help:"The recording, as the list names it."`
	Part   int    `default:"1" placeholder:"N" help:"Which file, of a recording with several."`
	Member string `placeholder:"NAME" help:"Only what this member said, in a file of its own. Needs --out, unless the recording was made with --per-member."`
	Out    string `short:"o" placeholder:"FILE" help:"Where to save it; without it, under the relay's name in this folder. - is standard output."`
}

// Run implements the command.
func (c *recordingsGetCmd) Run(ctx context.Context, con *console) error {
	api := relayAPI{&c.connectFlags, "recordings"}
	info, err := api.get(ctx, url.PathEscape(c.ID))
	if err != nil {
		return err
	}
	if c.Part < 1 || c.Part > len(info.Files) {
		return fmt.Errorf("the recording has %d files: there is no %d", len(info.Files), c.Part)
	}
	d, err := c.choose(info)
	if err != nil {
		return err
	}
	resp, err := api.request(ctx, http.MethodGet, "/"+url.PathEscape(c.ID)+"/file"+d.query, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if c.Out == "-" {
		_, err := io.Copy(con.out, resp.Body)
		return err
	}
	if c.Out == "" {
		if record.RoomOf(c.ID) == "" || !record.FileOf(c.ID, d.name) {
			return errors.New("the relay names the file as none of its recordings is named: say --out")
		}
		c.Out = d.name
	}
	if err := d.save(c.Out, resp.Body); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(con.out, d.about)
	}
	_, err = fmt.Fprintln(con.out, c.Out)
	return err
}

// wantedFile is a file of the relay, and how it is saved.
type wantedFile struct {
	query, name string
	about       any
	save        func(name string, from io.Reader) error
}

// choose takes the file of the room, or that of the member if the relay has one; else the member is cut out of the room's.
func (c *recordingsGetCmd) choose(info record.Info) (wantedFile, error) {
	about := info.Files[c.Part-1]
	d := wantedFile{query: fmt.Sprintf("?part=%d", c.Part), name: about.Name, about: about, save: saveNew}
	if c.Member == "" {
		return d, nil
	}
	if alone, ok := memberFile(info, about.Name, c.Member); ok {
		d.query += "&member=" + url.QueryEscape(alone.Member)
		d.name, d.about = alone.Name, alone
		return d, nil
	}
	if c.Out == "" || c.Out == "-" {
		return d, usagef("--member: say the file with --out")
	}
	d.save = func(name string, from io.Reader) error { return saveMember(name, c.Member, about, from) }
	return d, nil
}

// saveNew writes a file that is not there yet; what could not be written whole is removed.
func saveNew(name string, from io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

type recordingsRmCmd struct {
	connectFlags
	ID []string `arg:"" help:"Recordings, as the list names them."`
}

// Run implements the command.
func (c *recordingsRmCmd) Run(ctx context.Context, con *console) error {
	for _, id := range c.ID {
		if err := (relayAPI{&c.connectFlags, "recordings"}).do(ctx, http.MethodDelete, "/"+url.PathEscape(id), nil, nil); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	if c.JSON {
		return writeJSON(con.out, map[string]any{"deleted": c.ID})
	}
	return nil
}
