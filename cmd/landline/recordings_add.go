package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"landline/media"
	"landline/media/webm"
	"landline/relay/record"
	"landline/signaling"
)

// addFlags is how a file becomes a recording.
type addFlags struct {
	Title string `placeholder:"TEXT" help:"What people call it; without it, the name of the file."`
}

type recordingsAddCmd struct {
	connectFlags
	addFlags
	File string `arg:"" help:"A media file: any that landline stream takes."`
	Room string `required:"" group:"connect" help:"Room whose recording it is to be."`
}

// Run implements the command.
func (c *recordingsAddCmd) Run(ctx context.Context, con *console) error {
	if err := signaling.CheckRoom(c.Room); err != nil {
		return usagef("--room: %w", err)
	}
	info, err := c.add(ctx, con, &c.connectFlags, c.File, c.Room)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(con.out, info)
	}
	_, err = fmt.Fprintln(con.out, info.ID)
	return err
}

// add sends a file to the relay as Matroska, made anew by ffmpeg as far as need be.
func (a *addFlags) add(ctx context.Context, con *console, to *connectFlags, file, room string) (info record.Info, err error) {
	title := a.Title
	if title == "" {
		title = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		title = string([]rune(title)[:min(len([]rune(title)), signaling.MaxName)])
	}
	if err := signaling.CheckName(title); err != nil {
		return info, usagef("--title: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	src, err := opener{path: file, note: func(text string) { con.log.Info(text) }}.open(ctx)
	if err != nil {
		return info, err
	}
	defer src.Close()
	body, w := io.Pipe()
	var at atomic.Int64
	copied := make(chan error, 1)
	go func() {
		err := copyOut(src, w, &at)
		w.CloseWithError(err) // nil: the end
		copied <- err
	}()
	shown := startProgress(con, func() string { return "adding  " + clockText(time.Duration(at.Load())*time.Microsecond) })
	defer shown.stop()
	q := url.Values{"room": {room}, "title": {title}}
	resp, err := relayAPI{to, "recordings"}.request(ctx, http.MethodPost, "/upload?"+q.Encode(), body)
	body.CloseWithError(errRefused) // the relay has answered, whatever is left
	if failed := <-copied; failed != nil && !errors.Is(failed, errRefused) {
		return info, fmt.Errorf("%s: %w", file, failed)
	}
	if err != nil {
		return info, err
	}
	defer resp.Body.Close()
	return info, decodeReply(resp.Body, &info)
}

var errRefused = errors.New("the relay takes no more")

// copyOut writes a source as Matroska, by time; at tells how far it is, in µs.
func copyOut(src *source, out io.Writer, at *atomic.Int64) error {
	formats := make([]media.Format, len(src.tracks))
	for i, t := range src.tracks {
		formats[i] = t.format
	}
	w, err := webm.NewWriter(out, formats)
	if err != nil {
		return err
	}
	for o := newOrdered(src); ; {
		p, err := o.next()
		if errors.Is(err, io.EOF) || errors.Is(err, media.ErrTruncated) && at.Load() > 0 {
			return w.Close()
		}
		if err != nil {
			return err
		}
		if err := w.Write(p.Packet); err != nil {
			return err
		}
		at.Store(p.at)
	}
}
