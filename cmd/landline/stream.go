package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"landline/media"
	"landline/relay"
	"landline/signaling"
	"landline/signaling/client"
)

type streamCmd struct {
	roomFlags
	transportFlags
	Files       []string `arg:"" optional:"" name:"file" placeholder:"FILE" help:"What to stream, one after the other: files, folders, playlists (.m3u), addresses (http, https); - reads standard input."`
	TestPattern bool     `help:"Stream a test picture with a clock in it, and a beep each second. Needs ffmpeg."`
	Device      []string `placeholder:"KIND:NAME" sep:"none" help:"Stream a camera, a screen or a microphone, such as v4l2:/dev/video0. Twice: the picture, then the sound. Needs ffmpeg."`
	Loop        bool     `help:"Begin again at the end, until interrupted or --duration is over."`
	Start       span     `placeholder:"TIME" help:"Begin at the last key frame at or before this position, of the first file."`
	Duration    span     `placeholder:"TIME" help:"End after so much of it."`
	Layers      int      `default:"1" placeholder:"N" help:"Encode the video in N sizes, 1 to 3: its own, half of it, a quarter. Each viewer is sent one, by its link. Needs ffmpeg."`
	GOP         span     `name:"gop" placeholder:"TIME" help:"Encode the video anew, with key frames this far apart. Needs ffmpeg."`
}

// Help is the longer text of --help.
func (c *streamCmd) Help() string {
	return `Publishes the first video and the first audio track in real time. Read as they are: WebM and Matroska, IVF, Ogg, MP4
and raw H.264, with VP8, VP9, AV1, H.264 without B-frames, and Opus. All else goes through ffmpeg, which must be installed.
Of several files, those that cannot be streamed are passed over.
TIME is 8s, 1m30s, or plain seconds. It ends when the relay has acknowledged the last packet.

    landline stream talk.webm --room kitchen
    landline stream music/ https://example.org/talk.mp4 --room kitchen --loop
    landline stream --device x11grab::0.0 --device pulse:default --room kitchen
    ffmpeg ... -f webm - | landline stream - --room kitchen`
}

// Run implements the command.
func (c *streamCmd) Run(ctx context.Context, con *console) error {
	captures, err := c.usage()
	if err != nil {
		return err
	}
	paths := []string{""} // what is captured
	if len(captures) == 0 {
		if paths, err = listClips(c.Files); err != nil {
			return err
		}
	}
	clips := &clips{paths: paths, loop: c.Loop, warn: func(path string, err error) { con.log.Warn("passed over", "file", path, "error", err) },
		open: opener{captures: captures, in: con.in, start: c.Start.duration(), gop: c.GOP.duration(), layers: c.Layers,
			note: func(text string) { con.log.Info("transcoding", "why", text) }}}
	src, err := clips.next(ctx)
	if err != nil {
		return err
	}
	p := &pacer{cmd: c, con: con, clips: clips, src: src}
	defer func() { p.src.Close() }()
	return p.run(ctx)
}

// usage checks what was asked for, and names the member if nobody did.
func (c *streamCmd) usage() (captures []capture, err error) {
	if captures, err = parseCaptures(c.Device); err != nil {
		return nil, err
	}
	if c.TestPattern {
		captures = append(captures, testPattern)
	}
	switch {
	case c.TestPattern && len(captures) > 1, len(captures) > 0 && len(c.Files) > 0:
		return nil, usagef("files, --device and --test-pattern: one of them")
	case len(captures) == 0 && len(c.Files) == 0:
		return nil, usagef("nothing to stream: name files, or use --device or --test-pattern")
	case len(captures) > 0 && (c.Loop || c.Start > 0):
		return nil, usagef("--loop and --start: what is live has no beginning")
	case slices.Contains(c.Files, "-") && len(c.Files) > 1:
		return nil, usagef("standard input goes alone")
	case c.Loop && slices.Contains(c.Files, "-"):
		return nil, usagef("--loop: standard input cannot begin again")
	case c.Layers < 1 || c.Layers > relay.MaxLayers:
		return nil, usagef("--layers %d: 1 to %d", c.Layers, relay.MaxLayers)
	}
	if c.Name == "" {
		c.Name = c.defaultName()
	}
	return captures, c.check()
}

// defaultName is that of the only file, or folder, or playlist.
func (c *streamCmd) defaultName() string {
	if len(c.Files) == 1 && c.Files[0] != "-" {
		base := opener{path: c.Files[0]}.name()
		if base = strings.TrimSuffix(base, filepath.Ext(base)); signaling.CheckName(base) == nil {
			return base
		}
	}
	return "stream"
}

