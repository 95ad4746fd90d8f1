package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
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
	File     string `arg:"" placeholder:"FILE" help:"File to stream; - reads standard input."`
	Loop     bool   `help:"Begin again at the end, until interrupted or --duration is over."`
	Start    span   `placeholder:"TIME" help:"Begin at the last key frame at or before this position."`
	Duration span   `placeholder:"TIME" help:"End after so much of it."`
	Layers   int    `default:"1" placeholder:"N" help:"Encode the video in N sizes, 1 to 3: its own, half of it, a quarter. Each viewer is sent one, by its link. Needs ffmpeg."`
	GOP      span   `name:"gop" placeholder:"TIME" help:"Encode the video anew, with key frames this far apart. Needs ffmpeg."`
}

// Help is the longer text of --help.
func (c *streamCmd) Help() string {
	return `Publishes the first video and the first audio track in real time. Read as they are: WebM and Matroska, IVF, Ogg, MP4
and raw H.264, with VP8, VP9, AV1, H.264 without B-frames, and Opus. All else goes through ffmpeg, which must be installed.
TIME is 8s, 1m30s, or plain seconds. It ends when the relay has acknowledged the last packet.

    landline stream talk.webm --room kitchen
    ffmpeg ... -f webm - | landline stream - --room kitchen`
}

// Run implements the command.
func (c *streamCmd) Run(ctx context.Context, con *console) error {
	if c.Loop && c.File == "-" {
		return usagef("--loop: standard input cannot begin again")
	}
	if c.Layers < 1 || c.Layers > relay.MaxLayers {
		return usagef("--layers %d: 1 to %d", c.Layers, relay.MaxLayers)
	}
	if c.Name == "" {
		c.Name = "stream"
		if base := strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File)); c.File != "-" && signaling.CheckName(base) == nil {
			c.Name = base
		}
	}
	if err := c.check(); err != nil {
		return err
	}
	open := opener{path: c.File, in: con.in, start: c.Start.duration(), gop: c.GOP.duration(), layers: c.Layers,
		note: func(text string) { con.log.Info("transcoding", "why", text) }}
	src, err := open.open(ctx)
	if err != nil {
		return err
	}
	p := &pacer{cmd: c, con: con, open: open, src: src}
	defer func() { p.src.Close() }()
	return p.run(ctx)
}

// pacer publishes a source in real time.
type pacer struct {
	cmd  *streamCmd
	con  *console
	open opener
	src  *source

	room   *client.Room
	tracks []*client.Outgoing      // that are published
	outs   []*client.OutgoingLayer // where each track of the source goes
	base   time.Time               // when memberZero of the member's clock is due

	passStart int64   // where on the member's clock the first packet of this pass is
	passZero  int64   // its time in the source
	ends      int64   // the end of what was sent, on the member's clock
	last      []int64 // the newest time of each track, on the member's clock
	lastKey   int64
	warned    bool

	mu       sync.Mutex
	position time.Duration

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
	for _, t := range p.tracks {
		t.End()
	}
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
	for _, t := range o.Publish {
		p.tracks = append(p.tracks, room.Track(t.ID))
	}
	for _, t := range p.src.tracks {
		p.outs = append(p.outs, room.Track(trackID(t.format.Kind)).Layers()[t.layer])
	}
	p.last = make([]int64, len(p.outs))
	p.passStart, p.lastKey = memberZero, -1
	p.con.log.Info("streaming", "room", p.cmd.Room, "member", room.Self(), "file", p.open.name(), "tracks", describeTracks(p.src))
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

// streamReport is what stream --json writes.
type streamReport struct {
	Room       string              `json:"room"`
	Member     string              `json:"member"`
	Name       string              `json:"name"`
	Duration   float64             `json:"duration_s"`
	Tracks     []streamTrackReport `json:"tracks"`
	Reconnects int                 `json:"reconnects"`
	Error      string              `json:"error,omitempty"`
}

// streamTrackReport counts what was taken from the source, and what of it was dropped in the own uplink.
type streamTrackReport struct {
	ID        string            `json:"id"`
	Codec     media.Codec       `json:"codec"`
	Frames    uint64            `json:"frames"`
	Bytes     uint64            `json:"bytes"`
	KeyFrames uint64            `json:"key_frames"`
	Path      pathReport        `json:"frames_by_path"`
	Drops     map[string]uint64 `json:"drops"`
	// Layers is there where the track has several, in order of rising height.
	Layers []streamLayerReport `json:"layers,omitempty"`
}

type streamLayerReport struct {
	Width     int               `json:"width"`
	Height    int               `json:"height"`
	Frames    uint64            `json:"frames"`
	Bytes     uint64            `json:"bytes"`
	KeyFrames uint64            `json:"key_frames"`
	Drops     map[string]uint64 `json:"drops"`
}

func (p *pacer) report(failed error) error {
	r := streamReport{Room: p.cmd.Room, Member: p.room.Self(), Name: p.cmd.Name, Reconnects: p.room.Reconnects(),
		Duration: max(0, float64(p.ends-memberZero)/1e6), Tracks: []streamTrackReport{}}
	if failed != nil {
		r.Error = failed.Error()
	}
	for i, o := range p.src.offers() {
		s := p.tracks[i].Stats()
		track := streamTrackReport{ID: o.ID, Codec: o.Codec, Frames: s.Frames, Bytes: s.Bytes, KeyFrames: s.KeyFrames,
			Path: pathReport{s.Frames - s.Side, s.Side}, Drops: dropNames(s.Drops)}
		for j, l := range o.Layers {
			s := p.tracks[i].Layers()[j].Stats()
			track.Layers = append(track.Layers, streamLayerReport{l.Width, l.Height, s.Frames, s.Bytes, s.KeyFrames, dropNames(s.Drops)})
		}
		r.Tracks = append(r.Tracks, track)
	}
	if !p.cmd.JSON {
		p.con.log.Info("streamed", "seconds", r.Duration, "tracks", r.Tracks, "reconnects", r.Reconnects)
		return nil
	}
	return writeJSON(p.con.out, r)
}

// dropNames gives drop counts by the names of their reasons, without zeroes.
func dropNames(d relay.DropCounts) map[string]uint64 {
	named := map[string]uint64{}
	for why, n := range d {
		if n > 0 {
			named[media.DropReason(why).String()] = n
		}
	}
	return named
}

// writeJSON writes the one object of --json.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
