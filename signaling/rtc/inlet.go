package rtc

import (
	"landline/media"
	"landline/media/rtp"
	"landline/relay"
	"landline/signaling"
)

// inlet writes the frames of one m-line into a relay.
type inlet struct {
	pub   *relay.Publisher // written to by one at a time: who calls write holds a lock
	alias uint16
	audio bool

	group uint32
	frame int // next in group
	begun bool
}

// chunkSize is the payload of the chunks of what comes by RTP.
const chunkSize = 4096

const maxGroupFrames = 1 << 16

// write takes a frame of a time, or the word that the rest of a group is not coming.
func (in *inlet) write(f rtp.Frame, us int64) {
	head := media.ChunkHeader{Alias: in.alias, Key: f.Key, Timestamp: uint32(us)}
	switch {
	case f.Data == nil || !f.Key && in.frame == maxGroupFrames:
		_ = in.pub.Control(media.Control{Kind: media.KindAbandon, Alias: in.alias, Group: in.group, Frame: uint16(in.frame)})
		in.begun = false
		return
	case in.audio:
		in.group += uint32(1 + f.Missing)
		head.SetLevel(f.Level, f.Voice)
	case f.Key:
		in.group++
		in.frame, in.begun = 0, true
	case !in.begun:
		return
	}
	if !in.audio {
		head.SetLength(uint32(len(f.Data)))
		head.Frame = uint16(in.frame)
		in.frame++
	}
	head.Group = in.group
	media.Split(head, f.Data, chunkSize, signaling.Headroom, func(buf []byte) {
		data := buf[signaling.Headroom:]
		c, err := media.ParseChunk(data)
		if err != nil {
			panic("rtc: " + err.Error()) // Split keeps every rule
		}
		_ = in.pub.Write(&c, relay.Message{Data: data, Wire: signaling.FrameInPlace(buf)}) // the track may be gone; the path's end comes
	})
}
