package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// uplinkWorld joins a sender's uplink to a relay as a socket would: what is pulled goes into the Publisher.
type uplinkWorld struct {
	*world
	ann, bob *session
	cam      *source
	up       *Uplink
	track    *UplinkTrack
	sent     uint64
}

func newUplinkWorld(t *testing.T) *uplinkWorld {
	w := newWorld(t, Options{})
	u := &uplinkWorld{world: w, bob: w.join("bob", Selector{}), ann: w.join("ann"), up: NewUplink(func(bool) {})}
	u.cam = u.ann.camera()
	u.track = u.up.Add(u.cam.info.Layers[0].Alias, ClassVideo, 0)
	u.bob.drain()
	return u
}

// write puts a frame into the uplink and reports whether a key frame is wanted next.
func (u *uplinkWorld) write(key bool, size int) (keyWanted bool) {
	for _, m := range u.cam.next(key, size, media.MaxChunkPayload) {
		c, err := media.ParseChunk(m.Data)
		if err != nil {
			u.t.Fatal(err)
		}
		u.tape.note(m)
		if c.Last {
			u.tape.whole(&c.ChunkHeader, u.cam.data)
		}
		keyWanted = u.track.Write(&c, m)
	}
	return keyWanted
}

// carry takes what the uplink gives out to the relay, acknowledged or not.
func (u *uplinkWorld) carry(ack bool) {
	u.t.Helper()
	for more := true; more; {
		var out []Out
		out, more = u.up.Pull(nil)
		for _, o := range out {
			u.sent += uint64(len(o.Data))
			if err := u.deliver(o.Data, o.Message); err != nil {
				u.t.Fatal(err)
			}
		}
	}
	if ack && !u.up.Acked(u.sent, u.up.now()) {
		u.t.Fatal("ack refused")
	}
	u.bob.drain()
}

func (u *uplinkWorld) deliver(data []byte, m Message) error {
	if data[0] == media.KindChunk {
		c, err := media.ParseChunk(data)
		if err != nil {
			return err
		}
		return u.ann.pub.Write(&c, m)
	}
	c, err := media.ParseControl(data)
	if err != nil {
		return err
	}
	return u.ann.pub.Control(c)
}

// What the uplink drops, it drops so that the relay takes the rest without a complaint.
func TestUplinkDropsByTheRelaysRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUplinkWorld(t)
		for i := range 100 {
			u.write(i%25 == 0, 20_000)
			u.carry(i < 10 || i > 60) // the way is blocked for 2 s
			if age := u.up.Age(); age > 400*time.Millisecond {
				t.Fatalf("a frame of %v", age)
			}
			wait(40 * time.Millisecond)
		}
		if u.track.End(media.EndFinished); u.up.Drained() {
			t.Error("drained with an End to send")
		}
		in := u.bob.of("ann", "camera")
		u.carry(true)
		if !u.up.Drained() || !in.of.ended || u.bob.count(TrackRemoved) != 1 {
			t.Errorf("drained %v, ended %v", u.up.Drained(), in.of.ended)
		}
		if last := in.got[len(in.got)-1]; last.group != 4 || last.frame != 24 || len(in.abandons) != 1 {
			t.Errorf("the last frame is %v, abandons %v", last, in.abandons)
		}
		if d := u.up.Drops(); d[media.DropAge] == 0 || int(d.Total())+len(in.got) != 100 {
			t.Errorf("drops %v, %d delivered", d, len(in.got))
		}
	})
}

func TestUplinkWantsAKeyFrameWhenItsGateIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUplinkWorld(t)
		if u.write(true, 1000) {
			t.Error("a key frame is wanted behind a key frame")
		}
		u.up.AddSent(full)
		wait(time.Second)
		if !u.write(false, 1000) {
			t.Error("the group is being dropped, and no key frame is wanted")
		}
		u.sent += full
		u.up.Acked(u.sent, u.up.now())
		if u.write(true, 1000) {
			t.Error("a key frame is wanted behind a key frame")
		}
	})
}

func TestUplinkStartsOverAfterAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUplinkWorld(t)
		u.write(true, 50_000)
		u.write(false, 50_000)
		u.up.Pull(nil) // into the socket that breaks
		in := u.bob.of("ann", "camera")
		u.ann.m.Lost(u.ann.sub, nil)
		u.ann = u.ann.resume()
		u.up.Reconnected()
		if u.sent = 0; !u.write(false, 1000) {
			t.Error("no key frame is wanted on the new connection")
		}
		u.carry(true)
		u.write(true, 1000)
		u.track.End(media.EndFinished)
		u.carry(true)
		if len(in.got) != 1 || in.got[0].group != 2 || !in.of.ended {
			t.Errorf("%d frames, ended %v", len(in.got), in.of.ended)
		}
	})
}

// An End that waited when the connection broke goes out on the next one.
func TestUplinkKeepsEndAcrossAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUplinkWorld(t)
		u.write(true, 1000)
		u.track.End(media.EndFinished)
		in := u.bob.of("ann", "camera")
		u.ann.m.Lost(u.ann.sub, nil)
		u.ann = u.ann.resume()
		u.up.Reconnected()
		if u.carry(true); !in.of.ended || !u.up.Drained() {
			t.Errorf("ended %v, drained %v", in.of.ended, u.up.Drained())
		}
	})
}

func TestUplinkTrackMayWaitLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUplinkWorld(t)
		u.track.Wait(10 * time.Second)
		u.up.AddSent(full)
		for i := range 20 {
			u.write(i == 0, 1000)
			wait(400 * time.Millisecond)
		}
		if d := u.track.Drops(); d.Total() != 0 || u.up.Age() != 8*time.Second {
			t.Errorf("drops %v within 10 s, the oldest waits %v", d, u.up.Age())
		}
		u.track.Wait(0)
		u.write(false, 1000)
		if d := u.track.Drops(); d[media.DropAge] != 21 {
			t.Errorf("drops %v", d)
		}
	})
}
