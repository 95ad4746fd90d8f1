package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/impair"
)

const (
	bulkRate  = 2_000_000 / 8 // bytes a second, of the sender's link up and the receiver's down
	bulkDelay = 10 * time.Millisecond
	bulkVoice = 80                     // bytes each 20 ms: 32 kbit/s
	bulkAge   = 150 * time.Millisecond // of sound, 99 of 100 packets
	bulkLeast = 0.1                    // share of the link that the file keeps
)

// noise is a file of any size that nobody has to store: a block of noise again and again.
type noise struct {
	block []byte
	size  int64
}

func newNoise(size int64) *noise {
	n := &noise{make([]byte, 1_000_003), size}
	chance := rand.New(rand.NewPCG(linkSeed, 4))
	for i := range n.block {
		n.block[i] = byte(chance.Uint32())
	}
	return n
}

func (n *noise) ReadAt(p []byte, off int64) (read int, err error) {
	for read < len(p) && off < n.size {
		part := n.block[off%int64(len(n.block)):]
		c := copy(p[read:], part[:min(int64(len(part)), n.size-off)])
		read, off = read+c, off+int64(c)
	}
	if read < len(p) {
		err = io.EOF
	}
	return read, err
}

func (n *noise) sum() string {
	h := sha256.New()
	_, _ = io.Copy(h, io.NewSectionReader(n, 0, n.size))
	return hex.EncodeToString(h.Sum(nil))
}

// bulkSize is what is sent: in the long form ten minutes' worth and more, else what the form has time for.
func bulkSize() (size int64, long bool) {
	switch {
	case os.Getenv("LANDLINE_IMPAIR") != "":
		return 10 << 20, true
	case os.Getenv("LANDLINE_LONG") != "":
		return 100 << 20, true
	}
	return 4 << 20, false
}

// bulkCall is one member that talks and sends a file, and one that hears and takes it.
type bulkCall struct {
	up, down *detour
	src      *client.Room
	ear      *listener
	file     chan *client.Receiving
	sent     atomic.Int64 // packets of sound
}

func newBulkCall(t *testing.T, url string) *bulkCall {
	c := &bulkCall{ear: &listener{drops: map[string]map[string]uint64{}}, file: make(chan *client.Receiving, 8)}
	link := impair.Link{Rate: bulkRate, Delay: bulkDelay}
	c.up, c.down = detourTo(t, url, link, impair.Link{Delay: bulkDelay}), detourTo(t, url, impair.Link{Delay: bulkDelay}, link)
	c.ear.room = dialRoom(t, client.Options{URL: c.down.url, Room: "lab", Name: "ear", Subscribe: []signaling.Subscribe{{}},
		OnEvent: c.ear.event, OnFrame: c.ear.frame, OnOffer: func(rc *client.Receiving) client.Sink {
			c.file <- rc
			return discard{}
		}})
	c.src = dialRoom(t, client.Options{URL: c.up.url, Room: "lab", Name: "src", Publish: []signaling.Track{{ID: "mic", Kind: media.Audio,
		Source: signaling.SourceMic, Codec: media.Opus, CodecString: "opus", SampleRate: 48000, Channels: 1,
		Clock: signaling.Clock{Us: 1, WallUs: time.Now().UnixMicro()}}}})
	until(t, "track", func() bool { return c.ear.count(func(e *listener) int { return e.tracks }) == 1 })
	return c
}

// talk sends sound until done is closed.
func (c *bulkCall) talk(t *testing.T, wall int64, done <-chan struct{}) {
	tick := time.NewTicker(packetTime)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if err := c.src.Track("mic").Write(media.Frame{Timestamp: time.Now().UnixMicro() - wall + 1, Data: make([]byte, bulkVoice)}); err != nil {
			t.Error(err)
			return
		}
		c.sent.Add(1)
	}
}

// TestLinksBulkBesideVoice sends a file and sound over one socket of 2 Mbit/s, while that is cut on both sides and the relay is killed
// and started again. The gaps themselves do not count.
func TestLinksBulkBesideVoice(t *testing.T) {
	t.Parallel()
	size, long := bulkSize()
	figs := newFigures(t, "impair-bulk", long)
	url, kill := serveProcess(t)
	wall := time.Now().UnixMicro()
	c := newBulkCall(t, url)
	file := newNoise(size)
	sending, err := c.src.Offer(client.Object{Name: "noise", Size: uint64(size), Source: file, Wait: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer sending.Cancel()
	defer func() {
		if t.Failed() {
			t.Logf("sending: %+v", sending.Receivers())
		}
	}()
	done, talked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(talked)
		c.talk(t, wall, done)
	}()
	receiving := <-c.file
	began := time.Now()
	var faults []time.Time
	restart := func() {
		next, _ := serveProcess(t)
		c.up.SetTarget(strings.TrimPrefix(next, "http://"))
		c.down.SetTarget(strings.TrimPrefix(next, "http://"))
		kill()
	}
	for i, fault := range []func(){c.down.Cut, c.up.Cut, restart} {
		part := uint64(size) * uint64(i+1) / 4
		untilFor(t, time.Duration(size/(bulkRate/4))*time.Second+patience, "part of the file", func() bool { return receiving.Progress() >= part })
		t.Logf("fault %d at %d of %d after %v", i, receiving.Progress(), size, time.Since(began))
		fault()
		faults = append(faults, time.Now())
	}
	<-receiving.Done()
	took := time.Since(began)
	close(done)
	<-talked
	if sum, err := receiving.Result(); err != nil || sum != file.sum() {
		t.Errorf("%v: the file came as %s, want %s", err, sum, file.sum())
	}
	c.tell(figs, faults, took, float64(size))
}

func (c *bulkCall) tell(figs *figures, faults []time.Time, took time.Duration, size float64) {
	const name = "bulk"
	frames := c.ear.all()
	gap := time.Duration(0)
	counted := func(heard) bool { return true }
	for _, fault := range faults {
		back := frames[len(frames)-1].at
		for _, h := range frames {
			if h.due.After(fault) {
				back = h.at
				break
			}
		}
		gap += back.Sub(fault)
		figs.most(name, "sound_back_after", milliseconds(back.Sub(fault)), 2000, 5000, "ms", 1)
		from, to, before := fault.Add(-bulkAge), back.Add(ageSettle), counted
		counted = func(h heard) bool { return before(h) && (h.at.Before(from) || h.at.After(to)) }
	}
	var ages []time.Duration
	for _, h := range slices.DeleteFunc(frames, func(h heard) bool { return !counted(h) }) {
		ages = append(ages, h.age())
	}
	figs.note(name, "audio_age_p50", quantile(ages, 0.5), "ms", len(ages))
	figs.most(name, "audio_age_p99", quantile(ages, 0.99), milliseconds(bulkAge), 350, "ms", len(ages))
	figs.note(name, "audio_came", 100*float64(len(c.ear.all()))/float64(c.sent.Load()), "%", int(c.sent.Load()))
	figs.least(name, "share_of_the_link", size/((took-gap).Seconds()*bulkRate), bulkLeast, 0, "of 1", 1)
}
