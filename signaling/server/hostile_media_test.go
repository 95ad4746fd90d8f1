package server

import (
	"testing"

	"landline/media"
	"landline/signaling"
)

// binaries sends binary messages that are made from the aliases.
func binaries(make func(cam, micro uint16) [][]byte) func(*rawSocket, uint16, uint16) {
	return func(r *rawSocket, cam, micro uint16) { r.send(rawMessages(signaling.OpBinary, make(cam, micro)...)) }
}

// v is a video chunk with 16 bytes of payload.
func v(cam uint16, group uint32, frame uint16, offset uint32, last bool) []byte {
	return chunkOf(media.ChunkHeader{Alias: cam, Group: group, Frame: frame, Offset: offset, Last: last, Key: frame == 0}, 16)
}

func sized(h media.ChunkHeader, length uint32, n int) []byte {
	h.SetLength(length)
	return chunkOf(h, n)
}

func one(msg ...byte) func(uint16, uint16) [][]byte {
	return func(uint16, uint16) [][]byte { return [][]byte{msg} }
}

// chunks is everything against docs/protocol.md sections 5 and 8.
var chunks = []hostile{
	{"empty message", true, binaries(one()), signaling.CloseBadChunk},
	{"version 2", true, binaries(one(0x20, 0, 0, 0)), signaling.CloseUnsupportedVersion},
	{"half a header", true, binaries(one(0x10, 3, 0, 1, 0)), signaling.CloseBadChunk},
	{"no payload", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{chunkOf(media.ChunkHeader{Alias: cam, Key: true, Last: true}, 0)}
	}), signaling.CloseBadChunk},
	{"alias 0", true, binaries(func(_, _ uint16) [][]byte { return [][]byte{v(0, 1, 0, 0, true)} }), signaling.CloseBadChunk},
	{"payload of 16 KiB + 1", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{chunkOf(media.ChunkHeader{Alias: cam, Key: true, Last: true}, media.MaxChunkPayload+1)}
	}), signaling.CloseTooLarge},
	{"a piece of 17 bytes", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{chunkOf(media.ChunkHeader{Alias: cam, Key: true}, 17)}
	}), signaling.CloseBadChunk},
	{"key flag in mid-group", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, true), chunkOf(media.ChunkHeader{Alias: cam, Key: true, Last: true, Group: 1, Frame: 1}, 1)}
	}), signaling.CloseBadChunk},
	{"offset skips", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, false), v(cam, 1, 0, 32, true)}
	}), signaling.CloseChunkOrder},
	{"offset overlaps", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, false), v(cam, 1, 0, 16, false), v(cam, 1, 0, 16, true)}
	}), signaling.CloseChunkOrder},
	{"a frame begins within a frame", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, false), v(cam, 1, 1, 0, true)}
	}), signaling.CloseChunkOrder},
	{"a group begins within a frame", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, false), v(cam, 2, 0, 0, true)}
	}), signaling.CloseChunkOrder},
	{"a frame is missing", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, true), v(cam, 1, 2, 0, true)}
	}), signaling.CloseChunkOrder},
	{"a frame comes twice", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, true), v(cam, 1, 0, 0, true)}
	}), signaling.CloseChunkOrder},
	{"a group goes back", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 2, 0, 0, true), v(cam, 1, 0, 0, true)}
	}), signaling.CloseChunkOrder},
	{"a group begins with frame 3", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, true), v(cam, 2, 3, 0, true)}
	}), signaling.CloseChunkOrder},
	{"a group without a key frame", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, true), chunkOf(media.ChunkHeader{Alias: cam, Last: true, Group: 2}, 1)}
	}), signaling.CloseChunkOrder},
	{"a piece of nothing", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{v(cam, 1, 0, 0, true), v(cam, 1, 1, 16, true)}
	}), signaling.CloseChunkOrder},
	{"audio repeats a group", true, binaries(func(_, micro uint16) [][]byte {
		return [][]byte{audio(micro, 5, []byte("x")), audio(micro, 5, []byte("x"))}
	}), signaling.CloseChunkOrder},
	{"audio with frame 1", true, binaries(func(_, micro uint16) [][]byte {
		return [][]byte{audio(micro, 5, []byte("x")), chunkOf(media.ChunkHeader{Alias: micro, Last: true, Group: 6, Frame: 1}, 1)}
	}), signaling.CloseChunkOrder},
	{"a frame announced with 1 MiB + 1", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{sized(media.ChunkHeader{Alias: cam, Key: true}, media.MaxFrameSize+1, 16)}
	}), signaling.CloseTooLarge},
	{"a frame announced with 2^32-1", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{sized(media.ChunkHeader{Alias: cam, Key: true}, 1<<32-1, 16)}
	}), signaling.CloseTooLarge},
	{"a frame that grows over 1 MiB", true, binaries(func(cam, _ uint16) (all [][]byte) {
		for off := uint32(0); off < 1<<20; off += media.MaxChunkPayload {
			all = append(all, chunkOf(media.ChunkHeader{Alias: cam, Key: true, Offset: off}, media.MaxChunkPayload-16))
			off -= 16
		}
		return all
	}), signaling.CloseTooLarge},
	{"longer than announced", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{sized(media.ChunkHeader{Alias: cam, Key: true}, 20, 16), v(cam, 1, 0, 16, true)}
	}), signaling.CloseChunkOrder},
	{"shorter than announced", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{sized(media.ChunkHeader{Alias: cam, Key: true, Last: true}, 20, 16)}
	}), signaling.CloseChunkOrder},
	{"ack for what was never sent", true, binaries(func(_, _ uint16) [][]byte {
		return [][]byte{media.Ack{Bytes: 1 << 40}.Append(nil)}
	}), signaling.CloseBadChunk},
	{"ack that goes back", true, binaries(func(_, _ uint16) [][]byte {
		return [][]byte{media.Ack{Bytes: 100}.Append(nil), media.Ack{Bytes: 99}.Append(nil)}
	}), signaling.CloseBadChunk},
	{"ack of 19 bytes", true, binaries(func(_, _ uint16) [][]byte { return [][]byte{media.Ack{}.Append(nil)[:19]} }), signaling.CloseBadChunk},
	{"End of 13 bytes", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{append(media.Control{Kind: media.KindEnd, Alias: cam}.Append(nil), 0)}
	}), signaling.CloseBadChunk},
	{"catch-up marker", true, binaries(func(cam, _ uint16) [][]byte {
		return [][]byte{media.Control{Kind: media.KindCatchUp, Alias: cam}.Append(nil)}
	}), signaling.CloseBadChunk},
	{"1,000 chunks under strange aliases", true, binaries(func(_, _ uint16) (all [][]byte) {
		for range signaling.MaxUnknownAlias {
			all = append(all, v(60_000, 1, 0, 0, true))
		}
		return all
	}), signaling.CloseFlood},
}

