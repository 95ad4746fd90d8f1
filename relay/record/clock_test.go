package record

import (
	"cmp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
	"landline/relay"
)

// The first frames of a connection are late, by no fault of the member's clock: members lie in the file as they were all the same.
func TestALateBeginningIsNoOffset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		formats, packets := clip(t)
		r := w.start(Order{Room: "room"})
		zero := time.Now()
		type sending struct {
			at     time.Duration
			who    *person
			packet media.Packet
		}
		var all []sending
		for _, c := range []struct {
			id            string
			joins, lateBy time.Duration
		}{{"ann", 0, 0}, {"bo", 0, 120 * time.Millisecond}, {"cyd", 1300 * time.Millisecond, 250 * time.Millisecond}} {
			p := w.person(c.id)
			p.m.Unsubscribe(relay.Selector{}) // a link of no time at all has no rate by which to send
			p.publish(formats, false)
			for _, k := range packets {
				due := time.Duration(k.Timestamp) * time.Microsecond
				all = append(all, sending{c.joins + max(due, c.lateBy), p, k})
			}
		}
		slices.SortStableFunc(all, func(a, b sending) int { return cmp.Compare(a.at, b.at) })
		for _, s := range all {
			time.Sleep(time.Until(zero.Add(s.at)))
			s.who.send([]media.Packet{s.packet})
		}
		w.heardOut()
		r.Stop()
		f := w.saved(r).Files[0]
		_, got := w.packets(f.Name)
		first := map[string]int64{}
		for i, track := range f.Tracks {
			same(t, got[i], packets, slices.IndexFunc(formats, func(f media.Format) bool { return string(f.Kind) == track.Kind }))
			if at, ok := first[track.Member]; !ok || got[i][0].Timestamp < at {
				first[track.Member] = got[i][0].Timestamp
			}
		}
		for id, want := range map[string]int64{"ann": 0, "bo": 0, "cyd": 1_300_000} {
			if off := first[id] - want; off < -1000 || off > 1000 {
				t.Errorf("%s begins at %d µs, want %d", id, first[id], want)
			}
		}
	})
}
