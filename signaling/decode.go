package signaling

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"unicode"
	"unicode/utf8"
)

// types makes an empty message of each type. A message's Type is always its key here.
var types = map[string]func() any{
	"hello": func() any { return new(Hello) }, "welcome": func() any { return new(Welcome) },
	"join": func() any { return new(Join) }, "joined": func() any { return new(Joined) },
	"publish": func() any { return new(Publish) }, "published": func() any { return new(Published) },
	"configure": func() any { return new(Configure) }, "mute": func() any { return new(Mute) },
	"unpublish": func() any { return new(Unpublish) }, "encoding": func() any { return new(Encoding) },
	"subscribe": func() any { return new(Subscribe) }, "unsubscribe": func() any { return new(Unsubscribe) },
	"keyframe": func() any { return new(KeyFrame) }, "feedback": func() any { return new(Feedback) },
	"wanted": func() any { return new(Wanted) }, "layer": func() any { return new(LayerSent) },
	"chat": func() any { return new(Chat) }, "bye": func() any { return new(Bye) },
	"memberJoined": func() any { return new(MemberJoined) }, "memberLeft": func() any { return new(MemberLeft) },
	"memberState": func() any { return new(MemberState) },
	"trackAdded":  func() any { return new(TrackAdded) }, "trackUpdated": func() any { return new(TrackAdded) },
	"trackRemoved": func() any { return new(TrackRemoved) }, "drops": func() any { return new(Drops) },
	"notice": func() any { return new(Notice) }, "error": func() any { return new(Error) },
	"ackInterval": func() any { return new(AckInterval) },
	"record":      func() any { return new(Record) }, "recording": func() any { return new(Recording) },
	"playback": func() any { return new(Playback) },
	"put":      func() any { return new(Put) }, "follow": func() any { return new(Follow) },
	"unfollow": func() any { return new(Unfollow) }, "data": func() any { return new(Data) },
	"offer": func() any { return new(Offer) }, "offering": func() any { return new(Offering) },
	"offered": func() any { return new(Offered) }, "accept": func() any { return new(Accept) },
	"accepted": func() any { return new(Accepted) }, "credit": func() any { return new(Credit) },
	"finish": func() any { return new(Finish) }, "received": func() any { return new(Received) },
	"cancel":   func() any { return new(Cancel) },
	"rtcOffer": func() any { return new(RTCOffer) }, "rtcAnswer": func() any { return new(RTCAnswer) },
	"rtcTrack": func() any { return new(RTCTrack) }, "rtcEnd": func() any { return new(RTCEnd) },
	"rtcClose": func() any { return new(RTCClose) }, "rtcPath": func() any { return new(RTCPath) },
	"rtcSent": func() any { return new(RTCSent) }, "rtcForce": func() any { return new(RTCForce) },
}

// Decode reads one control message: a pointer to one of this package's message structs, or nil for a type
// that this version does not know. Every error is for the one who sent it, and is a bad-message.
func Decode(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("a text message that is not UTF-8")
	}
	var head struct {
		Type *string `json:"type"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, describe(err)
	}
	if head.Type == nil {
		return nil, errors.New("a message without a type")
	}
	make, ok := types[*head.Type]
	if !ok {
		return nil, nil
	}
	msg := make()
	if err := json.Unmarshal(text, msg); err != nil {
		return nil, describe(err)
	}
	if c, ok := msg.(checker); ok {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", *head.Type, err)
		}
	}
	return msg, nil
}

// Encode gives a message's JSON. All messages are plain structs, so it cannot fail.
func Encode(msg any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(msg); err != nil {
		panic("signaling: " + err.Error())
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

func describe(err error) error {
	var field *json.UnmarshalTypeError
	if errors.As(err, &field) && field.Field != "" {
		return fmt.Errorf("field %q is a %s", field.Field, field.Value)
	}
	if errors.As(err, &field) {
		return fmt.Errorf("not a JSON object but a %s", field.Value)
	}
	return fmt.Errorf("not JSON: %w", err)
}

// checker is a message with rules for its fields (docs/protocol.md section 4).
type checker interface{ check() error }

var (
	roomRule  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$`)
	trackRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)
)