// pacer publishes a source in real time.
type pacer struct {
	cmd   *streamCmd
	con   *console
	clips *clips
	src   *source

	room   *client.Room
	tracks []outTrack              // the newest of all, those of the source last
	outs   []*client.OutgoingLayer // where each track of the source goes
	forms  int                     // how many times tracks of another form were published
	base   time.Time               // when memberZero of the member's clock is due

	rounds     int     // of the clips that are over
	roundStart int64   // where on the member's clock this round of the clips began
	passStart  int64   // where on the member's clock the first packet of this pass is
	passZero   int64   // its time in the source
	ends       int64   // the end of what was sent, on the member's clock
	last       []int64 // the newest time of each track, on the member's clock
	lastKey    int64
	warned     bool

	mu       sync.Mutex // guards position, place, and tracks against the progress bar
	position time.Duration
	place    string // in the list of clips

	rate rateMeter // of the progress bar
}

// memberZero is where the member's clock begins, in µs. It leaves room for a track whose first packet comes before the first
// of all.
const memberZero = 1_000_000

// maxKeyDistance is how far apart key frames may be without a warning: who loses a frame waits for the next one.
const maxKeyDistance = 4 * time.Second

func (p *pacer) run(ctx context.Context) error {
	if err := p.join(ctx); err != nil {
		return err
	}
	defer p.room.Close()
	bar := startProgress(p.con, p.progress)
	err := p.send(ctx)
	if ctx.Err() != nil {
		err = nil // interrupted: what was sent is a whole stream
	}
	p.endTracks()
	if err == nil {
		err = p.drain(ctx)
	}
	bar.stop()
	return errors.Join(err, p.report(err))
}

// join enters the room with both tracks.
func (p *pacer) join(ctx context.Context) error {
	o := p.cmd.options(p.con)
	o.MaxAge = uplinkAge
	o.WebRTC = p.cmd.wanted(p.con, 0, 0)
	o.Publish = p.src.offers()
	o.Clock = func(took time.Duration) signaling.Clock {
		// The announcement is one round trip from being answered, and the connection has taken one or more so far.
		p.base = time.Now().Add(took + startLead)
		return signaling.Clock{Us: memberZero, WallUs: p.base.UnixMicro()}
	}
	room, err := client.Dial(ctx, o)
	if err != nil {
		return err
	}
	p.room = room
	var tracks []*client.Outgoing
	for _, t := range o.Publish {
		tracks = append(tracks, room.Track(t.ID))
	}
	p.passStart, p.roundStart, p.place = memberZero, memberZero, p.clips.place()
	p.publishedAs(o.Publish, tracks)
	p.con.log.Info("streaming", "room", p.cmd.Room, "member", room.Self(), "file", p.clips.open.name(), "tracks", describeTracks(p.src))
	return nil
}

// startLead is how long after the answer the first packet is due, at the least.
const startLead = 20 * time.Millisecond

func offer(id string, f media.Format) signaling.Track {
	return signaling.Track{ID: id, Kind: f.Kind, Source: signaling.SourceFile, Codec: f.Codec, CodecString: f.CodecString,
		Config: f.Config, Width: f.Width, Height: f.Height, Colour: f.Colour, SampleRate: f.SampleRate, Channels: f.Channels}
}

func trackID(kind media.Kind) string {
	if kind == media.Audio {
		return "audio"
	}
	return "video"
}

// offers are the tracks to publish: what has several layers is offered with the format of the tallest.
func (s *source) offers() (list []signaling.Track) {
	for _, t := range s.tracks {
		if t.layer == 0 {
			list = append(list, offer(trackID(t.format.Kind), t.format))
			continue
		}
		last := &list[len(list)-1]
		if t.layer == 1 {
			last.Layers = []signaling.Layer{{Width: last.Width, Height: last.Height}}
		}
		last.Layers = append(last.Layers, signaling.Layer{Width: t.format.Width, Height: t.format.Height})
		last.Width, last.Height = t.format.Width, t.format.Height
	}
	return list
}

func describeTracks(src *source) string {
	var names []string
	for _, t := range src.offers() {
		name := describe(t.Format())
		for i, l := range t.Layers {
			name += []string{" of ", ", ", ", "}[i] + fmt.Sprintf("%dx%d", l.Width, l.Height)
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// drain waits until the relay has acknowledged the end of every track.
func (p *pacer) drain(ctx context.Context) error {
	if ctx.Err() != nil { // interrupted: a moment is left to end cleanly
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		ctx = bounded
	}
	if err := p.room.Drain(ctx); err != nil {
		return fmt.Errorf("the end was not acknowledged: %w", err)
	}
	return nil
}
