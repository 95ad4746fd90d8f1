package client_test

import (
	"context"
	"fmt"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
)

// A program that says something: it joins with one Opus track, sends packets, and leaves when the relay has them all.
func Example_publish() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	begin := time.Now()
	room, err := client.Dial(ctx, client.Options{URL: "http://127.0.0.1:8080", Room: "kitchen", Name: "robot",
		Publish: []signaling.Track{{ID: "mic", Kind: media.Audio, Source: signaling.SourceMic, Codec: media.Opus, CodecString: "opus",
			SampleRate: 48000, Channels: 1, Clock: signaling.Clock{Us: 0, WallUs: begin.UnixMicro()}}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer room.Close()
	mic := room.Track("mic")
	for _, packet := range opusPackets() {
		if err := mic.Write(media.Frame{Timestamp: time.Since(begin).Microseconds(), Data: packet}); err != nil {
			fmt.Println(err)
			return
		}
	}
	mic.End()
	if err := room.Drain(ctx); err != nil {
		fmt.Println(err)
	}
}

// A program that listens to everyone in a room, for a minute.
func Example_receive() {
	room, err := client.Dial(context.Background(), client.Options{URL: "http://127.0.0.1:8080", Room: "kitchen",
		Subscribe: []signaling.Subscribe{{}},
		OnFrame: func(t *client.Incoming, f client.Frame) {
			fmt.Println(t.Member.Name, t.Track().ID, f.Timestamp, len(f.Data))
		}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer room.Close()
	select {
	case <-room.Done():
		fmt.Println(room.Err())
	case <-time.After(time.Minute):
	}
}

func opusPackets() [][]byte { return nil }
