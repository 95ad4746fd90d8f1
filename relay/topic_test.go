package relay

import (
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// listener reads topics as the writer of a session does, on a link that takes so many bytes between two acks.
type listener struct {
	t       tester
	m       *Member
	sub     *Subscriber
	woken   atomic.Int64
	sent    uint64
	got     []Value
	values  map[string]string // the newest of each key
	batches []*Batch
	epoch   string
	place   uint64
}

func (w *world) listen(name string) *listener { w.t.Helper(); return w.listenIn("room", name) }

func (w *world) listenIn(room, name string) *listener {
	w.t.Helper()
	l := &listener{t: w.t, values: map[string]string{}}
	m, err := w.relay.Join(room, Identity{ID: name, Name: name}, everything, func(bool) { l.woken.Add(1) })
	if err != nil {
		w.t.Fatal(err)
	}
	l.m = m
	_, l.sub = m.Handles()
	return l
}

func (l *listener) follow(topic string, mode Mode) {
	l.t.Helper()
	if err := l.m.Follow(topic, mode, l.epoch, l.place); err != nil {
		l.t.Fatal(err)
	}
}

// pull takes all that there is room for.
func (l *listener) pull() {
	for more := true; more; {
		var out []Out
		out, more = l.sub.Pull(nil)
		for _, o := range out {
			n := len(o.Data)
			if o.Batch != nil {
				n = o.Batch.size
				l.take(o.Batch)
			} else if o.Event != nil {
				n = 100
			}
			l.sent += uint64(n)
			l.sub.AddSent(n - len(o.Data))
		}
	}
}

func (l *listener) take(b *Batch) {
	l.t.Helper()
	if b.From == 0 {
		clear(l.values)
	} else if l.epoch == b.Epoch && b.From < l.place {
		l.t.Fatalf("a batch from %d to one who was told up to %d", b.From, l.place)
	}
	seen := map[string]bool{}
	last := b.From
	for _, v := range b.Values {
		if v.Seq <= last || v.Seq > b.To || b.Mode == Latest && seen[v.Key] {
			l.t.Fatalf("value %d of %q in a batch of %d to %d", v.Seq, v.Key, b.From, b.To)
		}
		last, seen[v.Key] = v.Seq, true
		if l.values[v.Key] = string(v.Data); v.Gone {
			delete(l.values, v.Key)
		}
	}
	l.got = append(l.got, b.Values...)
	l.batches = append(l.batches, b)
	l.epoch, l.place = b.Epoch, b.To
}

func (l *listener) ack() {
	l.t.Helper()
	if !l.sub.Acked(l.sent, 0) {
		l.t.Fatal("ack refused")
	}
}

// drain takes all there is.
func (l *listener) drain() {
	for before := ^uint64(0); before != l.sent; {
		before = l.sent
		l.pull()
		l.ack()
	}
}

func (l *listener) put(topic string, mode Mode, values ...string) {
	l.t.Helper()
	p := &Put{Topic: topic, Mode: mode}
	for i := 0; i < len(values); i += 2 {
		p.Values = append(p.Values, Value{Key: values[i], Data: []byte(values[i+1])})
	}
	if err := l.m.Put(p); err != nil {
		l.t.Fatal(err)
	}
}

func TestLatestKeepsNoBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		feed, fast, twin, slow := w.listen("feed"), w.listen("fast"), w.listen("twin"), w.listen("slow")
		for _, l := range []*listener{fast, twin, slow} {
			l.follow("quotes", Latest)
		}
		for i := range 500 {
			for range 10 {
				feed.put("quotes", Latest, "K"+strconv.Itoa(i%20), strconv.Itoa(i))
			}
			time.Sleep(time.Millisecond)
			fast.drain()
			twin.drain()
		}
		wait(2 * topicGap)
		fast.drain()
		twin.drain()
		if n := len(fast.batches); n > 500/20+2 {
			t.Errorf("%d batches in half a second", n)
		}
		for i := range fast.batches {
			if fast.batches[i] != twin.batches[i] {
				t.Fatalf("batch %d was made twice for two who are equally far", i)
			}
		}
		if n := slow.sub.Stats().DataBehind; n != 20 {
			t.Errorf("one who took nothing has %d values to come, of 20 keys", n)
		}
		slow.drain()
		late := w.listen("late")
		late.follow("quotes", Latest)
		late.drain()
		for _, l := range []*listener{fast, slow, late} {
			for i := range 20 {
				if got, want := l.values["K"+strconv.Itoa(i)], strconv.Itoa(480+i); got != want {
					t.Errorf("%s: K%d is %s, not %s", l.m.Name(), i, got, want)
				}
			}
		}
		if len(slow.got) != 20 || len(late.got) != 20 {
			t.Errorf("%d and %d values to those who came to it late", len(slow.got), len(late.got))
		}
	})
}

func TestOneWhoWaitsIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		feed, l := w.listen("feed"), w.listen("reader")
		l.follow("t", Latest)
		l.drain()
		l.woken.Store(0)
		feed.put("t", Latest, "a", "1")
		if l.woken.Load() != 1 {
			t.Fatal("nobody was woken by the first value")
		}
		l.drain()
		feed.put("t", Latest, "a", "2")
		if l.drain(); l.values["a"] != "1" || l.woken.Load() != 1 {
			t.Error("a second batch within 20 ms")
		}
		wait(2 * topicGap)
		if l.drain(); l.woken.Load() != 2 || l.values["a"] != "2" {
			t.Errorf("woken %d times, a is %s", l.woken.Load(), l.values["a"])
		}
	})
}

func TestAudioGoesBeforeData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.join("ann"), w.join("bob", Selector{})
		mic, cam := ann.mic(), ann.camera()
		bob.drain()
		if err := bob.m.Follow("t", Latest, "", 0); err != nil {
			t.Fatal(err)
		}
		cam.send(true, 100)
		for i := range 200 {
			if err := ann.m.Put(&Put{Topic: "t", Mode: Latest, Values: []Value{{Key: strconv.Itoa(i), Data: make([]byte, 100)}}}); err != nil {
				t.Fatal(err)
			}
		}
		wait(2 * topicGap)
		mic.send(true, 60)
		out, _ := bob.sub.Pull(nil)
		var order []string
		for _, o := range out {
			switch {
			case o.Batch != nil:
				order = append(order, "data")
			case o.Event != nil:
			case o.Data[0] == media.KindChunk:
				c, err := media.ParseChunk(o.Data)
				if err != nil {
					t.Fatal(err)
				}
				order = append(order, map[uint16]string{mic.info.Layers[0].Alias: "audio", cam.info.Layers[0].Alias: "video"}[c.Alias])
			}
		}
		if len(order) < 3 || order[0] != "audio" || order[1] != "data" {
			t.Errorf("they go out as %v", order)
		}
	})
}

func TestOrderedKeepsALittleHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		feed, l := w.listen("feed"), w.listen("reader")
		for i := range 100 {
			feed.put("log", Ordered, "", strconv.Itoa(i))
		}
		l.follow("log", Ordered)
		wait(2 * topicGap)
		l.drain()
		for i := range maxKept + 50 {
			feed.put("log", Ordered, "", strconv.Itoa(100+i))
		}
		wait(2 * topicGap)
		l.drain()
		if len(l.got) != 100+maxKept || string(l.got[100].Data) != "150" {
			t.Fatalf("%d values, after the hundredth comes %s", len(l.got), l.got[100].Data)
		}
		missed := uint64(0)
		for _, b := range l.batches {
			missed += b.Missed
		}
		if missed != 50 {
			t.Errorf("told of %d values that were gone", missed)
		}
	})
}

func TestLossyForgetsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		feed, l := w.listen("feed"), w.listen("reader")
		l.follow("pointer", Lossy)
		feed.put("pointer", Lossy, "", "old")
		wait(lossyAge + time.Millisecond)
		feed.put("pointer", Lossy, "", "new")
		wait(2 * topicGap)
		l.drain()
		if len(l.got) != 1 || string(l.got[0].Data) != "new" {
			t.Errorf("%v", l.got)
		}
	})
}

func TestWhatIsSentTwiceCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		feed, l := w.listen("feed"), w.listen("reader")
		l.follow("log", Ordered)
		send := func(n uint64, values ...string) {
			p := &Put{Topic: "log", Mode: Ordered, Source: "s", N: n}
			for _, v := range values {
				p.Values = append(p.Values, Value{Data: []byte(v)})
			}
			if err := feed.m.Put(p); err != nil {
				t.Fatal(err)
			}
		}
		send(1, "a", "b")
		send(2, "b", "c")
		send(1, "a", "b", "c")
		send(4, "d")
		wait(2 * topicGap)
		l.drain()
		var got string
		for _, v := range l.got {
			got += string(v.Data)
		}
		if got != "abcd" {
			t.Error(got)
		}
	})
}

func TestOwnedKeysGoWithTheirMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, l := w.listen("ann"), w.listen("reader")
		l.follow("players", Latest)
		if err := ann.m.Put(&Put{Topic: "players", Mode: Latest, Owned: true, Values: []Value{{Key: "ann", Data: []byte("1")}}}); err != nil {
			t.Fatal(err)
		}
		ann.put("players", Latest, "score", "7")
		wait(2 * topicGap)
		l.drain()
		ann.m.Leave("bye")
		wait(2 * topicGap)
		l.drain()
		if _, there := l.values["ann"]; there || l.values["score"] != "7" {
			t.Errorf("%v", l.values)
		}
		late := w.listen("late")
		late.follow("players", Latest)
		late.drain()
		if len(late.got) != 1 {
			t.Errorf("one who comes later is told of %v", late.got)
		}
	})
}
