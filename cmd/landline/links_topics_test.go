package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/impair"
)

// The board of quotes: so many updates a second over so many keys, to so many readers, of which one is behind a thin link.
const (
	quoteRate    = 5000
	quoteKeys    = 200
	quoteReaders = 100
)

// quoteReader counts how old the values are that it is told, without reading them all: the first of a batch is the oldest.
type quoteReader struct {
	ws   *websocket.Conn
	ages []time.Duration
}

func quotesTo(t *testing.T, url, name string) *quoteReader {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{signaling.Subprotocol}}
	ws, _, err := d.Dial("ws"+strings.TrimPrefix(url, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []string{`{"type":"hello","version":1,"decode":{"ws":[]}}`, `{"type":"join","room":"lab","name":"` + name + `"}`,
		`{"type":"follow","topic":"quotes","mode":"latest"}`} {
		if err := ws.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	return &quoteReader{ws: ws}
}

// read takes what comes until the connection is closed.
func (q *quoteReader) read() {
	var got uint64
	for {
		_, msg, err := q.ws.ReadMessage()
		if err != nil {
			return
		}
		if got += uint64(len(msg)); q.ws.WriteMessage(websocket.BinaryMessage, media.Ack{Bytes: got}.Append(nil)) != nil {
			return
		}
		_, rest, ok := bytes.Cut(msg, []byte(`"value":`))
		if !ok || !bytes.HasPrefix(msg, []byte(`{"type":"data"`)) {
			continue
		}
		digits, _, _ := bytes.Cut(rest, []byte(","))
		if us, err := strconv.ParseInt(string(digits), 10, 64); err == nil {
			q.ages = append(q.ages, time.Since(time.UnixMicro(us)))
		}
	}
}

// processorSeconds is what the relay's process has used.
func processorSeconds(t *testing.T, url string) (s float64) {
	t.Helper()
	resp, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(text.String(), "\nprocess_cpu_seconds_total ")
	line, _, _ := strings.Cut(rest, "\n")
	if s, err = strconv.ParseFloat(line, 64); err != nil || !ok {
		t.Fatalf("processor time %q: %v", line, err)
	}
	return s
}

// quotes is what a reader that reads everything knows.
type quotes struct {
	mu     sync.Mutex
	newest map[string]string
}

func (q *quotes) take(d *signaling.Data) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, v := range d.Values {
		q.newest[v.Key] = string(v.Value)
	}
}

func (q *quotes) are(want map[string]string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, value := range want {
		if q.newest[key] != value {
			return false
		}
	}
	return len(q.newest) == len(want)
}

func followQuotes(t *testing.T, url, name string) *quotes {
	t.Helper()
	r, err := client.Dial(t.Context(), client.Options{URL: url, Room: "lab", Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	q := &quotes{newest: map[string]string{}}
	if err := r.Follow("quotes", "latest", q.take); err != nil {
		t.Fatal(err)
	}
	return q
}

// TestLinksLatestValue feeds a board of quotes, and has everybody end with the newest of each.
func TestLinksLatestValue(t *testing.T) {
	t.Parallel()
	d, long := formTime(4 * time.Second)
	d = min(d, time.Minute)
	l, figs := loopbackLab(t), newFigures(t, "impair-latest", long)
	var readers []*quoteReader
	var reading sync.WaitGroup
	for i := range quoteReaders - 1 {
		q := quotesTo(t, l.url, fmt.Sprint("fast", i))
		readers = append(readers, q)
		reading.Go(q.read)
	}
	thin, _ := l.path(t, impair.Link{}, impair.Link{Rate: thinRate, Delay: thinDelay})
	slow := followQuotes(t, thin, "slow")
	want, cores, behind := feedQuotes(t, l.url, d)
	late := followQuotes(t, l.url, "late")
	until(t, "the newest of each key at who was slow, and at who came late", func() bool { return slow.are(want) && late.are(want) })
	var ages []time.Duration
	for _, q := range readers {
		q.ws.Close()
	}
	reading.Wait()
	for _, q := range readers {
		ages = append(ages, q.ages...)
	}
	const scenario = "5,000 updates/s over 200 keys to 100 readers"
	figs.note(scenario, "staleness p50", quantile(ages, 0.5), "ms", len(ages))
	figs.most(scenario, "staleness p99", quantile(ages, 0.99), 100, 900, "ms", len(ages))
	figs.most(scenario, "server", cores, 0.5, 1.5, "cores", 1)
	figs.most(scenario, "values that wait for a reader of 64 kbit/s", float64(behind), quoteKeys, 0, "values", 1)
	figs.least(scenario, "batches to fast readers", float64(len(ages)), float64(quoteReaders-1)*d.Seconds(), 0, "batches", len(ages))
}

// feedQuotes puts for so long, and tells the newest of each key, what the relay used, and the most values that waited for slow.
func feedQuotes(t *testing.T, url string, d time.Duration) (want map[string]string, cores float64, behind int) {
	t.Helper()
	feed, err := client.Dial(t.Context(), client.Options{URL: url, Room: "lab", Name: "feed"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(feed.Close)
	inRoom(t, url, quoteReaders+1)
	want, chance := map[string]string{}, rand.New(rand.NewPCG(linkSeed, 7))
	before, began := processorSeconds(t, url), time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	looked := began
	for sent := 0; time.Since(began) < d; <-tick.C {
		for ; sent < int(time.Since(began).Seconds()*quoteRate); sent++ {
			key, value := fmt.Sprint("K", chance.IntN(quoteKeys)), strconv.FormatInt(time.Now().UnixMicro(), 10)
			if err := feed.Put(t.Context(), "quotes", "latest", key, json.RawMessage(value)); err != nil {
				t.Fatal(err)
			}
			want[key] = value
		}
		if time.Since(looked) > 500*time.Millisecond {
			looked = time.Now()
			for _, m := range membersOf(t, url) {
				if m.Name == "slow" {
					behind = max(behind, m.Link.DataBehind)
				}
			}
		}
	}
	cores = (processorSeconds(t, url) - before) / time.Since(began).Seconds()
	if err := feed.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return want, cores, behind
}
