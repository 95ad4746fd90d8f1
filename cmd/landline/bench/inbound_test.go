package bench

import (
	"testing"

	pion "github.com/pion/rtp"

	"landline/media"
	"landline/media/rtp"
)

// packetsOf makes packets of the next frames of a track, as the relay and the floor do.
func packetsOf(o *outlet, codec media.Codec, frames int) (list []*pion.Packet) {
	pack := rtp.NewPacketizer(codec, rtp.NewClock(codec, 0, 0), 65_530) // over the end of the numbers
	for i := range frames {
		h, data := o.stamped(int64(1000 + i))
		list = append(list, pack.Packets(media.Frame{Timestamp: int64(i) * 20_000, Key: h.Key, Data: data}, h.Temporal, h.Sync)...)
	}
	return list
}

// arrival is what a viewer counts of packets.
type arrival struct {
	whole, broken int
	bytes         uint64
	packets, lost uint64
	sent          []int64
}

func arrive(list []*pion.Packet, audio bool) (a arrival) {
	in := &inbound{audio: audio}
	for _, p := range list {
		if !in.push(p) {
			continue
		}
		if !in.whole {
			a.broken++
			continue
		}
		a.whole++
		a.bytes += in.bytes
		a.sent = append(a.sent, in.sent)
	}
	a.packets, a.lost = in.packets, in.lost
	return a
}

func TestAViewerTellsFramesFromPackets(t *testing.T) {
	p := &plan{Rooms: 1, Publishers: 1, Rate: 30, Size: 6000, Chunk: 16384}
	list := packetsOf(&outlet{plan: p}, media.VP8, 3)
	if len(list) != 18 {
		t.Fatalf("%d packets", len(list))
	}
	a := arrive(list, false)
	if a.whole != 3 || a.broken != 0 || a.bytes != 18_000 || a.packets != 18 || a.lost != 0 || a.sent[0] != 1000 || a.sent[2] != 1002 {
		t.Errorf("%+v", a)
	}
	sound := packetsOf(&outlet{plan: p, audio: true}, media.Opus, 10)
	if a := arrive(sound, true); a.whole != 10 || a.bytes != 10*audioSize || a.packets != 10 || a.lost != 0 || a.sent[9] != 1009 {
		t.Errorf("%+v", a)
	}
}

func TestAViewerTellsWhatWasLost(t *testing.T) {
	p := &plan{Rooms: 1, Publishers: 1, Rate: 30, Size: 6000, Chunk: 16384}
	for name, c := range map[string]struct {
		without       []int // of 18 packets, six for each frame
		whole, broken int
		lost          uint64
	}{
		"in the middle":          {[]int{8}, 2, 1, 1},
		"the first of a frame":   {[]int{6}, 2, 1, 1},
		"the last of a frame":    {[]int{11}, 2, 0, 1},
		"a whole frame":          {[]int{6, 7, 8, 9, 10, 11}, 2, 0, 6},
		"over the end of frames": {[]int{5, 6}, 1, 1, 2},
	} {
		var list []*pion.Packet
		gone := map[int]bool{}
		for _, i := range c.without {
			gone[i] = true
		}
		for i, p := range packetsOf(&outlet{plan: p}, media.VP8, 3) {
			if !gone[i] {
				list = append(list, p)
			}
		}
		a := arrive(list, false)
		if a.whole != c.whole || a.broken != c.broken || a.lost != c.lost || a.packets+a.lost != 18 {
			t.Errorf("%s: %+v", name, a)
		}
	}
	// One that comes late was not lost, but its frame was given up.
	late := packetsOf(&outlet{plan: p}, media.VP8, 3)
	late[8], late[9] = late[9], late[8]
	if a := arrive(late, false); a.whole != 2 || a.broken != 1 || a.packets != 18 || a.lost != 0 {
		t.Errorf("late: %+v", a)
	}
}
