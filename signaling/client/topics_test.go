package client

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"landline/signaling"
)

// board is what a follower of a topic was told.
type board struct {
	mu     sync.Mutex
	values []signaling.Value
	newest map[string]string
	missed uint64
	more   chan struct{}
}

func newBoard() *board { return &board{newest: map[string]string{}, more: make(chan struct{}, 1)} }

func (b *board) take(d *signaling.Data) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.values = append(b.values, d.Values...)
	b.missed += d.Missed
	for _, v := range d.Values {
		b.newest[v.Key] = string(v.Value)
	}
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// until waits until what was told satisfies a condition.
func (b *board) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		b.mu.Lock()
		ok := holds()
		b.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-b.more:
		case <-late:
			t.Fatalf("not within 30 s: %s; %d values came", what, len(b.values))
		}
	}
}

func dialTopic(t *testing.T, url, name string) *Room {
	t.Helper()
	r, err := Dial(t.Context(), Options{URL: url, Room: "lab", Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// nowhere is an address at which nobody listens.
const nowhere = "127.0.0.1:1"

func number(i int) json.RawMessage { return json.RawMessage(strconv.Itoa(i)) }

// TestOrderedTopicSurvivesCuts: nothing is lost, doubled or reordered where each of the ends is cut 10 times somewhere, or with
// LANDLINE_LONG=1 25 times.
func TestOrderedTopicSurvivesCuts(t *testing.T) {
	url := serve(t)
	p, q := path(t, url), path(t, url)
	from, to := dialTopic(t, p.url, "from"), dialTopic(t, q.url, "to")
	b := newBoard()
	if err := to.Follow("log", "ordered", b.take); err != nil {
		t.Fatal(err)
	}
	const each = 40
	cuts := 10
	if os.Getenv("LANDLINE_LONG") != "" {
		cuts = 25
	}
	chance := rand.New(rand.NewPCG(1, 1))
	for cut := range cuts {
		mine, theirs := chance.IntN(each), chance.IntN(each)
		for i := range each {
			if err := from.Put(t.Context(), "log", "ordered", "", number(cut*each+i)); err != nil {
				t.Fatal(err)
			}
			if i == mine {
				p.Cut()
			}
			if i == theirs {
				q.Cut()
			}
		}
		b.until(t, "what was put arrives", func() bool { return len(b.values) >= (cut+1)*each })
	}
	if err := from.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, v := range b.values {
		if string(v.Value) != strconv.Itoa(i) {
			t.Fatalf("value %d is %s", i, v.Value)
		}
	}
	if len(b.values) != cuts*each || b.missed != 0 {
		t.Errorf("%d values of %d, %d missed", len(b.values), cuts*each, b.missed)
	}
	if from.Reconnects() < cuts || to.Reconnects() < cuts {
		t.Errorf("%d and %d reconnects of %d cuts", from.Reconnects(), to.Reconnects(), cuts)
	}
}

// TestChatSurvivesCuts: nothing is lost, doubled or reordered, and who comes later is told of the last of it.
func TestChatSurvivesCuts(t *testing.T) {
	url := serve(t)
	p, q := path(t, url), path(t, url)
	e := newEar()
	from := dialTopic(t, p.url, "from")
	to := dial(t, Options{URL: q.url, OnEvent: e.event})
	const each = 20
	cuts := 5
	if os.Getenv("LANDLINE_LONG") != "" {
		cuts = 25
	}
	said := func() (texts []string) {
		for _, m := range e.events {
			if c, ok := m.(*signaling.Chat); ok {
				texts = append(texts, c.Text)
			}
		}
		return texts
	}
	chance := rand.New(rand.NewPCG(1, 1))
	for cut := range cuts {
		mine, theirs := chance.IntN(each), chance.IntN(each)
		for i := range each {
			if err := from.Send(&signaling.Chat{Text: strconv.Itoa(cut*each + i)}); err != nil {
				t.Fatal(err)
			}
			if i == mine {
				p.Cut()
			}
			if i == theirs {
				q.Cut()
			}
		}
		e.until(t, "what was said", func() bool { return len(said()) >= (cut+1)*each })
	}
	for i, text := range said() {
		if text != strconv.Itoa(i) {
			t.Fatalf("line %d is %s", i, text)
		}
	}
	if n := len(said()); n != cuts*each || to.Reconnects() < cuts {
		t.Errorf("%d lines of %d, %d reconnects of %d cuts", n, cuts*each, to.Reconnects(), cuts)
	}
	late := newEar()
	dial(t, Options{URL: url, OnEvent: late.event})
	late.until(t, "the last line", hears(late, func(m *signaling.Chat) bool { return m.Past && m.Text == strconv.Itoa(cuts*each-1) }))
}

// TestLatestTopicWithoutConnection: what is put meanwhile is one value a key, and arrives.
func TestLatestTopicWithoutConnection(t *testing.T) {
	url := serve(t)
	p := path(t, url)
	from, to := dialTopic(t, p.url, "from"), dialTopic(t, url, "to")
	b := newBoard()
	if err := to.Follow("quotes", "latest", b.take); err != nil {
		t.Fatal(err)
	}
	p.SetTarget(nowhere)
	p.Cut()
	const puts = 10_000
	for i := range puts {
		if err := from.Put(t.Context(), "quotes", "latest", fmt.Sprint("K", i%10), number(i)); err != nil {
			t.Fatal(err)
		}
	}
	p.SetTarget(strings.TrimPrefix(url, "http://"))
	b.until(t, "the newest of all keys", func() bool {
		for i := range 10 {
			if b.newest[fmt.Sprint("K", i)] != strconv.Itoa(puts-10+i) {
				return false
			}
		}
		return true
	})
	if n := len(b.values); n > 100 {
		t.Errorf("%d values were sent of what was put without a connection", n)
	}
}

// TestAFollowerOfARelayStartedAnew begins anew with it.
func TestAFollowerOfARelayStartedAnew(t *testing.T) {
	p, restart := restartable(t)
	from, to := dialTopic(t, p.url, "from"), dialTopic(t, p.url, "to")
	b := newBoard()
	if err := to.Follow("quotes", "latest", b.take); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := from.Put(t.Context(), "quotes", "latest", "a", number(i)); err != nil {
			t.Fatal(err)
		}
	}
	b.until(t, "9", func() bool { return b.newest["a"] == "9" })
	restart()
	if err := from.Put(t.Context(), "quotes", "latest", "b", number(1)); err != nil {
		t.Fatal(err)
	}
	b.until(t, "what is put on the new relay", func() bool { return b.newest["b"] == "1" })
}

func TestPutWaitsAndGivesUp(t *testing.T) {
	p := path(t, serve(t))
	from := dialTopic(t, p.url, "from")
	p.SetTarget(nowhere)
	p.Cut()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 3 * maxWaiting { // some may have been sent before the cut was seen
		if err := from.Put(ctx, "log", "ordered", "", number(i)); err == context.Canceled {
			break
		} else if err != nil || i == 3*maxWaiting-1 {
			t.Fatalf("value %d: %v", i, err)
		}
	}
	for _, bad := range []struct{ topic, mode, key, value string }{{"no/slash", "latest", "", "1"}, {"t", "newest", "", "1"},
		{"t", "latest", string(make([]byte, 129)), "1"}, {"t", "latest", "", `"` + string(make([]byte, 5000)) + `"`}} {
		if err := from.Put(t.Context(), bad.topic, bad.mode, bad.key, json.RawMessage(bad.value)); err == nil {
			t.Errorf("%.40v was taken", bad)
		}
	}
}
