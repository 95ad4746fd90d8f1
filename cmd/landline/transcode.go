package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"landline/media"
)

// treatment is what becomes of a track on its way through ffmpeg.
type treatment int

const (
	leaveOut treatment = iota
	copyOver
	encode
)

// rendition is the treatment of the input's first track of a kind, and its format; the zero format is one
// that is not known, since the input is in a container that is not read here.
type rendition struct {
	treatment treatment
	format    media.Format
}

// renditionOf copies the first track of a kind if the relay carries it, encodes it if not, and leaves the
// kind out if there is none.
func renditionOf(formats []media.Format, kind media.Kind) rendition {
	for _, f := range formats {
		switch {
		case f.Kind != kind:
		case f.Carried():
			return rendition{copyOver, f}
		default:
			return rendition{encode, f}
		}
	}
	return rendition{}
}

// transcodeSpec says what ffmpeg is to make of an input.
type transcodeSpec struct {
	name string // of the input, as a person knows it
	// The input is one of these; a Read of in that blocks may outlive the transcode.
	path     string
	address  string
	captures []capture
	in       io.Reader

	start time.Duration
	gop   time.Duration // between key frames of encoded video; 0 for 2 s
	video rendition
	audio rendition
	// layers is in how many sizes the video is to be encoded; 0 and 1 mean its own alone.
	layers int
}

// why says in words what stands in the way of publishing the input as it is.
func (s transcodeSpec) why() string {
	var foreign []string
	for _, r := range []rendition{s.video, s.audio} {
		if r.treatment == encode && r.format.Codec != "" && !r.format.Carried() {
			foreign = append(foreign, describe(r.format))
		}
	}
	switch {
	case len(foreign) > 0:
		return s.name + " holds " + strings.Join(foreign, " and ") + ", which the relay does not carry"
	case s.sizes() > 1 && s.video.format.Codec != "":
		return fmt.Sprintf("%s is to be sent in %d sizes of its %s", s.name, s.sizes(), describe(s.video.format))
	case len(s.captures) > 0:
		return s.name + " is for ffmpeg to open"
	case s.video.format.Codec != "":
		return fmt.Sprintf("%s needs new key frames in its %s", s.name, describe(s.video.format))
	}
	return s.name + " is in a container that is not read here"
}

// describe names a format as in "h264 video with B-frames" and "aac audio (5.1)".
func describe(f media.Format) string {
	text := fmt.Sprintf("%s %s", f.Codec, f.Kind)
	if f.Reorders {
		text += " with B-frames"
	}
	switch {
	case f.Channels == 6:
		text += " (5.1)"
	case f.Channels == 8:
		text += " (7.1)"
	case f.Channels > 2:
		text += fmt.Sprintf(" (%d channels)", f.Channels)
	}
	return text
}

// targets names what is encoded to.
func (s transcodeSpec) targets() string {
	var to []string
	switch {
	case s.video.treatment != encode:
	case s.sizes() > 1:
		to = append(to, fmt.Sprintf("VP8 in %d sizes", s.sizes()))
	default:
		to = append(to, "VP8")
	}
	if s.audio.treatment == encode {
		to = append(to, "Opus")
	}
	return strings.Join(to, " and ")
}

// transcode is a running ffmpeg. Read and Close may be called from different goroutines.
type transcode struct {
	ctx    context.Context
	cancel context.CancelFunc
	name   string
	input  string // as ffmpeg calls it
	cmd    *exec.Cmd
	out    io.Reader
	stderr tail
	fed    chan error // of the goroutine that feeds standard input, once it has ended

	ended sync.Once
	err   error
}

// startTranscode runs ffmpeg over the input. What is read is Matroska (WebM where the codecs belong into
// it), as fast as ffmpeg gets it done and no faster than it is read. At the end Read returns io.EOF, or one
// line on why ffmpeg failed. Close ends ffmpeg at any time, as the end of ctx does.
func startTranscode(ctx context.Context, spec transcodeSpec) (io.ReadCloser, error) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil && len(spec.captures) > 0 {
		return nil, fmt.Errorf("%s, which is not installed: install ffmpeg", spec.why())
	}
	if err != nil && spec.sizes() > 1 {
		return nil, fmt.Errorf("%s, and ffmpeg is not installed: install ffmpeg, or stream it without --layers", spec.why())
	}
	if err != nil {
		return nil, fmt.Errorf("%s, and ffmpeg is not installed: install ffmpeg, or convert it to %s", spec.why(), spec.targets())
	}
	t := &transcode{name: spec.name, input: spec.input(), fed: make(chan error, 1)}
	t.ctx, t.cancel = context.WithCancel(ctx)
	t.cmd = exec.CommandContext(t.ctx, ffmpeg, spec.arguments()...)
	t.cmd.Stderr = &t.stderr
	t.cmd.WaitDelay = 2 * time.Second
	if err := t.start(spec); err != nil {
		t.cancel()
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	return t, nil
}

func (t *transcode) start(spec transcodeSpec) error {
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	t.out = out
	if spec.in == nil {
		t.fed <- nil
		return t.cmd.Start()
	}
	// Not cmd.Stdin, since Wait would then wait for a Read of the input that may never return.
	stdin, err := t.cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := t.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_, err := io.Copy(stdin, spec.in)
		t.fed <- err
		stdin.Close()
	}()
	return nil
}

// Read implements io.Reader.
func (t *transcode) Read(p []byte) (int, error) {
	n, err := t.out.Read(p)
	if err == nil {
		return n, nil
	}
	if err := t.wait(); err != nil {
		return n, err
	}
	return n, io.EOF
}

// Close ends ffmpeg if it still runs, and waits for it. Its error is that of ffmpeg, or nil if Close ended it.
func (t *transcode) Close() error {
	t.cancel()
	if err := t.wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// wait waits until ffmpeg has ended, and keeps the reason if it failed.
func (t *transcode) wait() error {
	t.ended.Do(func() {
		err := t.cmd.Wait()
		var fed error
		select {
		case fed = <-t.fed:
		default:
		}
		switch {
		case fed != nil && !errors.Is(fed, syscall.EPIPE) && !errors.Is(fed, fs.ErrClosed):
			t.err = fmt.Errorf("reading %s: %w", t.name, fed)
		case err == nil || errors.Is(err, exec.ErrWaitDelay):
		case t.ctx.Err() != nil:
			t.err = t.ctx.Err()
		default:
			t.err = fmt.Errorf("ffmpeg cannot transcode %s: %s", t.name, t.stderr.reason(err, t.input))
		}
		t.cancel()
	})
	return t.err
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

const maxTail = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(0, len(p)-maxTail):]...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// demuxer is how ffmpeg begins a line that one of its parts has to say.
var demuxer = regexp.MustCompile(`^\[[^\]]* @ 0x[0-9a-f]+\] `)

// reason is the last two lines in one, without the input's name and what a terminal would act on, or else
// the exit status.
func (t *tail) reason(exit error, input string) string {
	printable := strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, string(t.kept))
	var lines []string
	for line := range strings.Lines(printable) {
		line = demuxer.ReplaceAllString(strings.TrimSpace(line), "")
		line = strings.TrimPrefix(line, input+": ")
		if line != "" {
			const most = 120
			if runes := []rune(line); len(runes) > most {
				line = string(runes[:most]) + "…"
			}
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return exit.Error()
	}
	return strings.Join(lines[max(0, len(lines)-2):], "; ")
}
