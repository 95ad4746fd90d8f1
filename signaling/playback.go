package signaling

// Playback tells of the recording that is played into the room. Members are the ids of those who are played. PositionMs is where it was in the
// recording at AtUs, µs since 1970 by the server's clock; from then on it goes on by itself while Playing. Over is the last that is told of it, and Why says
// why: ended, next, stopped, replaced, alone, failed, closed.
type Playback struct {
	Type       string   `json:"type"`
	Recording  string   `json:"recording"`
	Title      string   `json:"title,omitempty"` // of a file that was added; "": it was recorded
	Members    []string `json:"members"`
	ByName     string   `json:"byName,omitempty"`
	Playing    bool     `json:"playing"`
	Loop       bool     `json:"loop,omitempty"`
	PositionMs int64    `json:"positionMs"`
	AtUs       int64    `json:"atUs"`
	LengthMs   int64    `json:"lengthMs"`
	Next       []string `json:"next,omitempty"` // recordings that are played behind it
	Over       bool     `json:"over,omitempty"`
	Why        string   `json:"why,omitempty"`
}
