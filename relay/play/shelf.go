package play

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"landline/media"
	"landline/relay"
	"landline/relay/record"
)

// Shelf lets recordings be read, each by whom it pleases and as they like.
type Shelf struct {
	recordings Catalogue
	log        *slog.Logger

	mu      sync.Mutex
	lent    int // files that are open
	running sync.WaitGroup
}

// maxLent is how many files a Shelf lends at a time; of each the relay holds relay.LoanWindow at most.
const maxLent = 512

// ErrAllLent says that as many files are being read as a Shelf lends.
var ErrAllLent = errors.New("as many recordings are being watched as the server can lend")

// NewShelf makes one. A nil logger logs nothing.
func NewShelf(recordings Catalogue, log *slog.Logger) *Shelf {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Shelf{recordings: recordings, log: log}
}

// Look tells how many files of a recording can be lent. Errors are record.ErrNotFound, record.ErrLive, ErrNoFile, and those of the disk.
func (s *Shelf) Look(id string) (files int, err error) {
	if s.recordings.Live(id) != nil {
		return 0, record.ErrLive
	}
	i, err := s.recordings.Get(id)
	if err == nil && len(i.Files) == 0 {
		err = ErrNoFile
	}
	return len(i.Files), err
}

// Lend offers a member the files of a recording, to be read until it leaves. Errors are those of Look, of relay.Member.Lend, and ErrAllLent.
func (s *Shelf) Lend(m *relay.Member, id string) error {
	parts, err := s.Look(id)
	if err != nil {
		return err
	}
	if !s.take(parts) {
		return ErrAllLent
	}
	files, objects, err := s.open(id, parts)
	var loans []*relay.Loan
	if err == nil {
		loans, err = m.Lend(objects)
	}
	if err != nil {
		closeAll(files)
		s.giveBack(parts)
		return err
	}
	for n, l := range loans {
		s.running.Go(func() { s.serve(l, files[n], id) })
	}
	return nil
}

func (s *Shelf) take(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lent+n > maxLent {
		return false
	}
	s.lent += n
	return true
}

func (s *Shelf) giveBack(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent -= n
}

// Lent is how many files are open.
func (s *Shelf) Lent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lent
}

// Close waits until nothing is read any more, which is soon after all members have left, or for ctx to end.
func (s *Shelf) Close(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.running.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func closeAll(files []record.Content) {
	for _, f := range files {
		_ = f.Close() // it was only read
	}
}

// open opens all files of a recording.
func (s *Shelf) open(id string, parts int) (files []record.Content, objects []relay.Object, err error) {
	for part := range parts {
		f, name, _, err := s.recordings.Media(id, part)
		if err != nil {
			return files, nil, err
		}
		files = append(files, f)
		objects = append(objects, relay.Object{ID: name, Name: name, MIME: record.MIME(name), Size: uint64(f.Size()), Part: part + 1, Parts: parts})
	}
	return files, objects, nil
}

// serve is the goroutine of one file.
func (s *Shelf) serve(l *relay.Loan, f record.Content, id string) {
	defer s.giveBack(1)
	defer f.Close()
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("lending a recording failed", "recording", id, "panic", v)
			l.Cancel("failed")
		}
	}()
	for {
		turn, offset, most, ok := l.Wait()
		if !ok {
			return
		}
		pieces, err := read(f, offset, most)
		if err != nil {
			s.log.Error("a recording cannot be read", "recording", id, "error", err)
			l.Cancel("failed")
			return
		}
		l.Put(turn, offset, pieces)
	}
}

// maxRead is how much is read at a time, in bytes: a receiver that goes elsewhere waits for no more.
const maxRead = 256 << 10

// read reads pieces of a chunk each, with room for a header in front.
func read(f io.ReaderAt, offset uint64, most int) (pieces [][]byte, err error) {
	for most = min(most, maxRead); most > 0; {
		n := min(most, media.MaxChunkPayload)
		p := relay.ObjectMemory(n)
		if got, err := f.ReadAt(p[media.ObjectHeaderSize:], int64(offset)); got < n {
			return nil, errors.Join(err, io.ErrUnexpectedEOF)
		}
		pieces = append(pieces, p)
		offset += uint64(n)
		most -= n
	}
	return pieces, nil
}
