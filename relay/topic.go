package relay

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
	"sync/atomic"
	"time"
)

// Mode says what a topic owes a reader that is behind.
type Mode string

// The modes of topics.
const (
	Latest  Mode = "latest"  // the newest value of each key, never a backlog
	Ordered Mode = "ordered" // every value in order, of the last that the topic keeps
	Lossy   Mode = "lossy"   // values that are younger than lossyAge
)

// What a topic may hold, and how it is told.
const (
	topicGap     = 20 * time.Millisecond // between two batches to a reader, at least
	lossyAge     = 200 * time.Millisecond
	batchSize    = 8 << 10 // bytes: after so much of a large snapshot audio has its turn
	maxShared    = 32      // batches that are kept for the next reader who is equally far
	batchLeast   = 1200    // the same on a link that takes long for that
	maxKeys      = 4096
	maxKept      = 1024    // values of an ordered or lossy topic
	maxTopicSize = 4 << 20 // bytes
	valueCost    = 64      // bytes that a value takes on the wire besides its key and data, about
)

// Value is one value of a topic.
type Value struct {
	Key  string
	Data []byte // opaque here
	Gone bool   // it says that the key is gone
	Seq  uint64 // of the topic, from 1; the relay's
	At   time.Time
	By   string // member
}

func (v *Value) size() int { return len(v.Key) + len(v.Data) + valueCost }

// Put is what a member says on a topic.
type Put struct {
	Topic string
	Mode  Mode
	// Source and N number the values over all connections of one sender: Values[i] has N+i, from 1. What came before is
	// ignored. Source "" is not counted.
	Source string
	N      uint64
	Owned  bool // the keys are gone when the member is
	Values []Value
}

// Batch is a run of values after From, up to To. It is shared by all readers that were equally far.
type Batch struct {
	Topic  string
	Mode   Mode
	Epoch  string // of the numbers: others begin anew with the room
	From   uint64
	To     uint64
	Head   uint64 // the newest value of the topic
	Missed uint64 // values after From that an ordered topic no longer had
	Values []Value

	// Encoded caches the transport's form, for all its receivers.
	Encoded atomic.Pointer[[]byte]
	size    int
	limit   int // where it was cut
}

// topic holds values in the order of their numbers. It keeps no queue for anybody: a reader is a number up to which it
// was told, so that one who is behind costs nothing, and gets the newest of each key.
type topic struct {
	name  string
	mode  Mode
	epoch string
	now   func() time.Duration

	told atomic.Uint64 // readers are told up to here

	mu          sync.Mutex
	seq         uint64
	floor       uint64 // the newest value that fell out; of latest, the newest of the keys that are gone and forgotten
	first, last *kept
	count, size int
	keys        map[string]*kept // of Latest
	readers     map[*reading]bool
	batches     map[uint64]*Batch // made since told moved, by From
	sources     sources
	toldAt      time.Duration
	timer       *time.Timer
	closed      bool
}

type kept struct {
	Value
	owner      string
	came       time.Duration
	prev, next *kept
}

// reading is a subscriber's place in a topic. The place is guarded by Subscriber.mu.
type reading struct {
	topic *topic
	sub   *Subscriber
	place uint64
	begun bool   // it was told something, if only that there is nothing
	floor uint64 // the topic's when it began at 0
}

func newTopic(name string, mode Mode, now func() time.Duration) *topic {
	random := make([]byte, 6)
	_, _ = rand.Read(random) // it never fails
	return &topic{name: name, mode: mode, epoch: base64.RawURLEncoding.EncodeToString(random), now: now, toldAt: -time.Hour,
		keys: map[string]*kept{}, readers: map[*reading]bool{}, batches: map[uint64]*Batch{}}
}

// put takes values in, of which it may know some. It returns who is to be told.
func (t *topic) put(by string, p *Put) (wakes []*Subscriber, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	values := p.Values[min(uint64(len(p.Values)), t.sources.known(p.Source, p.N)):]
	if len(values) == 0 {
		return nil, nil
	}
	if err := t.fits(values); err != nil {
		return nil, err
	}
	t.sources.note(p.Source, p.N+uint64(len(p.Values))-1)
	now, wall := t.now(), time.Now()
	for i := range values {
		v := values[i]
		t.seq++
		v.Seq, v.At, v.By = t.seq, wall, by
		e := &kept{Value: v, came: now}
		if p.Owned {
			e.owner = by
		}
		t.add(e)
	}
	return t.tell(now), nil
}

// fits makes room for new keys, where keys that are gone leave some.
func (t *topic) fits(values []Value) error {
	if t.mode != Latest {
		return nil
	}
	fresh, size := map[string]bool{}, 0
	for i := range values {
		if t.keys[values[i].Key] == nil {
			fresh[values[i].Key] = true
		}
		size += values[i].size()
	}
	over := func() bool { return len(t.keys)+len(fresh) > maxKeys || t.size+size > maxTopicSize }
	for e := t.first; e != nil && over(); {
		next := e.next
		if e.Gone {
			t.floor = e.Seq
			t.drop(e)
		}
		e = next
	}
	if over() {
		return ErrTooManyKeys
	}
	return nil
}

