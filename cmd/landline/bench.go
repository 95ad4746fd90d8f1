package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"landline/cmd/landline/bench"
	"landline/media"
	"landline/signaling/token"
)

type benchCmd struct {
	connectFlags
	Key      []string `env:"LANDLINE_KEYS" placeholder:"ID:SECRET" group:"connect" help:"Key of the relay, where it has keys: each member gets a token of its own. Better given by environment, which other users cannot see."`
	Insecure bool     `group:"connect" help:"Over TLS, take any certificate, such as that of serve --tls self."`

	Rooms       int `default:"1" group:"load" help:"Rooms. All other numbers are those of each room."`
	Publishers  int `default:"1" group:"load" help:"Members that send."`
	Subscribers int `default:"10" group:"load" help:"Members that receive as fast as it comes. Latency is theirs."`
	Slow        int `group:"load" help:"Members that read at half of the rate that is sent, and acknowledge that."`
	Frozen      int `group:"load" help:"Members that, once they have joined, neither read nor acknowledge."`
	Churn       int `group:"load" help:"Members that leave and join again about once a second."`

	Rate  float64 `default:"30" group:"load" help:"Video frames a second of each publisher; 0 sends no video."`
	Size  int     `default:"6000" group:"load" help:"Bytes of a video frame."`
	Chunk int     `default:"16384" group:"load" help:"Most bytes of a frame in one message."`
	Clip  string  `placeholder:"FILE" group:"load" help:"Send the video frames of this file again and again, instead of --rate and --size."`
	Audio bool    `group:"load" help:"Also send 50 audio packets of 120 bytes a second."`

	Transport string `enum:"ws,webrtc" default:"ws" group:"load" help:"What carries media to those who receive: ws, the WebSocket; webrtc, a PeerConnection for each. Publishers send over the WebSocket."`

	Duration  span `placeholder:"TIME" group:"load" help:"How long to measure: 10s, or 30s with --idle."`
	Processes int  `default:"1" group:"load" help:"Processes over which those who receive are spread."`
	Floor     bool `group:"load" help:"Compare with the floor: a process that does one write for each frame and receiver, and nothing else. With --transport webrtc it is bare Pion, without interceptors."`
	Idle      bool `group:"load" help:"Send nothing, and tell the relay's memory for each member."`
}

// Help is the longer text of --help.
func (c *benchCmd) Help() string {
	return `Publishes made-up media in rooms of its own and measures what arrives: latency, gaps, drops, queues, and what the relay
uses of processor and memory, from its /metrics. Run it on the relay's machine, or latency lacks the network, and see
docs/operating.md for what each figure means.

    landline bench --subscribers 500 --audio --floor
    landline bench --transport webrtc --subscribers 100 --audio --floor
    landline bench --rate 0 --audio --publishers 10 --subscribers 100
    landline bench --subscribers 50 --slow 3 --frozen 3 --churn 5 --duration 30s
    landline bench --idle --rooms 500 --publishers 0 --subscribers 10`
}

// Run implements the command.
func (c *benchCmd) Run(ctx context.Context, con *console) error {
	cfg, err := c.config(ctx, con)
	if err != nil {
		return err
	}
	if err := cfg.Check(); err != nil {
		return usageError{err}
	}
	var stage atomic.Value
	stage.Store("")
	cfg.Progress = func(text string) { stage.Store(text) }
	began := time.Now()
	bar := startProgress(con, func() string { return clockText(time.Since(began)) + "  " + stage.Load().(string) })
	report, err := bench.Run(ctx, cfg)
	bar.stop()
	if report != nil {
		if failed := c.show(con.out, report); failed != nil {
			return failed
		}
	}
	return err
}

func (c *benchCmd) show(out io.Writer, report *bench.Report) error {
	if c.JSON {
		return writeJSON(out, report)
	}
	return printBench(out, report)
}

func (c *benchCmd) config(ctx context.Context, con *console) (*bench.Config, error) {
	keys, err := token.ParseKeys(c.Key)
	if err != nil {
		return nil, usagef("--key: %w", err)
	}
	cfg := &bench.Config{URL: c.URL, Token: c.Token, Keys: keys, Insecure: c.Insecure, Rooms: c.Rooms, Publishers: c.Publishers,
		Subscribers: c.Subscribers, Slow: c.Slow, Frozen: c.Frozen, Churn: c.Churn, Rate: c.Rate, Size: c.Size, Chunk: c.Chunk,
		Audio: c.Audio, Duration: c.Duration.duration(), Floor: c.Floor, Idle: c.Idle, Processes: c.Processes,
		WebRTC: c.Transport == "webrtc"}
	if cfg.Duration == 0 {
		cfg.Duration = 10 * time.Second
		if c.Idle {
			cfg.Duration = 30 * time.Second
		}
	}
	if !keys.Empty() && c.Token == "" {
		claims := token.Claims{Room: token.AnyRoom, Identity: "bench", Grants: []token.Grant{token.Admin}, Expires: time.Now().Add(24 * time.Hour)}
		if cfg.Token, err = keys.Mint(claims); err != nil {
			return nil, err
		}
	}
	if c.Clip != "" {
		if cfg.Clip, err = readClip(ctx, con, c.Clip); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

// maxClip bounds the video of a clip in bytes: every process of the bench holds it.
const maxClip = 64 << 20

// readClip reads the video frames of a file, from its first key frame on.
func readClip(ctx context.Context, con *console, path string) ([]bench.ClipFrame, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, usagef("--clip: %w", err)
	}
	open := opener{path: path, in: con.in, note: func(text string) { con.log.Info("transcoding", "why", text) }}
	src, err := open.open(ctx)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	var frames []bench.ClipFrame
	total, first := 0, int64(0)
	for packet, err := range videoPackets(src) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		if len(frames) == 0 {
			if !packet.Key {
				continue
			}
			first = packet.Timestamp
		}
		if total += len(packet.Data); total > maxClip {
			return nil, fmt.Errorf("%s has over %d MB of video: take a shorter clip", filepath.Base(path), maxClip>>20)
		}
		frames = append(frames, bench.ClipFrame{At: packet.Timestamp - first, Key: packet.Key, Data: packet.Data})
	}
	if len(frames) == 0 {
		return nil, fmt.Errorf("%s holds no video", filepath.Base(path))
	}
	return frames, nil
}

// videoPackets gives the video frames of a source until its end.
func videoPackets(src *source) func(yield func(media.Packet, error) bool) {
	return func(yield func(media.Packet, error) bool) {
		for {
			packet, err := src.reader.Next()
			if err == io.EOF {
				return
			}
			if err == nil && src.kindOf(packet.Track) != media.Video {
				continue
			}
			if !yield(packet, err) || err != nil {
				return
			}
		}
	}
}

// kindOf is the kind of a track of the reader that is published; "" if it is not.
func (s *source) kindOf(index int) media.Kind {
	for _, t := range s.tracks {
		if t.index == index {
			return t.format.Kind
		}
	}
	return ""
}

// benchWorkerCmd and benchFloorCmd are the processes of bench.
type benchWorkerCmd struct{}

// Run implements the command.
func (*benchWorkerCmd) Run() error { return bench.Worker() }

type benchFloorCmd struct{}

// Run implements the command.
func (*benchFloorCmd) Run() error { return bench.Floor() }
