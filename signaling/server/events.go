package server

import (
	"sync/atomic"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// encodeOnce gives a message as a text frame, made once for all who receive it, and its payload's size.
func encodeOnce(cache *atomic.Pointer[[]byte], message func() any) (frame []byte, payload int) {
	cached := cache.Load()
	if cached == nil {
		frame := signaling.TextFrame(signaling.Encode(message()))
		cached = &frame
		cache.Store(cached)
	}
	return *cached, payloadOf(*cached)
}

// payloadOf is the size of an unmasked frame's payload.
func payloadOf(frame []byte) int {
	switch {
	case frame[1] < 126:
		return len(frame) - 2
	case frame[1] == 126:
		return len(frame) - 4
	}
	return len(frame) - 10
}

// eventMessage gives the message of docs/protocol.md section 4 that tells of an event.
func eventMessage(e *relay.Event) any {
	switch e.Kind {
	case relay.MemberJoined:
		return signaling.MemberJoined{Type: "memberJoined", Member: wireMember(relay.MemberInfo{ID: e.Member, Name: e.Name, State: e.State, Tracks: e.Tracks})}
	case relay.MemberLeft:
		return signaling.MemberLeft{Type: "memberLeft", ID: e.Member, Reason: e.Reason}
	case relay.MemberState:
		return signaling.MemberState{Type: "memberState", ID: e.Member, State: wireState(e.State)}
	case relay.TrackAdded:
		return signaling.TrackAdded{Type: "trackAdded", Member: e.Member, Track: wireTrack(e.Track)}
	case relay.TrackUpdated:
		return signaling.TrackAdded{Type: "trackUpdated", Member: e.Member, Track: wireTrack(e.Track)}
	case relay.TrackRemoved:
		return signaling.TrackRemoved{Type: "trackRemoved", Member: e.Member, Track: e.Track.ID, Reason: e.Reason}
	case relay.Feedback:
		return feedback(e)
	case relay.LayersWanted:
		return signaling.Wanted{Type: "wanted", Track: e.Track.ID, Layers: e.Layers}
	case relay.LayerSent:
		return signaling.LayerSent{Type: "layer", Member: e.Member, Track: e.Track.ID, Height: e.Height, Why: wireWhy(e.Why)}
	case relay.ChatText:
		return signaling.Chat{Type: "chat", Req: e.Req, From: e.Member, Name: e.Name, Text: e.Text, Seq: e.Seq, AtUs: e.At.UnixMicro(), Past: e.Past}
	case relay.DropReport:
		return wireDrops(e.Drops)
	case relay.RecordingState:
		return wireRecording(e.Recording)
	case relay.PlaybackState:
		return wirePlayback(e.Playback)
	case relay.NoticeText:
		return signaling.Notice{Type: "notice", Code: e.Reason, Member: e.Member, Track: e.Track.ID, Text: e.Text}
	}
	return objectMessage(e)
}

func feedback(e *relay.Event) signaling.Feedback {
	m := signaling.Feedback{Type: "feedback", Track: e.Track.ID, KeyFrame: true}
	if e.Layer > 0 {
		index := e.Layer - 1
		m.Layer = &index
	}
	return m
}

func wireWhy(why relay.LayerWhy) string {
	switch why {
	case relay.WhyLink:
		return signaling.WhyLink
	case relay.WhyPublisher:
		return signaling.WhyPublisher
	}
	return signaling.WhyAsked
}

func wireLayers(layers []relay.LayerInfo) (out []signaling.Layer) {
	for _, l := range layers {
		out = append(out, signaling.Layer(l))
	}
	return out
}

func wireState(s relay.State) string {
	if s == relay.Reconnecting {
		return signaling.Reconnecting
	}
	return signaling.Online
}

func wireMember(m relay.MemberInfo) signaling.Member {
	out := signaling.Member{ID: m.ID, Name: m.Name, State: wireState(m.State), Tracks: []signaling.Track{}}
	for _, t := range m.Tracks {
		out.Tracks = append(out.Tracks, wireTrack(t))
	}
	return out
}

func wireTrack(t relay.TrackInfo) signaling.Track {
	return signaling.Track{ID: t.ID, Kind: t.Kind, Source: t.Source, Codec: t.Codec, CodecString: t.CodecString, Config: t.Config,
		Width: t.Width, Height: t.Height, Colour: t.Colour, SampleRate: t.SampleRate, Channels: t.Channels,
		Layers: wireLayers(t.Layers), Clock: signaling.Clock(t.Clock), AtUs: t.AtUs, Muted: t.Muted, KeyOnRequest: t.KeyOnRequest}
}

func wireDrops(drops []relay.TrackDrops) signaling.Drops {
	out := signaling.Drops{Type: "drops"}
	for _, d := range drops {
		out.Tracks = append(out.Tracks, signaling.TrackDrop{Member: d.Member, Track: d.Track, Frames: dropNames(d.Frames)})
	}
	return out
}

// dropNames gives the counts that are not 0, by the names of the reasons.
func dropNames(counts relay.DropCounts) map[string]uint64 {
	out := map[string]uint64{}
	for r, n := range counts {
		if n > 0 {
			out[media.DropReason(r).String()] = n
		}
	}
	return out
}
