package rtp

import (
	"encoding/json"
	"os"
	"testing"

	"landline/media"
)

// The vectors are read by the browser's client as well.
func TestTimestampsStandForTimes(t *testing.T) {
	text, err := os.ReadFile("../../testdata/rtpclock.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Name, Kind string
			Us         int64
			RTP        uint32
			Steps      []struct {
				RTP uint32
				Us  int64
			}
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors.Cases) == 0 {
		t.Fatal(err)
	}
	codecs := map[string]media.Codec{"audio": media.Opus, "video": media.VP8}
	for _, c := range vectors.Cases {
		clock := NewClock(codecs[c.Kind], c.Us, c.RTP)
		for i, s := range c.Steps {
			if us := clock.Micros(s.RTP); us != s.Us {
				t.Errorf("%s: step %d is %d, want %d", c.Name, i, us, s.Us)
			}
		}
	}
}
