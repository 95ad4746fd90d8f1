package record

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"landline/media"
	"landline/media/webm"
	"landline/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("in vain was waited until %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// faulty is a disk that can be full, or stand still.
type faulty struct {
	*folder
	full  atomic.Bool
	small atomic.Int64 // bytes free; 0: as many as there are

	mu    sync.Mutex
	still chan struct{} // not nil: calls wait until it is closed
}

func (d *faulty) wait() error {
	d.mu.Lock()
	still := d.still
	d.mu.Unlock()
	if still != nil {
		<-still
	}
	if d.full.Load() {
		return &fs.PathError{Op: "write", Err: syscall.ENOSPC}
	}
	return nil
}

// stall has all calls wait until the function that it returns is called.
func (d *faulty) stall() (goOn func()) {
	still := make(chan struct{})
	d.mu.Lock()
	d.still = still
	d.mu.Unlock()
	return func() {
		d.mu.Lock()
		d.still = nil
		d.mu.Unlock()
		close(still)
	}
}

func (d *faulty) create(name string) (file, error) {
	if err := d.wait(); err != nil {
		return nil, err
	}
	f, err := d.folder.create(name)
	return &faultyFile{f, d}, err
}

func (d *faulty) free() (uint64, error) {
	if d.full.Load() {
		return 0, nil
	}
	if n := d.small.Load(); n > 0 {
		return uint64(n), nil
	}
	return d.folder.free()
}

type faultyFile struct {
	file
	d *faulty
}

func (f *faultyFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.d.wait(); err != nil {
		n, _ := f.file.WriteAt(b[:len(b)/2], at) // a full disk takes a part
		return n, err
	}
	return f.file.WriteAt(b, at)
}

// world is a relay that records into a folder.
type world struct {
	t     *testing.T
	dir   string
	disk  *faulty
	store *Store
	relay *relay.Relay
}

func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), relay: relay.New(relay.Options{})}
	f, err := openFolder(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.disk = &faulty{folder: f}
	w.store = newStore(w.disk, o)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := w.store.Close(ctx); err != nil {
			t.Error(err)
		}
		if n := w.store.counts.Panics.Load(); n > 0 {
			t.Errorf("%d panics", n)
		}
	})
	return w
}

func (w *world) start(o Order) *Recorder {
	w.t.Helper()
	r, err := w.store.Start(w.relay, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) saved(r *Recorder) Info {
	w.t.Helper()
	select {
	case <-r.Done():
	case <-time.After(patience):
		w.t.Fatalf("the recording goes on: %+v", r.Info())
	}
	i, err := w.store.Get(r.ID())
	if err != nil || i.State != StateSaved {
		w.t.Fatalf("%+v, %v", i, err)
	}
	return i
}

// read gives the packets of a file, which must decode, by track.
func (w *world) read(name string) ([]media.Format, [][]media.Packet) {
	w.t.Helper()
	w.decodes(name)
	return w.packets(name)
}

func (w *world) packets(name string) ([]media.Format, [][]media.Packet) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := webm.NewReader(bytes.NewReader(b))
	if err != nil {
		w.t.Fatal(err)
	}
	list := make([][]media.Packet, len(r.Formats()))
	for {
		p, err := r.Next()
		if err != nil {
			if !strings.HasSuffix(err.Error(), "EOF") {
				w.t.Fatal(err)
			}
			break
		}
		list[p.Track] = append(list[p.Track], p)
	}
	return r.Formats(), list
}

// decodes has ffmpeg decode all of a file without a word. Its null muxer counts in the ticks of a frame rate that it guesses, unless told otherwise.
func (w *world) decodes(name string) {
	w.t.Helper()
	out, err := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", filepath.Join(w.dir, name), "-map", "0", "-fps_mode", "passthrough", "-enc_time_base:v", "-1", "-f", "null", "-").CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		w.t.Fatal("this test needs ffmpeg (Debian: apt install ffmpeg)")
	}
	if err != nil || len(out) > 0 {
		w.t.Fatalf("%s: %v: %s", name, err, out)
	}
}

// person is a member who sends the clip, and hears what the room is told.
type person struct {
	w       *world
	m       *relay.Member
	pub     *relay.Publisher
	infos   []relay.TrackInfo
	groups  []uint32
	frames  []uint16
	clock   int64
	mu      sync.Mutex
	states  []relay.Recording
	stateAt []time.Time
	got     map[uint16]int // chunks received, by alias
	quit    chan struct{}
	gone    sync.WaitGroup
}

