package relay

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestTopicsAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.listen("ann")
		for i := range maxTopics {
			ann.put(fmt.Sprint("t", i), Ordered, "", "1")
		}
		if err := ann.m.Put(&Put{Topic: "more", Mode: Latest, Values: []Value{{}}}); !errors.Is(err, ErrTooManyTopics) {
			t.Error(err)
		}
		if err := ann.m.Follow("t0", Latest, "", 0); !errors.Is(err, ErrTopicMode) {
			t.Error(err)
		}
		bob := w.listenIn("other", "bob")
		for i := range maxKeys {
			bob.put("t", Latest, strconv.Itoa(i), "1")
		}
		if err := bob.m.Put(&Put{Topic: "t", Mode: Latest, Values: []Value{{Key: "more"}}}); !errors.Is(err, ErrTooManyKeys) {
			t.Error(err)
		}
		if err := bob.m.Put(&Put{Topic: "t", Mode: Latest, Values: []Value{{Key: "7", Gone: true}}}); err != nil {
			t.Error(err)
		}
		bob.put("t", Latest, "more", "1") // in the place of the key that is gone
	})
}

// TestAForgottenKeyIsForgottenByAll: also by one who was behind when it went, and when nobody knew any more that it had.
func TestAForgottenKeyIsForgottenByAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		feed, behind, empty := w.listen("feed"), w.listen("behind"), w.listen("empty")
		for i := range maxKeys {
			feed.put("t", Latest, strconv.Itoa(i), "1")
		}
		behind.follow("t", Latest)
		wait(2 * topicGap)
		behind.drain()
		if err := feed.m.Put(&Put{Topic: "t", Mode: Latest, Values: []Value{{Key: "7", Gone: true}}}); err != nil {
			t.Fatal(err)
		}
		feed.put("t", Latest, "more", "1")
		wait(2 * topicGap)
		behind.drain()
		if _, there := behind.values["7"]; there || len(behind.values) != maxKeys {
			t.Errorf("%d keys, and 7 is there: %v", len(behind.values), there)
		}
		empty.follow("nothing", Latest)
		if empty.drain(); len(empty.batches) != 1 || len(empty.batches[0].Values) != 0 {
			t.Error("one who follows an empty topic is not told that it is empty")
		}
	})
}

// TestTopicsEndRight: whatever readers do, in the end each knows what the topic holds.
func TestTopicsEndRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, Options{})
		feed := w.listen("feed")
		readers := []*listener{}
		want := map[string]string{}
		var now atomic.Int64
		clock := func() time.Duration { return time.Duration(now.Load()) }
		tp := newTopic("t", Latest, clock)
		feed.m.room.topics["t"] = tp
		defer tp.close()
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				key, v := rapid.StringMatching("[a-d]").Draw(t, "key"), rapid.StringMatching("[0-9]{1,3}").Draw(t, "value")
				if rapid.IntRange(0, 9).Draw(t, "gone") == 0 {
					if err := feed.m.Put(&Put{Topic: "t", Mode: Latest, Values: []Value{{Key: key, Gone: true}}}); err != nil {
						t.Fatal(err)
					}
					delete(want, key)
					return
				}
				feed.put("t", Latest, key, v)
				want[key] = v
			},
			"join": func(t *rapid.T) {
				if len(readers) < 5 {
					l := w.listen(fmt.Sprint("r", len(readers)))
					l.follow("t", Latest)
					readers = append(readers, l)
				}
			},
			"pull": func(t *rapid.T) {
				if len(readers) > 0 {
					rapid.SampledFrom(readers).Draw(t, "reader").pull()
				}
			},
			"time": func(t *rapid.T) { now.Add(int64(rapid.IntRange(1, 30).Draw(t, "ms")) * int64(time.Millisecond)) },
		})
		now.Add(int64(time.Hour))
		tp.tellLate()
		for _, l := range readers {
			if l.drain(); fmt.Sprint(l.values) != fmt.Sprint(want) {
				t.Fatalf("%s ends with %v, not %v", l.m.Name(), l.values, want)
			}
		}
	})
}
