package signaling

import (
	"strings"
	"testing"

	"landline/media"
)

func TestOffersOfLayers(t *testing.T) {
	good := []Layer{{Width: 320, Height: 180}, {Width: 640, Height: 360}, {Width: 1280, Height: 720}}
	for name, c := range map[string]struct {
		kind   media.Kind
		layers []Layer
		fault  string // "" = none
	}{
		"none":             {media.Video, nil, ""},
		"none, of sound":   {media.Audio, nil, ""},
		"one":              {media.Video, good[:1], ""},
		"three":            {media.Video, good, ""},
		"of sound":         {media.Audio, good[:1], "layers of audio"},
		"four":             {media.Video, append(good[:3:3], Layer{Width: 1920, Height: 1080}), "4 layers"},
		"falling":          {media.Video, []Layer{good[1], good[0]}, "rising height"},
		"equal":            {media.Video, []Layer{good[0], good[0]}, "rising height"},
		"no height":        {media.Video, []Layer{{Width: 320}}, "320 x 0"},
		"no width":         {media.Video, []Layer{{Height: 180}}, "0 x 180"},
		"negative":         {media.Video, []Layer{{Width: 320, Height: -180}}, "320 x -180"},
		"too large":        {media.Video, []Layer{{Width: 20_000, Height: 180}}, "20000 x 180"},
		"long codecString": {media.Video, []Layer{{Width: 320, Height: 180, CodecString: strings.Repeat("a", 65)}}, "codec string"},
		"long config":      {media.Video, []Layer{{Width: 320, Height: 180, Config: make([]byte, 4097)}}, "config of 4097 bytes"},
	} {
		track := Track{ID: "a", Kind: c.kind, Source: SourceCamera, Codec: media.VP8, Layers: c.layers}
		if c.kind == media.Audio {
			track.Codec = media.Opus
		}
		err := track.CheckOffer()
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v, want %q", name, err, c.fault)
		}
	}
}
