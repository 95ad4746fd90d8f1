package rtc

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"landline/media"
)

// arrivals are the payloads that came under each number of each stream.
type arrivals struct {
	mu  sync.Mutex
	got map[webrtc.SSRC]map[uint16][][]byte
}

func (a *arrivals) track(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	for {
		p, _, err := remote.ReadRTP()
		if err != nil {
			return
		}
		a.mu.Lock()
		if a.got[remote.SSRC()] == nil {
			a.got[remote.SSRC()] = map[uint16][][]byte{}
		}
		of := a.got[remote.SSRC()]
		of[p.SequenceNumber] = append(of[p.SequenceNumber], bytes.Clone(p.Payload))
		a.mu.Unlock()
	}
}

// wanted gives the packets of both streams that have come so far, once there are enough of each.
func (a *arrivals) wanted(least int) (asks []rtcp.Packet) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for ssrc, of := range a.got {
		var numbers []uint16
		for n := range of {
			numbers = append(numbers, n)
		}
		slices.Sort(numbers)
		if len(numbers) >= least {
			asks = append(asks, &rtcp.TransportLayerNack{MediaSSRC: uint32(ssrc), Nacks: rtcp.NackPairsFromSequenceNumbers(numbers)})
		}
	}
	return asks
}

// again counts the packets that came twice, and fails for one that was not the same.
func (a *arrivals) again(t *testing.T) (streams int) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, of := range a.got {
		twice := 0
		for n, list := range of {
			if len(list) < 2 {
				continue
			}
			if twice++; !bytes.Equal(list[0], list[1]) {
				t.Fatalf("packet %d came again with another payload", n)
			}
		}
		if twice >= 20 {
			streams++
		}
	}
	return streams
}

// nackingPeer may ask for sound again as well as for pictures, which Pion by itself does not offer.
func nackingPeer(t *testing.T) *peer {
	t.Helper()
	var s webrtc.SettingEngine
	s.DisableSRTPReplayProtection(true) // which would take the second of two for an attack
	m, err := mediaEngine()
	if err != nil {
		t.Fatal(err)
	}
	return newPeerWith(t, s, m)
}

// Packets are kept as they are and not copied, so nothing that is sent later may change them.
func TestWhatIsAskedForAgainComesAsItWas(t *testing.T) {
	l := newLab(t)
	ann := l.join("ann")
	picture := ann.writes(t, "camera", vp8Format)
	sound := ann.writes(t, "mic", media.Format{Kind: media.Audio, Codec: media.Opus, CodecString: "opus", SampleRate: 48_000, Channels: 2})
	i := 0
	next := func() {
		picture(video(i))
		sound(media.Frame{Timestamp: int64(i) * 20_000, Key: true, Data: []byte{0xfc, byte(i), byte(i >> 8)}})
		i++
	}
	viewer, a := nackingPeer(t), &arrivals{got: map[webrtc.SSRC]map[uint16][][]byte{}}
	viewer.OnTrack(a.track)
	viewer.receives(webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio)
	l.post(viewer, "/whep/room", "tok")
	viewer.connected()
	var asks []rtcp.Packet
	until(t, "packets of both", func() bool {
		next()
		asks = a.wanted(30)
		return len(asks) == 2
	})
	for range 10 {
		next()
	}
	until(t, "packets of both again", func() bool {
		if err := viewer.WriteRTCP(asks); err != nil { // what has just been sent is not sent again yet
			t.Fatal(err)
		}
		return a.again(t) == 2
	})
}