// CheckRoom applies the rule for room names.
func CheckRoom(room string) error {
	if !roomRule.MatchString(room) {
		return fmt.Errorf("room name %q: 1 to 64 characters of A-Z a-z 0-9 _ . ~ -, beginning with a letter or digit", clip(room))
	}
	return nil
}

// recordingRule is for what joins a recording, to watch it alone; whether there is one is the server's to say.
var recordingRule = regexp.MustCompile(`^recordings/([A-Za-z0-9_.~-]{1,100})$`)

// RecordingRoom is the room in which a recording is watched alone.
func RecordingRoom(id string) string { return "recordings/" + id }

// RecordingOf gives the recording that is watched in a room; "" for a room of people.
func RecordingOf(room string) (id string) {
	if m := recordingRule.FindStringSubmatch(room); m != nil {
		return m[1]
	}
	return ""
}

// CheckJoinable applies the rule for what can be joined: a room, or a recording.
func CheckJoinable(room string) error {
	if RecordingOf(room) != "" {
		return nil
	}
	return CheckRoom(room)
}

// CheckName applies the rule for names of people: at most 64 characters, none of them a control character.
func CheckName(name string) error {
	if utf8.RuneCountInString(name) > MaxName {
		return fmt.Errorf("name of over %d characters", MaxName)
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return fmt.Errorf("name %q has a control character", clip(name))
		}
	}
	return nil
}

// CheckTrackID applies the rule for track ids.
func CheckTrackID(id string) error {
	if !trackRule.MatchString(id) {
		return fmt.Errorf("track id %q: 1 to 32 characters of A-Z a-z 0-9 _ -, beginning with a letter or digit", clip(id))
	}
	return nil
}

func checkMember(id string) error {
	if id == "" || len(id) > MaxName {
		return fmt.Errorf("member id %q: 1 to %d bytes", clip(id), MaxName)
	}
	return nil
}

// clip keeps a quoted value short in an error text.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

func (m *Join) check() error {
	if err := errors.Join(CheckJoinable(m.Room), CheckName(m.Name)); err != nil {
		return err
	}
	for i := range m.Subscribe {
		if err := m.Subscribe[i].check(); err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
	}
	return nil
}

func (m *Subscribe) check() error {
	if m.MaxAgeMs < 0 || m.MaxAgeMs > 30_000 || m.MaxAgeMs > 0 && m.MaxAgeMs < 50 {
		return fmt.Errorf("maxAgeMs %d: 0, or 50 to 30000", m.MaxAgeMs)
	}
	if m.Priority != nil && (*m.Priority < 0 || *m.Priority > 9) {
		return fmt.Errorf("priority %d: 0 to 9", *m.Priority)
	}
	if m.Height < 0 || m.Height > MaxHeight {
		return fmt.Errorf("height %d: 0 to %d", m.Height, MaxHeight)
	}
	return checkSelector(m.Member, m.Name, m.Track)
}

func (m *Encoding) check() error {
	if len(m.Layers) > MaxLayers {
		return fmt.Errorf("%d layers: at most %d", len(m.Layers), MaxLayers)
	}
	return CheckTrackID(m.Track)
}

func (m *Unsubscribe) check() error { return checkSelector(m.Member, m.Name, m.Track) }

func checkSelector(member, name, track string) error {
	if member != "" && name != "" {
		return errors.New("member and name exclude each other")
	}
	if track != "" && member == "" {
		return errors.New("track needs member")
	}
	if len(member) > MaxName {
		return checkMember(member)
	}
	if track != "" {
		return CheckTrackID(track)
	}
	return CheckName(name)
}

func (m *KeyFrame) check() error  { return errors.Join(checkMember(m.Member), CheckTrackID(m.Track)) }
func (m *Mute) check() error      { return CheckTrackID(m.Track) }
func (m *Unpublish) check() error { return CheckTrackID(m.Track) }
func (m *Configure) check() error { return CheckTrackID(m.Track) }

func (m *AckInterval) check() error {
	if m.Ms < 10 || m.Ms > 1000 {
		return fmt.Errorf("ms %d: 10 to 1000", m.Ms)
	}
	return nil
}