// TestLateChunksAreForgiven: what a sender had under way when its track ended, and kinds of a later version, do
// no harm.
func TestLateChunksAreForgiven(t *testing.T) {
	_, url := start(t, Config{})
	r, cam, micro := rawIn(t, url, "r")
	r.send(rawMessages(signaling.OpBinary, v(cam, 1, 0, 0, true), media.Control{Kind: media.KindEnd, Alias: cam, Group: 1, Frame: 1}.Append(nil),
		v(cam, 1, 1, 0, true), v(cam, 9, 9, 16, false), media.Control{Kind: media.KindEnd, Alias: cam, Group: 1, Frame: 1}.Append(nil),
		media.Control{Kind: media.KindAbandon, Alias: micro, Group: 77, Frame: 3}.Append(nil), []byte{0x1F, 1, 2, 3}))
	r.send(text(`{"type":"bye"}`))
	if code, reason, _ := r.awaitClose(); code != int(signaling.CloseNormal) {
		t.Fatalf("closed with %d %s", code, reason)
	}
}

// TestNeverFinishedFramesAreBounded begins frames on all tracks that a member may have, and finishes none.
func TestNeverFinishedFramesAreBounded(t *testing.T) {
	_, url := start(t, Config{})
	bob, bobJoined := narrow(t, url).enter("r", `"subscribe":[{}]`)
	bob.noAcks = true // and does not read either
	ann, joined := enter(t, url, "r", `"publish":[`+manyCameras(signaling.MaxTracks)+`]`)
	go drainProbe(ann)
	for _, track := range joined.Self.Tracks {
		for off := uint32(0); off+media.MaxChunkPayload < 1<<19; off += media.MaxChunkPayload {
			ann.binary(chunkOf(media.ChunkHeader{Alias: track.Layers[0].Alias, Key: true, Offset: off}, media.MaxChunkPayload))
		}
	}
	ann.text(`{"type":"mute","track":"camera-0","muted":true}`) // is dealt with behind all that
	within(t, patience, "the server has read it all", func() bool { return status(t, url, joined.Self.ID).Tracks[0].Muted })
	if q := status(t, url, bobJoined.Self.ID).Link.QueueBytes; q > signaling.MaxTracks<<19 {
		t.Fatalf("%d bytes wait", q)
	}
}
