package client

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"landline/media"
	"landline/signaling"
)

// Options say where to go and as whom.
type Options struct {
	// URL of the relay: http, https, ws or wss. "/ws" is put behind its path unless it ends so.
	URL string
	// Room is required; Name is what others see; Token is needed where the relay has keys.
	Room, Name, Token string
	// Agent names the program; "" means "landline-go".
	Agent string
	// Decode lists the codecs to be sent; nil means all that the relay carries.
	Decode []media.Codec
	// Publish and Subscribe go with the join, so that media flows after one round trip.
	Publish   []signaling.Track
	Subscribe []signaling.Subscribe
	// Clock, if not nil, gives the clock of the tracks in Publish that have none, just before they are first announced.
	// took is how long the connection took so far: media can be sent about one round trip from then on.
	Clock func(took time.Duration) signaling.Clock

	// WebRTC, if not nil, carries the media, both ways, beside the WebSocket; what cannot be is an error of Dial. When that connection is
	// lost, media goes over the WebSocket.
	WebRTC WebRTC

	// OnEvent is called with each message of the roster, tracks, chat, drops, notices and errors: a pointer to a
	// struct of package signaling. After *signaling.Joined, also that of a reconnect, come MemberLeft, TrackRemoved,
	// MemberJoined and TrackAdded for what is different from what was known.
	OnEvent func(msg any)
	// OnFrame is called with each frame that is received.
	OnFrame func(t *Incoming, f Frame)

	// OnOffer is called with an object that another member offers. What it returns takes the bytes; nil declines, as does
	// OnOffer == nil. An object that is known, and is offered again since a connection or the relay was away, goes on by itself.
	OnOffer func(*Receiving) Sink

	// MaxAge is how long a frame may wait in the uplink before it is dropped; 0 means as in a call: audio 300 ms, video
	// 400 ms, screen 1 s.
	MaxAge time.Duration
	// ChunkSize is the most payload of a chunk in bytes; 0 means 4,096.
	ChunkSize int
	// GiveUp is how long a lost connection is tried to be restored; 0 means 60 s, negative means not at all.
	GiveUp time.Duration
	// TLS is for wss; nil means Go's defaults.
	TLS *tls.Config
	// Logger gets what happens to the connection; nil means nothing is logged.
	Logger *slog.Logger
}

const (
	defaultChunk  = 4096
	defaultGiveUp = time.Minute
)

var allCodecs = []media.Codec{media.Opus, media.VP8, media.VP9, media.H264, media.AV1}

// complete fills in defaults and checks what the relay would refuse.
func (o Options) complete() (Options, error) {
	if err := signaling.CheckJoinable(o.Room); err != nil {
		return o, err
	}
	if err := signaling.CheckName(o.Name); err != nil {
		return o, err
	}
	address, err := socketURL(o.URL)
	if err != nil {
		return o, err
	}
	o.URL = address
	if o.Agent == "" {
		o.Agent = "landline-go"
	}
	if o.Decode == nil {
		o.Decode = allCodecs
	}
	if o.ChunkSize <= 0 {
		o.ChunkSize = defaultChunk
	}
	if o.GiveUp == 0 {
		o.GiveUp = defaultGiveUp
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnEvent == nil {
		o.OnEvent = func(any) {}
	}
	if o.OnFrame == nil {
		o.OnFrame = func(*Incoming, Frame) {}
	}
	return o, nil
}

// socketURL maps the address of a relay to that of its WebSocket.
func socketURL(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("relay address: %w", err)
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "ws"
	case "https", "wss":
		u.Scheme = "wss"
	default:
		return "", fmt.Errorf("relay address %q: want http, https, ws or wss", address)
	}
	if u.Host == "" {
		return "", fmt.Errorf("relay address %q has no host", address)
	}
	if !strings.HasSuffix(u.Path, "/ws") {
		u.Path = strings.TrimSuffix(u.Path, "/") + "/ws"
	}
	u.Fragment = ""
	return u.String(), nil
}
