package signaling

import "fmt"

// CloseCode is a WebSocket close code of docs/protocol.md section 12. Its range says whether to come back.
type CloseCode int

// The codes. 4000-4099: resume at once. 4100-4199: come back later. 4400-4499: do not return.
const (
	CloseNormal   CloseCode = 1000
	CloseProtocol CloseCode = 1002 // the WebSocket protocol itself was broken
	CloseBroken   CloseCode = 1006 // never on the wire: the connection ended without a word
	CloseTooBig   CloseCode = 1009

	CloseRestart     CloseCode = 4000
	CloseTimeout     CloseCode = 4001
	CloseInternal    CloseCode = 4002
	CloseSlowControl CloseCode = 4003

	CloseOverloaded CloseCode = 4100
	CloseRoomFull   CloseCode = 4101

	CloseBadToken           CloseCode = 4400
	CloseTokenExpired       CloseCode = 4401
	CloseForbidden          CloseCode = 4402
	CloseReplaced           CloseCode = 4403
	CloseJoinTimeout        CloseCode = 4404
	CloseUnsupportedVersion CloseCode = 4405
	CloseBadMessage         CloseCode = 4406
	CloseBadChunk           CloseCode = 4407
	CloseChunkOrder         CloseCode = 4408
	CloseTooLarge           CloseCode = 4409
	CloseFlood              CloseCode = 4410
	CloseCredit             CloseCode = 4411
	CloseNoSuchRecording    CloseCode = 4412
)

var closeNames = map[CloseCode]string{
	CloseNormal: "bye", CloseProtocol: "protocol", CloseBroken: "broken", CloseTooBig: "too-large",
	CloseRestart: "restart", CloseTimeout: "timeout", CloseInternal: "internal", CloseSlowControl: "slow-control",
	CloseOverloaded: "overloaded", CloseRoomFull: "room-full",
	CloseBadToken: "bad-token", CloseTokenExpired: "token-expired", CloseForbidden: "forbidden", CloseReplaced: "replaced",
	CloseJoinTimeout: "join-timeout", CloseUnsupportedVersion: "unsupported-version", CloseBadMessage: "bad-message",
	CloseBadChunk: "bad-chunk", CloseChunkOrder: "chunk-order", CloseTooLarge: "too-large", CloseFlood: "flood",
	CloseCredit: "credit", CloseNoSuchRecording: "no-such-recording",
}

// Name is the code's stable name, as in the error message and the close reason; "" if it has none.
func (c CloseCode) Name() string { return closeNames[c] }

// Retry reports what a client does after a close with this code: come back with its resume token, and if
// so whether only later.
func (c CloseCode) Retry() (again, later bool) {
	switch {
	case c == 1001 || c == 1005 || c == 1006 || c == 1011 || c == 1012 || c >= 4000 && c < 4100:
		return true, false
	case c >= 4100 && c < 4200:
		return true, true
	}
	return false, false
}

// Closed is the error of a session that was closed with a code.
type Closed struct {
	Code CloseCode
	Text string
}

func (e *Closed) Error() string { return fmt.Sprintf("%s (%d): %s", e.Code.Name(), e.Code, e.Text) }

// Closef makes a Closed.
func Closef(code CloseCode, format string, args ...any) *Closed {
	return &Closed{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Codes of errors that do not end the session.
const (
	ErrResumeRefused        = "resume-refused"
	ErrNoGrant              = "no-grant"
	ErrBadTrack             = "bad-track"
	ErrTrackExists          = "track-exists"
	ErrNoSuchTrack          = "no-such-track"
	ErrNoSuchMember         = "no-such-member"
	ErrTooManyTracks        = "too-many-tracks"
	ErrTooManySubscriptions = "too-many-subscriptions"
	ErrBadChat              = "bad-chat"
	ErrNoAlias              = "no-alias"
	ErrBadTopic             = "bad-topic"
	ErrBadValue             = "bad-value"
	ErrTooManyTopics        = "too-many-topics"
	ErrTopicMode            = "topic-mode"
	ErrTooManyKeys          = "too-many-keys"
	ErrBadObject            = "bad-object"
	ErrObjectDiffers        = "object-differs"
	ErrTooManyStreams       = "too-many-streams"
	ErrNoSuchStream         = "no-such-stream"
	ErrBadOffset            = "bad-offset"
	ErrAcceptedTwice        = "accepted-twice"
	ErrNoWebRTC             = "no-webrtc"
	ErrBadSDP               = "bad-sdp"
	ErrNoRecording          = "no-recording"
	ErrRecordingRuns        = "recording-runs"
	ErrNotRecorded          = "not-recorded"
)
