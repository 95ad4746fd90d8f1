package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"landline/media"
	"landline/media/h264"
	"landline/media/ivf"
	"landline/media/mp4"
	"landline/media/ogg"
	"landline/media/webm"
)

// source is an input that can be published: its first video and its first audio track, in the relay's form.
type source struct {
	reader media.Reader
	tracks []sourceTrack
	// inOrder says that packets are taken in the order in which they come, since waiting for others could delay them.
	inOrder bool
	// start is how much of it is to be passed over.
	start   time.Duration
	closers []io.Closer
}

// sourceTrack is one track of the reader that is published.
type sourceTrack struct {
	index  int // in media.Reader.Formats
	format media.Format
	layer  int // in what is published, of the same kind
}

// Close ends what the source is read from.
func (s *source) Close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// opener opens an input, each time from its beginning.
type opener struct {
	path     string    // or address; "-" for in
	captures []capture // or what ffmpeg is to open
	in       io.Reader
	start    time.Duration
	gop      time.Duration
	// layers is in how many sizes the video is to be published.
	layers int
	note   func(string) // tells the person what is done
}

func (o opener) name() string {
	switch {
	case len(o.captures) > 0:
		return captureName(o.captures)
	case o.path == "-":
		return "standard input"
	case isAddress(o.path):
		return addressName(o.path)
	}
	return filepath.Base(o.path)
}

