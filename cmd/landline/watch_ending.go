package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"landline/media"
	"landline/media/h264"
	"landline/media/ivf"
	"landline/media/ogg"
	"landline/media/webm"
)

// ending is a kind of file that a watch can save.
type ending struct {
	name   string
	holds  []media.Codec
	kind   media.Kind // of the one track that it has room for; "" if it holds several
	writer func(w io.Writer, formats []media.Format) (media.Writer, error)
}

var endings = []ending{
	{".webm", []media.Codec{media.VP8, media.VP9, media.AV1, media.Opus}, "", newWebM},
	{".mkv", []media.Codec{media.VP8, media.VP9, media.AV1, media.H264, media.Opus}, "", newWebM},
	{".ivf", []media.Codec{media.VP8, media.VP9, media.AV1}, media.Video, single(ivf.NewWriter)},
	{".ogg", []media.Codec{media.Opus}, media.Audio, single(ogg.NewWriter)},
	{".h264", []media.Codec{media.H264}, media.Video, single(h264.NewWriter)},
}

func newWebM(w io.Writer, formats []media.Format) (media.Writer, error) {
	return webm.NewWriter(w, formats)
}

// single makes the writer of a file of one track.
func single[W media.Writer](make func(io.Writer, media.Format) (W, error)) func(io.Writer, []media.Format) (media.Writer, error) {
	return func(w io.Writer, formats []media.Format) (media.Writer, error) { return make(w, formats[0]) }
}

// endingOf chooses by the end of a file's name.
func endingOf(out string) (ending, error) {
	if out == "-" {
		e := endings[0]
		e.name = "standard output, which is WebM,"
		return e, nil
	}
	var names []string
	for _, e := range endings {
		if strings.EqualFold(filepath.Ext(out), e.name) {
			return e, nil
		}
		names = append(names, e.name)
	}
	return ending{}, fmt.Errorf("--out: %s does not end in %s", out, strings.Join(names, ", "))
}

// fits refuses a codec that the file cannot hold, and names the endings of those that can.
func (e ending) fits(codec media.Codec) error {
	if slices.Contains(e.holds, codec) {
		return nil
	}
	var others []string
	for _, other := range endings {
		if slices.Contains(other.holds, codec) {
			others = append(others, other.name)
		}
	}
	return fmt.Errorf("%s cannot hold %s: save to %s", e.name, codec, strings.Join(others, " or "))
}
