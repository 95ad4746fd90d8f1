package rtc

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// The vectors are read by the browser's client as well.
func TestPacketsThatDoNotComeAreTold(t *testing.T) {
	text, err := os.ReadFile("../../testdata/alive.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Name  string
			Steps []struct {
				Ms    int64
				Peer  uint64
				Own   uint64
				State bool
				Lost  bool
			}
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors.Cases) == 0 {
		t.Fatal(err)
	}
	begin := time.Now()
	for _, c := range vectors.Cases {
		var a alive
		for _, s := range c.Steps {
			if s.State {
				a.states(s.Peer)
				continue
			}
			if lost := a.lost(s.Own, begin.Add(time.Duration(s.Ms)*time.Millisecond)); lost != s.Lost {
				t.Errorf("%s, at %d ms: lost %v", c.Name, s.Ms, lost)
			}
		}
	}
}
