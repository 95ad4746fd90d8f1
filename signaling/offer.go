package signaling

import (
	"fmt"
	"slices"

	"landline/media"
)

// Codecs lists what may be published, by kind.
var codecs = map[media.Kind][]media.Codec{
	media.Audio: {media.Opus},
	media.Video: {media.VP8, media.VP9, media.H264, media.AV1},
}

var sources = []string{SourceCamera, SourceMic, SourceScreen, SourceScreenAudio, SourceFile}

// Caps of what a track says of itself.
const (
	maxCodecString = 64
	maxConfig      = 4096
	maxClock       = 1 << 52
)

// CheckOffer applies the rules for a track that is offered; its error is a bad-track.
func (t *Track) CheckOffer() error {
	if err := CheckTrackID(t.ID); err != nil {
		return err
	}
	if !slices.Contains(codecs[t.Kind], t.Codec) {
		return fmt.Errorf("track %s: kind %q with codec %q is not carried (audio: opus; video: vp8, vp9, h264, av1)", t.ID, clip(string(t.Kind)), clip(string(t.Codec)))
	}
	if !slices.Contains(sources, t.Source) {
		return fmt.Errorf("track %s: unknown source %q", t.ID, clip(t.Source))
	}
	if t.Clock.Us < 0 || t.Clock.Us >= maxClock || t.Clock.WallUs < 0 {
		return fmt.Errorf("track %s: clock %d is not within 0 and 2^52", t.ID, t.Clock.Us)
	}
	if err := CheckFormat(t.ID, t.Format()); err != nil {
		return err
	}
	if len(t.Layers) > 0 && t.Kind != media.Video {
		return fmt.Errorf("track %s: layers of %s", t.ID, clip(string(t.Kind)))
	}
	return CheckLayers(t.ID, t.Layers)
}

// CheckLayers applies the rules for what publish and configure say of layers.
func CheckLayers(track string, layers []Layer) error {
	if len(layers) > MaxLayers {
		return fmt.Errorf("track %s: %d layers, over %d", track, len(layers), MaxLayers)
	}
	for i, l := range layers {
		if l.Width < 1 || l.Width > MaxHeight || l.Height < 1 || l.Height > MaxHeight {
			return fmt.Errorf("track %s: a layer of %d x %d", track, l.Width, l.Height)
		}
		if i > 0 && l.Height <= layers[i-1].Height {
			return fmt.Errorf("track %s: layers are in order of rising height", track)
		}
		if err := CheckFormat(track, media.Format{CodecString: l.CodecString, Config: l.Config}); err != nil {
			return err
		}
	}
	return nil
}

// CheckFormat applies the rules for what publish and configure say of a format.
func CheckFormat(track string, f media.Format) error {
	if len(f.CodecString) > maxCodecString || CheckName(f.CodecString) != nil {
		return fmt.Errorf("track %s: codecString is no codec string", track)
	}
	if len(f.Config) > maxConfig {
		return fmt.Errorf("track %s: config of %d bytes, over %d", track, len(f.Config), maxConfig)
	}
	for _, n := range []struct {
		name string
		v    int
		max  int
	}{{"width", f.Width, MaxHeight}, {"height", f.Height, MaxHeight}, {"sampleRate", f.SampleRate, 384_000}, {"channels", f.Channels, 255}} {
		if n.v < 0 || n.v > n.max {
			return fmt.Errorf("track %s: %s %d is not within 0 and %d", track, n.name, n.v, n.max)
		}
	}
	if c := f.Colour; c != nil && len(c.Primaries)+len(c.Transfer)+len(c.Matrix) > 96 {
		return fmt.Errorf("track %s: colour names are too long", track)
	}
	return nil
}

// Format is the part of the announcement that a decoder needs.
func (t *Track) Format() media.Format {
	return media.Format{Kind: t.Kind, Codec: t.Codec, CodecString: t.CodecString, Config: t.Config, Width: t.Width,
		Height: t.Height, Colour: t.Colour, SampleRate: t.SampleRate, Channels: t.Channels}
}

// FormatOf is the format of one of the track's layers.
func (t *Track) FormatOf(l Layer) media.Format {
	f := t.Format()
	if l.Height > 0 {
		f.Width, f.Height = l.Width, l.Height
	}
	if l.CodecString != "" {
		f.CodecString = l.CodecString
	}
	if len(l.Config) > 0 {
		f.Config = l.Config
	}
	return f
}

// Format is the new format of the track, without kind and codec, which stay.
func (c *Configure) Format() media.Format {
	return media.Format{CodecString: c.CodecString, Config: c.Config, Width: c.Width, Height: c.Height, Colour: c.Colour,
		SampleRate: c.SampleRate, Channels: c.Channels}
}
