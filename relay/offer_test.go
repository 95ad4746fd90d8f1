package relay

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// A receiver that answers at once, while the sender's own answer is still being made.
func TestOfferingComesBeforeWhatBefallsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.porter("ann"), w.porter("bob")
		list, err := ann.m.Offer(Object{ID: "x", Size: 1}, "", 7)
		if err != nil || bob.m.CancelStream(list[0].Stream, "declined") != nil {
			t.Fatal(err)
		}
		var told []EventKind
		out, _ := ann.sub.Pull(nil)
		for _, o := range out {
			if o.Event != nil && o.Event.Object != nil {
				told = append(told, o.Event.Kind)
			}
			if o.Event != nil && o.Event.Kind == ObjectOffering && (o.Event.Req != 7 || o.Event.Object.ID != "x" || len(o.Event.Object.Streams) != 1 || o.Event.Object.Streams[0] != list[0]) {
				t.Errorf("offering %d of %+v", o.Event.Req, o.Event.Object)
			}
		}
		if len(told) != 2 || told[0] != ObjectOffering || told[1] != ObjectCancelled {
			t.Errorf("the sender is told %v", told)
		}
	})
}

func TestStreamsAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.porter("bob")
		var senders []*porter
		offers := func(p *porter, to string, most int) (n int) {
			for ; n <= most; n++ {
				if _, err := p.m.Offer(Object{ID: fmt.Sprint(n), Size: 1}, to, 1); err != nil {
					if !errors.Is(err, ErrTooManyStreams) {
						t.Fatal(err)
					}
					return n
				}
			}
			return n
		}
		ann := w.porter("ann")
		if n := offers(ann, "bob", 100); n != maxStreamsTo {
			t.Errorf("a receiver takes %d streams", n)
		}
		if list := ann.offer("everybody", "", nil); len(list) != 0 {
			t.Errorf("one who has all it takes is offered more: %v", list)
		}
		cyd := w.porter("cyd")
		if n := offers(ann, "cyd", 100); n != maxStreamsFrom-maxStreamsTo {
			t.Errorf("a sender has %d streams more", n)
		}
		if _, err := ann.m.Offer(Object{ID: "0", Size: 2}, "bob", 1); !errors.Is(err, ErrObjectDiffers) {
			t.Errorf("the same object with another size: %v", err)
		}
		total := maxStreamsFrom
		for i := range maxStreams/maxStreamsTo + 1 {
			p := w.porter(fmt.Sprint("sender ", i))
			senders = append(senders, p)
			to := w.porter(fmt.Sprint("receiver ", i))
			total += offers(p, to.m.ID(), 100)
		}
		if total != maxStreams || len(cyd.m.room.streams) != maxStreams {
			t.Errorf("the room has %d streams", total)
		}
		for _, p := range append(senders, ann) {
			p.m.Leave("bye")
		}
		bob.pull(lots)
		if n := len(bob.m.room.streams); n != 0 {
			t.Errorf("%d streams of members who left", n)
		}
	})
}
