package relay

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// A link grew thin while there was nothing to send but sound, which told nothing of it. A file that begins then costs no sound: it does not fill the path
// with what the link took before.
func TestAFileThatBeginsOnALinkGrownThinCostsNoSound(t *testing.T) {
	for _, rtt := range []time.Duration{2 * time.Millisecond, 40 * time.Millisecond} {
		for idle := time.Duration(0); idle < ackInterval; idle += 20 * time.Millisecond {
			t.Run(fmt.Sprintf("rtt=%v/idle=%v", rtt, idle), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { fileOnAThinLink(t, rtt, idle) })
			})
		}
	}
}

func fileOnAThinLink(t *testing.T, rtt, idle time.Duration) {
	w := newWorld(t, Options{})
	bob, ann := w.join("bob", Selector{}), w.join("ann")
	p := newPath(bob, 4_000_000, rtt, 0)
	c := newSpeech(ann, 30_000, 120)
	p.mic = c.mic.alias()
	c.run(3*time.Second, p)
	c.hidden = true
	c.run(2*time.Second, p)
	p.rate = slowRate
	c.run(300*time.Millisecond+idle, p)
	f := send(w.porter("dan"), bob, 300_000)
	c.each = func() { f.step(p) }
	c.run(3*time.Second, p)
	if p.bulk < 3*slowRate/2 {
		t.Errorf("%d bytes of the file came in 3 s", p.bulk)
	}
	c.each = nil
	c.run(400*time.Millisecond, p)
	p.whole(t, 400*time.Millisecond)
}

// file is sent as the receiver's credit allows, and consumed as it comes.
type file struct {
	from   *porter
	to     *session
	stream uint32
}

func send(from *porter, to *session, size int) *file {
	f := &file{from: from, to: to, stream: from.offer("file", to.m.ID(), pattern(size))[0].Stream}
	if err := to.m.Accept(f.stream, 0); err != nil {
		from.t.Fatal(err)
	}
	return f
}

func (f *file) step(p *path) {
	f.from.pull(lots)
	f.from.send(f.stream, media.MaxChunkPayload, lots)
	if _, err := f.to.m.Credit(f.stream, p.bulk); err != nil {
		f.from.t.Fatal(err)
	}
}