// add appends a value, in the place of an older one of its key or of the oldest.
func (t *topic) add(e *kept) {
	if t.mode == Latest {
		if old := t.keys[e.Key]; old != nil {
			t.drop(old)
		}
		t.keys[e.Key] = e
	}
	if e.prev = t.last; e.prev == nil {
		t.first = e
	} else {
		e.prev.next = e
	}
	t.last = e
	t.count++
	t.size += e.size()
	for t.mode != Latest && (t.count > maxKept || t.size > maxTopicSize) {
		t.floor = t.first.Seq
		t.drop(t.first)
	}
}

func (t *topic) drop(e *kept) {
	if e.prev == nil {
		t.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		t.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	t.count--
	t.size -= e.size()
	if t.mode == Latest {
		delete(t.keys, e.Key)
	}
}

// tell lets readers see what has come: at once, or when topicGap is over since they last did. It returns who is to be
// woken now.
func (t *topic) tell(now time.Duration) []*Subscriber {
	if t.closed || t.told.Load() == t.seq {
		return nil
	}
	if wait := t.toldAt + topicGap - now; wait > 0 {
		if t.timer == nil {
			t.timer = time.AfterFunc(wait, t.tellLate)
		}
		return nil
	}
	t.toldAt = now
	t.told.Store(t.seq)
	clear(t.batches)
	wakes := make([]*Subscriber, 0, len(t.readers))
	for r := range t.readers {
		wakes = append(wakes, r.sub)
	}
	return wakes
}

func (t *topic) tellLate() {
	t.mu.Lock()
	t.timer = nil
	wakes := t.tell(t.now())
	t.mu.Unlock()
	wakeForData(wakes)
}

// wakeForData tells sessions that topics have something for them. No lock is held.
func wakeForData(subs []*Subscriber) {
	for _, s := range subs {
		if s.dataReady() {
			s.notify(false)
		}
	}
}

// batch makes what a reader is to be told next, about so many bytes at most, and moves its place: nil if there is nothing,
// and it was told so. The reader's Subscriber.mu is held.
func (t *topic) batch(r *reading, most int) *Batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mode == Latest && t.floor > max(r.place, r.floor) {
		r.place, r.begun = 0, false // it may know keys of which nobody knows any more that they are gone
	}
	if r.place == 0 {
		r.floor = t.floor
	}
	begun := r.begun
	r.begun = true
	from, to := r.place, t.told.Load()
	b := t.batches[from]
	if b == nil || b.size >= most && b.limit != most {
		b = t.gather(from, max(from, to), most)
	}
	r.place = b.To
	if len(b.Values) == 0 && b.Missed == 0 && (begun || from > 0) {
		return nil
	}
	if (most == batchSize || b.To == to) && len(t.batches) < maxShared {
		t.batches[from] = b
	}
	return b
}

// gather collects values behind a number, up to another one or about so many bytes.
func (t *topic) gather(from, to uint64, most int) *Batch {
	b := &Batch{Topic: t.name, Mode: t.mode, Epoch: t.epoch, From: from, To: from, Head: t.seq, limit: most}
	if t.mode == Ordered && from < t.floor {
		b.Missed, b.To = t.floor-from, t.floor
	}
	for e := t.after(from); e != nil && e.Seq <= to && b.size < most; e = e.next {
		b.To = e.Seq
		if t.mode == Lossy && t.now()-e.came > lossyAge || e.Gone && from == 0 {
			continue
		}
		b.Values = append(b.Values, e.Value)
		b.size += e.size()
	}
	if b.size < most {
		b.To = to // keys that were put again are further on
	}
	return b
}

// after finds the first value behind a number.
func (t *topic) after(n uint64) *kept {
	if n == 0 {
		return t.first
	}
	e := t.last
	for e != nil && e.prev != nil && e.prev.Seq > n {
		e = e.prev
	}
	if e == nil || e.Seq <= n {
		return nil
	}
	return e
}

// waiting counts the values that a reader at a place has not been told.
func (t *topic) waiting(place uint64) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := t.after(place); e != nil; e = e.next {
		n++
	}
	return n
}

// abandon says of the keys that a member owned that they are gone.
func (t *topic) abandon(member string) []*Subscriber {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mode != Latest {
		return nil
	}
	var owned []string
	for key, e := range t.keys {
		if e.owner == member && !e.Gone {
			owned = append(owned, key)
		}
	}
	now := t.now()
	for _, key := range owned {
		t.seq++
		t.add(&kept{Value: Value{Key: key, Gone: true, Seq: t.seq, At: time.Now(), By: member}, came: now})
	}
	return t.tell(now)
}

func (t *topic) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
}

func (t *topic) forget(r *reading) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.readers, r)
}