func (o opener) open(ctx context.Context) (*source, error) {
	s := &source{}
	in, err := o.input(ctx, s)
	if err != nil {
		return nil, err
	}
	if in == nil {
		err = o.capture(ctx, s)
	} else {
		err = o.read(ctx, s, in)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// input opens what is to be read, as far as it is not for ffmpeg to open.
func (o opener) input(ctx context.Context, s *source) (io.Reader, error) {
	switch {
	case len(o.captures) > 0:
		return nil, nil
	case o.path == "-":
		return o.in, nil
	case isAddress(o.path):
		f, err := openRemote(ctx, o.path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name(), err)
		}
		s.closers = append(s.closers, f)
		return f, nil
	}
	f, err := os.Open(o.path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s is a folder", o.path)
	}
	s.closers = append(s.closers, f)
	return f, nil
}

// read finds out what the input is, by its content, and how to publish it.
func (o opener) read(ctx context.Context, s *source, in io.Reader) error {
	kept := &replay{in: in}
	buffered := bufio.NewReaderSize(kept, 64<<10)
	begin, err := buffered.Peek(sniffBytes)
	if len(begin) == 0 {
		if err == io.EOF {
			return fmt.Errorf("%s is empty", o.name())
		}
		return fmt.Errorf("reading %s: %w", o.name(), err)
	}
	reader, err := containerOf(begin, in, buffered)
	if err != nil && !errors.Is(err, media.ErrUnsupported) {
		return fmt.Errorf("%s: %w", o.name(), err)
	}
	var formats []media.Format
	if reader != nil && err == nil {
		formats = reader.Formats()
	}
	video, audio := renditionOf(formats, media.Video), renditionOf(formats, media.Audio)
	switch {
	case formats == nil: // let ffmpeg find out
		video.treatment, audio.treatment = encode, encode
	case video.treatment == leaveOut && audio.treatment == leaveOut:
		return fmt.Errorf("%s holds neither video nor audio", o.name())
	case o.layers > 1 && formats != nil && video.treatment == leaveOut:
		return fmt.Errorf("%s holds no video, of which there could be layers", o.name())
	case (o.gop > 0 || o.layers > 1) && video.treatment == copyOver:
		video.treatment = encode
	}
	if video.treatment != encode && audio.treatment != encode {
		kept.forget()
		_, _, whole := whole(in)
		s.reader, s.start, s.inOrder = reader, o.start, !whole
		return s.choose(o.name(), 1)
	}
	spec := transcodeSpec{name: o.name(), start: o.start, gop: o.gop, video: video, audio: audio, layers: o.layers}
	if err := o.lend(&spec, s, kept); err != nil {
		return err
	}
	return o.transcode(ctx, s, spec)
}

// lend tells ffmpeg where to read an input of which the beginning was read already.
func (o opener) lend(spec *transcodeSpec, s *source, kept *replay) error {
	if _, _, ok := whole(kept.in); !ok || o.path == "-" {
		spec.in = kept.again()
		return nil
	}
	f, far := kept.in.(*remote)
	if !far {
		spec.path = o.path
		return nil
	}
	address, stop, err := f.lend()
	if err != nil {
		return err
	}
	spec.address = address
	s.closers = append([]io.Closer{stop}, s.closers...)
	return nil
}

// capture has ffmpeg open what is no file.
func (o opener) capture(ctx context.Context, s *source) error {
	unknown := rendition{treatment: encode}
	return o.transcode(ctx, s, transcodeSpec{name: o.name(), captures: o.captures, gop: o.gop, video: unknown, audio: unknown, layers: o.layers})
}

// transcode puts ffmpeg between the input and the source.
func (o opener) transcode(ctx context.Context, s *source, spec transcodeSpec) error {
	out, err := startTranscode(ctx, spec)
	if err != nil {
		return err
	}
	o.note(spec.why() + ": ffmpeg makes it " + spec.targets())
	s.closers = append([]io.Closer{out}, s.closers...)
	s.inOrder = true
	reader, err := webm.NewReader(out)
	if err != nil {
		if failed := out.Close(); failed != nil {
			return failed
		}
		return fmt.Errorf("ffmpeg made nothing of %s: %w", o.name(), err)
	}
	s.reader = reader
	return s.choose(o.name(), spec.sizes())
}

// choose takes the first track of each kind, and of video so many as there are to be layers, but none that is too small beside larger
// ones. They come in order of rising height.
func (s *source) choose(name string, layers int) error {
	seen := map[media.Kind]int{}
	for i, f := range s.reader.Formats() {
		most, fits := 1, true
		if f.Kind == media.Video && layers > 1 { // they are the first tracks, the tallest last
			most, fits = layers, i == layers-1 || f.Height >= minLayerHeight
		}
		if seen[f.Kind] < most && f.Carried() && fits {
			s.tracks = append(s.tracks, sourceTrack{i, f, seen[f.Kind]})
			seen[f.Kind]++
		}
	}
	if len(s.tracks) == 0 {
		return fmt.Errorf("%s holds neither video nor audio", name)
	}
	return nil
}

// sniffBytes is how much of an input tells its container.
const sniffBytes = 12

// containerOf opens the reader for an input that begins so; nil if no reader is for it.
func containerOf(begin []byte, in io.Reader, buffered *bufio.Reader) (r media.Reader, err error) {
	switch {
	case bytes.HasPrefix(begin, []byte{0x1A, 0x45, 0xDF, 0xA3}):
		return orNil(webm.NewReader(buffered))
	case bytes.HasPrefix(begin, []byte("DKIF")):
		return orNil(ivf.NewReader(buffered))
	case bytes.HasPrefix(begin, []byte("OggS")):
		return orNil(ogg.NewReader(buffered))
	case isAnnexB(begin):
		return orNil(h264.NewReader(buffered))
	case isMP4(begin):
		if f, size, ok := whole(in); ok {
			return orNil(mp4.NewReader(f, size))
		}
	}
	return nil, nil
}

// whole gives an input that can be read here and there, and its size.
func whole(in io.Reader) (f io.ReaderAt, size int64, ok bool) {
	switch f := in.(type) {
	case *os.File:
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil, 0, false
		}
		return f, info.Size(), true
	case *remote:
		return f, f.size, f.parts
	}
	return nil, 0, false
}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func orNil[R media.Reader](r R, err error) (media.Reader, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

// isAnnexB reports whether an H.264 NAL unit of a kind that begins a file follows a start code.
func isAnnexB(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte{0, 0, 1})
	if !ok {
		rest, ok = bytes.CutPrefix(b, []byte{0, 0, 0, 1})
	}
	if !ok || len(rest) == 0 || rest[0]&0x80 != 0 {
		return false
	}
	switch rest[0] & 0x1f {
	case 1, 5, 6, 7, 8, 9: // slices, SEI, SPS, PPS, access unit delimiter
		return true
	}
	return false
}

func isMP4(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	switch string(b[4:8]) {
	case "ftyp", "styp", "moov", "moof", "mdat", "free", "skip", "wide":
		return true
	}
	return false
}

// replay keeps what was read of an input, so that it can be read again from the beginning.
type replay struct {
	in     io.Reader
	kept   bytes.Buffer
	forgot bool
}

// maxReplay bounds what is kept: more than the head of any container that can be published.
const maxReplay = 32 << 20

func (r *replay) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if !r.forgot {
		if r.kept.Len()+n > maxReplay {
			return n, fmt.Errorf("%w: no end of its head within %d bytes", media.ErrTooLarge, maxReplay)
		}
		r.kept.Write(p[:n])
	}
	return n, err
}

// forget lets go of what was kept: it will not be read again.
func (r *replay) forget() { r.forgot, r.kept = true, bytes.Buffer{} }

// again reads the input from the beginning. The replay is not to be read after.
func (r *replay) again() io.Reader { return io.MultiReader(&r.kept, r.in) }
