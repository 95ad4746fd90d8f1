package relay

import (
	"slices"
	"time"
)

// What is kept of a room's chat for those who come later.
const (
	chatKept  = 200
	chatBytes = 64 << 10
)

// Chat is what a member says to everybody in the room.
type Chat struct {
	Text string
	Req  int64 // comes back with the member's own copy
	// Source and N number what one sender says, from 1, over all its connections: see Put.
	Source string
	N      uint64
}

// chatLog is a room's chat. It is guarded by Room.mu.
type chatLog struct {
	seq     uint64
	at      time.Time // of the newest: no two have the same
	lines   []*Event
	size    int
	sources sources
}

// stamp gives the next message its number and its time.
func (l *chatLog) stamp() (seq uint64, at time.Time) {
	l.seq++
	at = time.Now().Truncate(time.Microsecond)
	if !at.After(l.at) {
		at = l.at.Add(time.Microsecond)
	}
	l.at = at
	return l.seq, at
}

// keep adds a message, in the place of the oldest if need be.
func (l *chatLog) keep(e *Event) {
	l.lines = append(l.lines, e)
	l.size += len(e.Text)
	for len(l.lines) > chatKept || l.size > chatBytes {
		l.size -= len(l.lines[0].Text)
		l.lines[0] = nil
		l.lines = l.lines[1:]
	}
}

// Chat sends text to everybody, the member included, whose own copy carries Req. What came before is ignored.
func (m *Member) Chat(c Chat) {
	r := m.room
	r.change(func(wakes *[]*Subscriber) {
		if m.left || r.chat.sources.known(c.Source, c.N) > 0 {
			return
		}
		r.chat.sources.note(c.Source, c.N)
		seq, at := r.chat.stamp()
		say := func(req int64, past bool) *Event {
			return &Event{Kind: ChatText, Member: m.id, Name: m.name, Text: c.Text, Req: req, Seq: seq, At: at, Past: past}
		}
		r.chat.keep(say(0, true))
		r.tell(say(0, false), m, wakes)
		m.tellLocked(say(c.Req, false), wakes)
	})
}

// ChatSince has the member's session told what is kept of the chat behind a time. It is for the beginning of a session,
// before its first Pull: what was said since it joined or resumed is kept as well, and not told twice.
func (m *Member) ChatSince(at time.Time) {
	m.room.change(func(*[]*Subscriber) {
		lines := m.room.chat.lines
		for len(lines) > 0 && !lines[0].At.After(at) {
			lines = lines[1:]
		}
		if m.sub != nil {
			m.sub.tellChat(lines)
		}
	})
}

// tellChat queues messages in the place of those that wait.
func (s *Subscriber) tellChat(lines []*Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = slices.DeleteFunc(s.events, func(e *Event) bool { return e.Kind == ChatText })
	for _, e := range lines {
		s.queueEvent(e)
	}
}
