package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"landline/signaling"
)

const (
	maxWaiting = 4096                 // values of a topic that wait to be sent
	putSize    = 4 << 10              // bytes of values in one message, less on a slow link: audio goes in between
	putGap     = 8 * time.Millisecond // a relay reads over 200 control messages a second more slowly
)

// topic is what the member says on a topic, and how far it was told.
type topic struct {
	name, mode string
	waiting    []signaling.PutValue
	refused    error          // what the relay last said against it
	at         map[string]int // of latest: where in waiting a key stands
	n          uint64         // the number of the newest value that was sent
	sent       []sentPut      // not known to have arrived

	onData func(*signaling.Data) // nil: not followed
	epoch  string
	to     uint64
}

// sentPut is a message that may have to be sent again.
type sentPut struct {
	put *signaling.Put
	end uint64 // what the session had sent after it; 0: it is to be sent again
}

// Put says something on a topic: value is JSON, null says that the key is gone. mode is latest, ordered or lossy. It waits
// while too much waits to be sent, which on a latest topic is replaced by what is newer. What is refused comes to OnEvent
// as *signaling.Error. Over reconnects nothing is lost or doubled, but for lossy topics.
func (r *Room) Put(ctx context.Context, name, mode, key string, value json.RawMessage) error {
	p := signaling.Put{Values: []signaling.PutValue{{Key: key, Value: value}}}
	if err := signaling.CheckTopic(name, mode); err != nil {
		return err
	}
	if err := p.CheckValues(); err != nil {
		return err
	}
	for {
		taken, changed, err := r.putNow(name, mode, p.Values[0])
		if taken || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// putNow queues a value if there is room, and else tells what to wait for.
func (r *Room) putNow(name, mode string, v signaling.PutValue) (taken bool, changed <-chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.done:
		return false, nil, ErrClosed
	default:
	}
	if r.leaving {
		return false, nil, ErrClosed
	}
	t := r.topic(name, mode)
	if i, ok := t.at[v.Key]; ok {
		t.waiting[i] = v
		return true, nil, nil
	}
	if len(t.waiting) >= maxWaiting {
		return false, r.changed, nil
	}
	if mode == "latest" {
		t.at[v.Key] = len(t.waiting)
	}
	t.waiting = append(t.waiting, v)
	r.wake()
	return true, nil, nil
}

// topic finds or makes a topic. r.mu is held.
func (r *Room) topic(name, mode string) *topic {
	for _, t := range r.topics {
		if t.name == name {
			return t
		}
	}
	t := &topic{name: name, mode: mode, at: map[string]int{}}
	r.topics = append(r.topics, t)
	return t
}

// Follow has onData called, from the goroutine that calls OnEvent, with what a topic holds and with what comes. After
// a reconnect it goes on where it was; where the relay has begun anew, which Data.Epoch tells, it begins anew.
func (r *Room) Follow(name, mode string, onData func(*signaling.Data)) error {
	if err := signaling.CheckTopic(name, mode); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leaving {
		return ErrClosed
	}
	t := r.topic(name, mode)
	t.onData = onData
	r.control = append(r.control, t.follow())
	r.wake()
	return nil
}

func (t *topic) follow() *signaling.Follow {
	return &signaling.Follow{Type: "follow", Topic: t.name, Mode: t.mode, Epoch: t.epoch, After: t.to}
}

// Flush waits until the relay has dealt with all that was put. It tells of what the relay refused since the last Flush.
func (r *Room) Flush(ctx context.Context) error {
	for {
		idle, changed, refused := r.flushed()
		if refused != nil || idle {
			return refused
		}
		select {
		case <-changed:
		case <-r.done:
			return r.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *Room) flushed() (idle bool, changed <-chan struct{}, refused error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	idle = true
	for _, t := range r.topics {
		if t.refused != nil {
			refused, t.refused = t.refused, nil
		}
		idle = idle && len(t.waiting)+len(t.sent) == 0
	}
	return idle, r.changed, refused
}

// putRefused takes an answer of the relay, which comes before the ack that covers the put.
func (r *Room) putRefused(e *signaling.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.topics {
		for _, s := range t.sent {
			if e.Req != 0 && s.put.Req == e.Req {
				t.refused = fmt.Errorf("the relay refuses it: %s: %s", e.Code, e.Text)
			}
		}
	}
}

// nextPut gives what is to be sent next on some topic: what a lost connection left open first.
func (r *Room) nextPut(most int) *signaling.Put {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, t := range r.topics {
		put := t.next(r.sourceName(), most)
		if put == nil {
			continue
		}
		r.req++
		put.Req = r.req
		r.topics = append(append(r.topics[:i:i], r.topics[i+1:]...), t) // in turn
		return put
	}
	return nil
}

func (t *topic) next(source string, most int) *signaling.Put {
	for _, s := range t.sent {
		if s.end == 0 {
			return s.put
		}
	}
	size, n := 0, 0
	for n < len(t.waiting) && n < signaling.MaxPutValues && size < most {
		size += len(t.waiting[n].Key) + len(t.waiting[n].Value)
		n++
	}
	if n == 0 {
		return nil
	}
	put := &signaling.Put{Type: "put", Topic: t.name, Mode: t.mode, Source: source, N: t.n + 1, Values: t.waiting[:n:n]}
	t.n += uint64(n)
	t.waiting = t.waiting[n:]
	clear(t.at)
	if t.mode == "latest" {
		for i, v := range t.waiting {
			t.at[v.Key] = i
		}
	}
	t.sent = append(t.sent, sentPut{put: put})
	return put
}

// putSent notes what the session had sent after a put.
func (r *Room) putSent(put *signaling.Put, end uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.topics {
		for i := range t.sent {
			if t.sent[i].put == put {
				t.sent[i].end = end
			}
		}
	}
}

// putsAcked forgets what the relay has. r.mu is held.
func (r *Room) putsAcked(bytes uint64) {
	for _, t := range r.topics {
		t.sent = slices.DeleteFunc(t.sent, func(s sentPut) bool { return s.end != 0 && s.end <= bytes })
	}
}

// topicsReconnected sends again what may not have arrived, and goes on with what is followed. r.mu is held.
func (r *Room) topicsReconnected() {
	for _, t := range r.topics {
		if t.mode == "lossy" {
			t.sent, t.waiting = nil, nil
		}
		for i := range t.sent {
			t.sent[i].end = 0
		}
		if t.onData != nil {
			r.control = append(r.control, t.follow())
		}
	}
}

// data passes a batch on, once.
func (r *Room) data(m *signaling.Data) {
	r.mu.Lock()
	var on func(*signaling.Data)
	for _, t := range r.topics {
		if t.name == m.Topic && t.onData != nil && (t.epoch != m.Epoch || m.From == 0 || m.To > t.to) {
			on, t.epoch, t.to = t.onData, m.Epoch, m.To
		}
	}
	r.mu.Unlock()
	if on != nil {
		on(m)
	}
}

// sendPut sends one message of some topic where the link has room, and reports whether there may be more.
func (s *session) sendPut() (more bool, err error) {
	s.putWait = 0
	if s.uplink.Room() <= 0 {
		return false, nil
	}
	if s.putWait = time.Until(s.putAt.Add(putGap)); s.putWait > 0 {
		return false, nil
	}
	put := s.room.nextPut(min(putSize, s.uplink.Batch()))
	if put == nil {
		return false, nil
	}
	if err := s.sendText(put); err != nil {
		return false, err
	}
	s.room.putSent(put, s.sent)
	s.putAt, s.putWait = time.Now(), putGap
	return true, nil
}
