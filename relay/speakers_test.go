package relay

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// crowd is a room of speakers, and a listener whose link takes less than they say.
type crowd struct {
	bob      *session
	speakers []*source
	level    []uint8 // of each speaker, in -dBov
	size     []int   // of each one's packets
}

func newCrowd(t *testing.T, n int) *crowd {
	w := newWorld(t, Options{})
	c := &crowd{bob: w.join("bob", Selector{})}
	for i := range n {
		c.speakers = append(c.speakers, w.join(fmt.Sprintf("s%d", i)).mic())
		c.level, c.size = append(c.level, uint8(20+10*i)), append(c.size, 100)
	}
	c.bob.drain()
	return c
}

// talk lets everybody talk for a while, and bob's link take so many bytes a second.
func (c *crowd) talk(d time.Duration, takes int) {
	for range d / (20 * time.Millisecond) {
		for i, s := range c.speakers {
			s.say(c.size[i], c.level[i])
		}
		wait(20 * time.Millisecond)
		c.bob.halfRate(uint64(takes / 50))
		if c.bob.w.relay.now()%time.Second < 20*time.Millisecond {
			c.bob.sub.Tick()
		}
	}
}

// say sends a packet of a level.
func (c *source) say(size int, level uint8) {
	c.s.t.Helper()
	list := c.next(true, size, media.MaxChunkPayload)
	for i := range list {
		list[i].Data[16] = 0x80 | level
	}
	c.pieces(list)
}

// heard is how many packets of each speaker came since the last call.
func (c *crowd) heard() []int {
	var n []int
	for i := range c.speakers {
		in := c.bob.of(fmt.Sprintf("s%d", i), "mic")
		n = append(n, len(in.got))
		in.got = nil
	}
	return n
}

func TestTheLoudestAreHeardWholeWhereNotAllFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 5) // 30 kB/s
		c.talk(4*time.Second, 14_000)
		c.heard()
		c.talk(4*time.Second, 14_000) // two fit
		n := c.heard()
		if n[0] < 196 || n[1] < 196 || n[3]+n[4] > 60 {
			t.Errorf("of 200 packets each, loudest first: %v", n)
		}
		if d := c.bob.sub.Stats().Drops; d[media.DropQuiet] < 300 {
			t.Errorf("drops %v", d)
		}
		// Somebody who was quiet begins to shout, and takes another's place; nobody comes and goes within a second.
		c.level[4] = 5
		c.talk(3*time.Second, 14_000)
		c.heard()
		c.talk(2*time.Second, 14_000)
		if n := c.heard(); n[4] < 95 || n[0] < 95 {
			t.Errorf("of 100 packets each, the last one shouts: %v", n)
		}
		// All are heard again when all fits.
		c.talk(12*time.Second, 60_000)
		c.heard()
		c.talk(2*time.Second, 60_000)
		for i, n := range c.heard() {
			if n < 98 {
				t.Errorf("speaker %d: %d of 100 packets though all fits", i, n)
			}
		}
	})
}

// One who sends more than a voice needs is late alone, and takes nobody's place, however loud.
func TestAFlooderShutsOutNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 3)
		c.level[2], c.size[2] = 0, 1200
		c.talk(10*time.Second, 30_000) // the first window may be the flooder's, and everybody late behind it
		c.heard()
		before := c.bob.sub.Stats().Drops[media.DropQuiet]
		c.talk(4*time.Second, 30_000)
		if n := c.heard(); n[0] < 198 || n[1] < 198 {
			t.Errorf("of 200 packets each beside a flooder: %v", n)
		}
		if d := c.bob.sub.Stats().Drops; d[media.DropQuiet] != before || d[media.DropAge] == 0 {
			t.Errorf("drops %v", d)
		}
	})
}

// A link that stalls says nothing of what fits.
func TestAStallShutsOutNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 4)
		c.talk(time.Second, 100_000)
		for range 100 { // 2 s without an ack
			for i, s := range c.speakers {
				s.say(c.size[i], c.level[i])
			}
			wait(20 * time.Millisecond)
		}
		c.talk(500*time.Millisecond, 100_000)
		c.heard()
		c.talk(time.Second, 100_000)
		for i, n := range c.heard() {
			if n < 48 {
				t.Errorf("speaker %d: %d of 50 packets right after a stall", i, n)
			}
		}
		if d := c.bob.sub.Stats().Drops; d[media.DropQuiet] != 0 {
			t.Errorf("drops %v", d)
		}
	})
}
