package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/rtc"
)

// binarySize is how large a frame is sent to see whether binary messages pass: some of the largest, which a link of 64 kbit/s takes in time.
const binarySize = 4 * media.MaxChunkPayload

// binary sends one frame up, and where there are frames to receive compares it with what comes down.
func (x *examination) binary(ctx context.Context, room *client.Room, frames <-chan media.Frame) {
	ctx, cancel := context.WithTimeout(ctx, doctorBinary)
	defer cancel()
	track := signaling.Track{ID: "doctor", Kind: media.Video, Source: signaling.SourceFile, Codec: media.VP8, CodecString: "vp8", Width: 16, Height: 16,
		Clock: signaling.Clock{Us: 1, WallUs: time.Now().UnixMicro()}}
	tracks, err := room.Publish(ctx, []signaling.Track{track})
	if err != nil {
		x.note("binary", stateSkipped, time.Time{}, "the relay does not let this look at it: %v", err)
		return
	}
	sent := media.Frame{Timestamp: 1, Key: true, Data: make([]byte, binarySize)}
	_, _ = rand.NewChaCha8([32]byte{1}).Read(sent.Data) // it never fails
	began := time.Now()
	if err = tracks[0].Write(sent); err == nil && frames == nil {
		tracks[0].End()
		err = room.Drain(ctx)
	}
	switch {
	case err != nil:
		x.note("binary", stateFailed, began, "%d bytes did not come to the relay: %v", binarySize, err)
	case frames == nil:
		x.note("binary", stateOK, began, "%d bytes went up whole", binarySize)
	default:
		x.comesDown(ctx, room, frames, sent, began)
	}
}

// comesDown waits for a frame that was sent. Its track is not ended before, since what waits of one that is over is not waited for long.
func (x *examination) comesDown(ctx context.Context, room *client.Room, frames <-chan media.Frame, sent media.Frame, began time.Time) {
	select {
	case f := <-frames:
		if !bytes.Equal(f.Data, sent.Data) {
			x.note("binary", stateFailed, began, "other bytes came down than went up")
			return
		}
		x.note("binary", stateOK, began, "%d bytes went up and came down whole", binarySize)
	case <-room.Done():
		x.note("binary", stateFailed, began, "the connection broke under %d bytes: %v", binarySize, room.Err())
	case <-ctx.Done():
		x.note("binary", stateFailed, began, "%d bytes did not come through within %v", binarySize, doctorBinary)
	}
}

// mirror hands on what the relay says again of what was said.
type mirror struct{ heard chan any }

func newMirror() *mirror { return &mirror{heard: make(chan any, 16)} }

func (m *mirror) event(msg any) {
	switch msg.(type) {
	case *signaling.Chat, *signaling.Error:
		select {
		case m.heard <- msg:
		default: // somebody else talks in this room
		}
	}
}

// rounds is how many messages are sent to see how long one is on its way.
const rounds = 20

// latency sends messages, one after another, that the relay sends back with its time.
func (x *examination) latency(ctx context.Context, room *client.Room, here *mirror) {
	var trips []time.Duration
	var ahead time.Duration // of the relay's clock, by the quickest message
	for range rounds {
		sent := time.Now()
		said, err := x.round(ctx, room, here)
		if err != nil {
			x.note("latency", stateSkipped, time.Time{}, "%v", err)
			return
		}
		trip := time.Since(sent)
		if len(trips) == 0 || trip < slices.Min(trips) {
			ahead = time.UnixMicro(said.AtUs).Sub(sent.Add(trip / 2))
		}
		trips = append(trips, trip)
	}
	slices.Sort(trips)
	x.show(&finding{Check: "latency", State: stateOK, Ms: milliseconds(trips[len(trips)/2]),
		Text: fmt.Sprintf("a message and its answer take %.1f ms, of %d the slowest %.1f ms", milliseconds(trips[len(trips)/2]), rounds, milliseconds(trips[len(trips)-1]))})
	x.clock(ahead, trips[0])
}

// clockMatters is a difference of clocks that makes tokens begin too late or end too early.
const clockMatters = 30 * time.Second

func (x *examination) clock(ahead, quickest time.Duration) {
	f := &finding{Check: "clock", State: stateOK, Ms: milliseconds(ahead), Text: fmt.Sprintf("the relay's differs from this one by %.1f ms, give or take %.1f ms", milliseconds(ahead.Abs()), milliseconds(quickest/2))}
	if ahead.Abs() > clockMatters {
		f.State, f.Text = stateFailed, fmt.Sprintf("the relay's clock is %v ahead of this one: tokens made here begin or end at the wrong time", ahead.Round(time.Second))
	}
	x.show(f)
}

// round sends one message and waits for it.
func (x *examination) round(ctx context.Context, room *client.Room, here *mirror) (*signaling.Chat, error) {
	if err := room.Send(&signaling.Chat{Text: "doctor"}); err != nil {
		return nil, err
	}
	late := time.NewTimer(doctorChat)
	defer late.Stop()
	for {
		select {
		case msg := <-here.heard:
			switch m := msg.(type) {
			case *signaling.Chat:
				if m.From == room.Self() {
					return m, nil
				}
			case *signaling.Error:
				return nil, errors.New("the relay does not let this look at it: " + m.Text)
			}
		case <-late.C:
			return nil, errors.New("a message was not answered within " + doctorChat.String())
		case <-room.Done():
			return nil, room.Err()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// webRTC opens a PeerConnection beside another session, by UDP or by ICE-TCP.
func (x *examination) webRTC(ctx context.Context, check string, tcp bool) {
	ctx, cancel := context.WithTimeout(ctx, doctorRTC)
	defer cancel()
	began := time.Now()
	room, err := x.join(ctx, "doctor by "+check, client.Options{WebRTC: &rtc.Dialer{Receive: 1, TCP: tcp}})
	switch {
	case errors.Is(err, client.ErrNoWebRTC), errors.Is(err, rtc.ErrNoTCP):
		x.note(check, stateSkipped, time.Time{}, "%v", err)
	case err != nil:
		x.note(check, stateFailed, began, "%v", err)
	default:
		room.Close()
		x.note(check, stateOK, began, "WebRTC is connected after %.0f ms", milliseconds(time.Since(began)))
	}
}
