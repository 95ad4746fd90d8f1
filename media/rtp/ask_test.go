package rtp

import (
	"reflect"
	"testing"
	"time"

	"github.com/pion/rtp"

	"landline/media"
)

const ms = time.Millisecond

// soundIn is a stream of sound that waits 250 ms for what is missing.
func soundIn(t *testing.T) *Depacketizer {
	t.Helper()
	return mustDepacketizer(t, Options{Codec: media.Opus, Wait: 250 * ms})
}

func pushSound(d *Depacketizer, seq uint16, now time.Duration) (got int) {
	d.Push(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: uint32(seq) * 960}, Payload: []byte{1}}, now)
	for _, ok := d.Next(now); ok; _, ok = d.Next(now) {
		got++
	}
	return got
}

func TestMissingPacketsAreAskedForAtOnceAndThenByTheRoundTrip(t *testing.T) {
	d := soundIn(t)
	want := func(now time.Duration, list ...uint16) {
		t.Helper()
		if got := d.Missing(now); !reflect.DeepEqual(got, list) {
			t.Fatalf("at %v %v is asked for, want %v", now, got, list)
		}
	}
	pushSound(d, 65_534, 0)
	want(0)
	pushSound(d, 2, 40*ms)
	want(40*ms, 65_535, 0, 1)
	want(60 * ms)
	if got := pushSound(d, 65_535, 100*ms); got != 1 { // so the round trip takes 60 ms
		t.Fatalf("%d frames behind the answer", got)
	}
	want(124 * ms)
	want(125*ms, 0, 1) // 85 ms later
	pushSound(d, 0, 186*ms)
	want(216 * ms) // the answer to the second request counts a little, as one that took long
	want(217*ms, 1)
	if got := pushSound(d, 1, 220*ms); got != 2 {
		t.Errorf("%d frames in the end, want 2", got)
	}
	want(time.Second)
}

// Where requests are answered late a packet is waited for longer, but not for ever; then it is not asked for any more.
func TestThePatienceFollowsTheRoundTrip(t *testing.T) {
	for _, c := range []struct{ trip, until time.Duration }{{5 * ms, 250 * ms}, {60 * ms, 425 * ms}, {200 * ms, 500 * ms}} {
		d := soundIn(t)
		pushSound(d, 0, 0)
		pushSound(d, 2, 0)
		d.Missing(0)
		pushSound(d, 1, c.trip)
		now := time.Second
		pushSound(d, 4, now)
		asked := 0
		for now < time.Second+c.until-ms {
			asked += len(d.Missing(now))
			now += ms
			if _, ok := d.Next(now); ok {
				t.Fatalf("round trip %v: given up after %v", c.trip, now-time.Second)
			}
		}
		if at, waits := d.Due(); !waits || at != time.Second+c.until {
			t.Errorf("round trip %v: given up after %v (%v), want %v", c.trip, at-time.Second, waits, c.until)
		}
		if f, ok := d.Next(time.Second + c.until); !ok || f.Missing != 1 {
			t.Errorf("round trip %v: nothing after %v", c.trip, c.until)
		}
		if asked < 2 || asked > askLimit {
			t.Errorf("round trip %v: asked %d times", c.trip, asked)
		}
		if again := d.Missing(time.Minute); again != nil {
			t.Errorf("%v is asked for though it was given up", again)
		}
	}
}
