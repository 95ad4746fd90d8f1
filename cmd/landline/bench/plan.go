package bench

import (
	"encoding/binary"
	"math"
	"time"

	"landline/media"
)

// plan is what is published in every room, and when: the publishers and the floor keep to the same.
type plan struct {
	Rooms, Publishers int
	Rate              float64 // video frames a second; 0: none
	Size              int     // bytes of a video frame
	Chunk             int     // most payload of a chunk
	Audio             bool
	Clip              []ClipFrame // instead of Rate and Size
}

// ClipFrame is one frame of a clip that is published in a loop.
type ClipFrame struct {
	At   int64 // µs since the clip's first frame
	Key  bool
	Data []byte
}

const (
	audioEvery = 20 * time.Millisecond
	audioSize  = 120
	keyEvery   = 2 * time.Second
	// stampAt is where in a frame's payload the stamp is: behind what VP8 has in front of a key frame.
	stampAt  = 16
	stampEnd = stampAt + 12
	// minFrame is the least size of a frame: shorter ones of a clip are made longer.
	minFrame = 32
)

func (p *plan) video() bool { return p.Rate > 0 || len(p.Clip) > 0 }

// bytesPerSecond is what a receiver gets of a room in payloads and headers, about.
func (p *plan) bytesPerSecond() float64 {
	sum := 0.0
	if p.Audio {
		sum += float64(time.Second/audioEvery) * (audioSize + 24)
	}
	switch {
	case len(p.Clip) > 0:
		for _, f := range p.Clip {
			sum += float64(len(f.Data)+24) / (float64(clipLength(p.Clip)) / 1e6)
		}
	case p.Rate > 0:
		sum += p.Rate * float64(p.Size+24)
	}
	return sum * float64(p.Publishers)
}

// clipLength is the time of a pass in µs: the last frame lasts as long as the others on average.
func clipLength(clip []ClipFrame) int64 {
	last := clip[len(clip)-1].At
	if len(clip) == 1 || last == 0 {
		return 33_333 * int64(len(clip))
	}
	return last + last/int64(len(clip)-1)
}

// outlet is one track of a publisher: which frame it sends next, and when.
type outlet struct {
	plan  *plan
	room  int
	audio bool
	phase int64 // ns; tracks of a call do not tick together
	alias uint16

	n        int64  // frames since the slice began
	seq      uint32 // frames since ever
	group    uint32
	number   uint16 // frame in group
	wantKey  bool
	sinceKey int64 // frames
	payload  []byte
}

// outlets makes the tracks of all publishers, in the order of their rooms; of each publisher video before audio.
func (p *plan) outlets() []*outlet {
	var list []*outlet
	for room := range p.Rooms {
		for i := range p.Publishers {
			at := float64(room*p.Publishers + i)
			if p.video() {
				list = append(list, &outlet{plan: p, room: room, phase: phaseOf(at, p.videoPeriod())})
			}
			if p.Audio {
				list = append(list, &outlet{plan: p, room: room, audio: true, phase: phaseOf(at+0.5, audioEvery)})
			}
		}
	}
	return list
}

// phaseOf gives the n-th of many a place in a period, such that any few that follow each other lie far apart.
func phaseOf(n float64, period time.Duration) int64 {
	_, part := math.Modf(n * math.Phi)
	return int64(part * float64(period))
}

func (p *plan) videoPeriod() time.Duration {
	if len(p.Clip) > 0 {
		return time.Duration(clipLength(p.Clip)/int64(len(p.Clip))) * time.Microsecond
	}
	return time.Duration(float64(time.Second) / p.Rate)
}

// begin starts a slice, for which the numbering of its frames goes on, not their schedule.
func (o *outlet) begin() { o.n = 0; o.wantKey = o.seq == 0 }

// due is when the next frame is to be sent, in ns since the slice began. It is computed from the frame's number, so
// that delays do not add up.
func (o *outlet) due() int64 {
	switch {
	case o.audio:
		return o.phase + o.n*int64(audioEvery)
	case len(o.plan.Clip) > 0:
		pass, i := o.n/int64(len(o.plan.Clip)), o.n%int64(len(o.plan.Clip))
		return o.phase + (pass*clipLength(o.plan.Clip)+o.plan.Clip[i].At)*1000
	}
	return o.phase + int64(float64(o.n)*float64(time.Second)/o.plan.Rate)
}

// next makes the next frame, stamped with the moment of sending, and hands its messages to emit, one after another.
func (o *outlet) next(sent int64, emit func(msg []byte)) {
	h, data := o.stamped(sent)
	split(h, data, o.plan.Chunk, emit)
}

// stamped makes the next frame.
func (o *outlet) stamped(sent int64) (media.ChunkHeader, []byte) {
	key, data := o.frame()
	if key && !o.audio || o.audio && o.seq > 0 {
		o.group++
		o.number, o.sinceKey, o.wantKey = 0, 0, false
	}
	binary.BigEndian.PutUint64(data[stampAt:], uint64(sent))
	binary.BigEndian.PutUint32(data[stampAt+8:], o.seq)
	h := media.ChunkHeader{Key: key, Alias: o.alias, Group: o.group, Frame: o.number, Timestamp: uint32(sent / 1000)}
	if o.audio {
		h.SetLevel(30, true)
	} else {
		h.SetLength(uint32(len(data)))
	}
	o.n++
	o.seq++
	o.number++
	o.sinceKey++
	return h, data
}

// frame gives the payload of the next frame, and whether it is a key frame.
func (o *outlet) frame() (key bool, data []byte) {
	switch {
	case o.audio:
		return true, o.scratch(audioSize)
	case len(o.plan.Clip) > 0:
		f := o.plan.Clip[o.n%int64(len(o.plan.Clip))]
		data = o.scratch(max(len(f.Data), minFrame))
		copy(data, f.Data)
		return f.Key, data
	}
	key = o.wantKey || o.sinceKey >= int64(o.plan.Rate*keyEvery.Seconds())
	data = o.scratch(o.plan.Size)
	copy(data, vp8Key) // as a VP8 frame begins; the rest is no picture, and nobody looks
	if !key {
		data[0] |= 1
	}
	return key, data
}

// vp8Key is a shown key frame's tag, start code, and a size of 640x360 (RFC 6386 section 9.1).
var vp8Key = []byte{0x10, 0x20, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01}

func (o *outlet) scratch(n int) []byte {
	for len(o.payload) < n {
		o.payload = append(o.payload, byte(len(o.payload)*167))
	}
	return o.payload[:n]
}

// messageRoom is more than any message with its headers.
const messageRoom = media.MaxMessageSize + 32

// split cuts a frame into chunks. A message is emit's until it returns.
func split(h media.ChunkHeader, data []byte, size int, emit func(msg []byte)) {
	var room [messageRoom]byte
	size = max(size/media.OffsetUnit*media.OffsetUnit, media.OffsetUnit*2) // the first holds the stamp
	for off := 0; off < len(data); off += size {
		end := min(off+size, len(data))
		h.Offset, h.Last = uint32(off), end == len(data)
		emit(append(h.Append(room[:0]), data[off:end]...))
	}
}

// stampOf reads the stamp of a frame's first chunk, given the payload.
func stampOf(payload []byte) (sent int64, seq uint32, ok bool) {
	if len(payload) < stampEnd {
		return 0, 0, false
	}
	return int64(binary.BigEndian.Uint64(payload[stampAt:])), binary.BigEndian.Uint32(payload[stampAt+8:]), true
}