func (w *world) person(id string) *person {
	w.t.Helper()
	p := &person{w: w, got: map[uint16]int{}, quit: make(chan struct{}), clock: 5_000_000 * int64(1+len(id))}
	kick := make(chan struct{}, 1)
	m, err := w.relay.Join("room", relay.Identity{ID: id, Name: id}, carries, func(bool) {
		select {
		case kick <- struct{}{}:
		default:
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	p.m = m
	var sub *relay.Subscriber
	p.pub, sub = m.Handles()
	m.Roster()
	if err := m.Subscribe(relay.Selector{}, relay.Want{Priority: priority}); err != nil {
		w.t.Fatal(err)
	}
	p.gone.Go(func() { p.listen(sub, kick) })
	w.t.Cleanup(p.leave)
	return p
}

// heardOut waits until the recorder has all that was sent: who comes again at once is heard before what still waits of the time before.
func (w *world) heardOut() {
	w.t.Helper()
	until(w.t, "the recorder has all that was sent", func() bool {
		for _, m := range w.relay.Snapshot()[0].Members {
			if m.Hidden && m.Link.QueueBytes+m.Link.WaitingEvent > 0 {
				return false
			}
		}
		return true
	})
}

func (p *person) leave() {
	select {
	case <-p.quit:
		return
	default:
	}
	close(p.quit)
	p.gone.Wait()
	p.m.Leave("bye")
}

func (p *person) listen(sub *relay.Subscriber, kick chan struct{}) {
	acked, start := uint64(0), time.Now()
	for {
		out, more := sub.Pull(nil)
		p.mu.Lock()
		for _, o := range out {
			acked += uint64(len(o.Data))
			if o.Event != nil && o.Event.Kind == relay.RecordingState {
				p.states = append(p.states, *o.Event.Recording)
				p.stateAt = append(p.stateAt, time.Now())
			}
			if len(o.Data) > 0 && o.Data[0] == media.KindChunk {
				if c, err := media.ParseChunk(o.Data); err == nil {
					p.got[c.Alias]++
				}
			}
		}
		p.mu.Unlock()
		sub.Acked(acked, time.Since(start)+1)
		if more {
			continue
		}
		select {
		case <-p.quit:
			return
		case <-kick:
		}
	}
}

// heard reports whether the room was told of a state, for a reason.
func (p *person) heard(s relay.RecordState, why string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rec := range p.states {
		if rec.State == s && rec.Why == why {
			return true
		}
	}
	return false
}

// publish opens tracks of these formats.
func (p *person) publish(formats []media.Format, keyOnRequest bool) {
	p.w.t.Helper()
	var offers []relay.Offer
	for i, f := range formats {
		source, id := "file", string(f.Kind)
		if i > 1 {
			id += strconv.Itoa(i)
		}
		offers = append(offers, relay.Offer{ID: id, Source: source, Format: f, Clock: relay.Clock{Us: p.clock}, KeyOnRequest: keyOnRequest})
	}
	infos, err := p.m.Publish(offers)
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.infos = infos
	p.groups, p.frames = make([]uint32, len(infos)), make([]uint16, len(infos))
}

// send sends packets, at once.
func (p *person) send(packets []media.Packet) {
	p.w.t.Helper()
	for _, k := range packets {
		i := k.Track
		if k.Key {
			p.groups[i], p.frames[i] = p.groups[i]+1, 0
		}
		h := media.ChunkHeader{Key: k.Key, Alias: p.infos[i].Layers[0].Alias, Group: p.groups[i], Frame: p.frames[i], Timestamp: uint32(p.clock + k.Timestamp)}
		if p.infos[i].Kind == media.Video {
			h.SetLength(uint32(len(k.Data)))
		}
		p.frames[i]++
		media.Split(h, k.Data, 4096, 0, func(b []byte) {
			c, err := media.ParseChunk(b)
			if err == nil {
				err = p.pub.Write(&c, relay.Message{Data: b})
			}
			if err != nil {
				p.w.t.Fatal(err)
			}
		})
	}
}

// clip is the test clip: formats, and its packets.
func clip(t *testing.T) ([]media.Format, []media.Packet) {
	t.Helper()
	b, err := os.ReadFile("../../testdata/bunny-4s.webm")
	if err != nil {
		t.Fatal(err)
	}
	r, err := webm.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var list []media.Packet
	for {
		p, err := r.Next()
		if err != nil {
			return r.Formats(), list
		}
		list = append(list, p)
	}
}

// later is packets a while later.
func later(packets []media.Packet, by time.Duration) (list []media.Packet) {
	for _, p := range packets {
		p.Timestamp += by.Microseconds()
		list = append(list, p)
	}
	return list
}
