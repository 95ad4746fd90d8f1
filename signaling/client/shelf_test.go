package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"testing"
	"time"
)

// shelf takes what is offered into memory.
type shelf struct {
	mu      sync.Mutex
	objects []*kept
	news    chan struct{}
	wait    chan struct{} // each write waits until it is closed; nil: it does not
}

type kept struct {
	*Receiving
	shelf *shelf
	bytes bytes.Buffer
	why   error
	over  bool
}

func newShelf() *shelf { return &shelf{news: make(chan struct{}, 1)} }

func (s *shelf) offer(rc *Receiving) Sink {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := &kept{Receiving: rc, shelf: s}
	s.objects = append(s.objects, k)
	s.tell()
	return k
}

func (s *shelf) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (k *kept) Write(p []byte) (int, error) {
	if k.shelf.wait != nil {
		<-k.shelf.wait
	}
	k.shelf.mu.Lock()
	defer k.shelf.mu.Unlock()
	k.shelf.tell()
	return k.bytes.Write(p)
}

func (k *kept) Close(why error) error {
	k.shelf.mu.Lock()
	defer k.shelf.mu.Unlock()
	k.why, k.over = why, true
	k.shelf.tell()
	return nil
}

// until waits until what came satisfies a condition.
func (s *shelf) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := time.After(patience)
	for {
		s.mu.Lock()
		holds := ok()
		s.mu.Unlock()
		if holds {
			return
		}
		select {
		case <-s.news:
		case <-late:
			t.Fatalf("no %s within %v", what, patience)
		}
	}
}

func (s *shelf) size() (n int) {
	for _, k := range s.objects {
		n += k.bytes.Len()
	}
	return n
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// offerAll offers data to everybody.
func offerAll(t *testing.T, r *Room, data []byte) *Sending {
	t.Helper()
	s, err := r.Offer(Object{Name: "data.bin", Size: uint64(len(data)), Source: bytes.NewReader(data), Wait: patience})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func settle(t *testing.T, s *Sending) []Receiver {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	err := s.Wait(ctx)
	if err != nil {
		t.Fatalf("%v: %+v", err, s.Receivers())
	}
	return s.Receivers()
}

// came checks that one object came whole, once.
func (s *shelf) came(t *testing.T, data []byte) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.objects) != 1 || !bytes.Equal(s.objects[0].bytes.Bytes(), data) || s.objects[0].why != nil || !s.objects[0].over {
		for _, k := range s.objects {
			t.Errorf("%d of %d bytes, over %v: %v", k.bytes.Len(), len(data), k.over, k.why)
		}
		t.Fatalf("%d objects came", len(s.objects))
	}
}
