package play

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"landline/relay"
	"landline/relay/record"
)

// broken is a catalogue whose disk fails in the middle of a file.
type broken struct{ *shelf }

type brokenContent struct{ record.Content }

var errDisk = errors.New("the disk is gone")

func (c brokenContent) ReadAt(b []byte, at int64) (int, error) {
	if at >= 32<<10 {
		return 0, errDisk
	}
	return c.Content.ReadAt(b, at)
}

func (b broken) Media(id string, part int) (record.Content, string, time.Time, error) {
	c, name, at, err := b.shelf.Media(id, part)
	return brokenContent{c}, name, at, err
}

func borrower(t *testing.T, r *relay.Relay) (*relay.Member, *relay.Subscriber) {
	t.Helper()
	m, err := r.Join("recordings/"+recording, relay.Identity{ID: "v", Hidden: true}, nil, func(bool) {})
	if err != nil {
		t.Fatal(err)
	}
	_, sub := m.Handles()
	return m, sub
}

// told pulls until an event of a kind comes.
func told(t *testing.T, sub *relay.Subscriber, kind relay.EventKind) *relay.Event {
	t.Helper()
	for range 100 {
		synctest.Wait()
		out, _ := sub.Pull(nil)
		for _, o := range out {
			if o.Event != nil && o.Event.Kind == kind {
				return o.Event
			}
		}
	}
	t.Fatal("it is not told")
	return nil
}

func oneFile() *shelf {
	return &shelf{info: record.Info{ID: recording, Files: []record.File{{Name: recording + ".webm"}}}, files: [][]byte{make([]byte, 1<<20)}}
}

func TestAViewerIsToldOfADiskThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShelf(broken{oneFile()}, nil)
		m, sub := borrower(t, relay.New(relay.Options{}))
		if err := s.Lend(m, recording); err != nil {
			t.Fatal(err)
		}
		offered := told(t, sub, relay.ObjectOffered)
		if err := m.Accept(offered.Object.Stream, 0); err != nil {
			t.Fatal(err)
		}
		if e := told(t, sub, relay.ObjectCancelled); e.Reason != "failed" {
			t.Errorf("told %q", e.Reason)
		}
		synctest.Wait()
		if s.Lent() != 0 {
			t.Errorf("%d files are open", s.Lent())
		}
		m.Leave("bye")
	})
}

func TestAShelfLendsNoMoreThanItHasRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShelf(oneFile(), nil)
		r := relay.New(relay.Options{})
		m, _ := borrower(t, r)
		if err := s.Lend(m, "20261128-200000-kitchen-00000000"); !errors.Is(err, record.ErrNotFound) {
			t.Errorf("what is not there: %v", err)
		}
		s.take(maxLent)
		if err := s.Lend(m, recording); !errors.Is(err, ErrAllLent) {
			t.Errorf("one more than there is room for: %v", err)
		}
		s.giveBack(1)
		if err := s.Lend(m, recording); err != nil || s.Lent() != maxLent {
			t.Errorf("the last one: %v, %d lent", err, s.Lent())
		}
		m.Leave("bye")
		synctest.Wait()
		if err := s.Lend(m, recording); !errors.Is(err, relay.ErrGone) || s.Lent() != maxLent-1 {
			t.Errorf("to one who has left: %v, %d lent", err, s.Lent())
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
