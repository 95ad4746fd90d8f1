package record

import (
	"errors"
	"fmt"
	"io"
	"time"

	"landline/media"
	"landline/media/webm"
)

// Bounds of what is added.
const (
	maxAdding = 4
	maxTitle  = 64
	// apartMost is how far apart in time neighbours in a file may be: who plays it reads a little more than that ahead.
	apartMost = 1_300_000 // µs
	// freeEvery is after how many bytes the disk is asked for its room.
	freeEvery = 8 << 20
)

// addSuffix is the ending of what is being added. What a crash leaves of it is removed.
const addSuffix = ".adding"

// Errors of Add.
var (
	ErrAdding   = errors.New("as many files are being added as may be at a time")
	ErrTooLarge = errors.New("the file is larger than a recording may be")
	ErrNoRoom   = errors.New("the disk is full")
)

// Addition is a file that is added to the recordings of a room.
type Addition struct {
	Room  string
	Title string // for people; the first 64 characters are kept
	Name  string // of who adds it
}

// adding is one under way.
type adding struct {
	store  *Store
	in     *counted
	reader *webm.Reader
	out    *webm.Growing
	places []int // in out, by track of the reader; -1: none yet
	last   []int64
	zero   int64
	newest int64
	asked  int64 // bytes at which the disk was asked for its room
	about  File
}

// Add keeps a WebM or Matroska file as a recording of a room. It is written anew, so that what is kept is sound, and can be played from any key frame on.
// Errors are ErrClosed, ErrAdding, ErrTooLarge, ErrNoRoom, those of in and of the disk, and, for a file that cannot be kept, what wraps an error of media.
func (s *Store) Add(a Addition, in io.Reader) (Info, error) {
	if err := s.enterAdding(); err != nil {
		return Info{}, err
	}
	defer s.leaveAdding()
	id := newID(a.Room)
	now := time.Now()
	i := Info{ID: id, Room: a.Room, State: StateSaved, Name: a.Name, Title: firstLetters(a.Title, maxTitle), Began: now.UTC(), Files: []File{}}
	if i.Title == "" {
		i.Title = "File"
	}
	file, err := s.take(id, i.Title, &counted{r: in, store: s})
	if err != nil {
		return Info{}, err
	}
	i.Ended = time.Now().UTC()
	i.add(file)
	if err := s.describe(i); err != nil {
		return Info{}, errors.Join(err, s.disk.remove(file.Name))
	}
	s.log.Info("a file is added to the recordings", "recording", id, "title", i.Title, "by", a.Name, "bytes", file.Bytes)
	return i, nil
}

// enterAdding takes a place among those who add.
func (s *Store) enterAdding() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.adding >= maxAdding:
		return ErrAdding
	}
	s.adding++
	s.added.Add(1)
	return nil
}

func (s *Store) leaveAdding() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adding--
	s.added.Done()
}

// take writes the file, and gives it its name when it is whole and on the disk.
func (s *Store) take(id, title string, in *counted) (about File, err error) {
	reader, err := webm.NewReader(in)
	if err != nil {
		return File{}, in.explain(err)
	}
	a := &adding{store: s, in: in, reader: reader}
	name, isWebM, err := a.choose(id)
	if err != nil {
		return File{}, err
	}
	f, err := s.disk.create(name + addSuffix)
	if err != nil {
		return File{}, err
	}
	kept := false
	defer func() { // also where a reader panics on what came
		if !kept {
			err = errors.Join(err, s.disk.remove(name+addSuffix))
		}
	}()
	a.about = File{Name: name}
	if a.out, err = webm.NewGrowing(f, isWebM); err == nil {
		if err = a.copy(title); err == nil {
			err = a.out.Close()
		}
	}
	var size int64
	if info, failed := f.Stat(); failed == nil {
		size = info.Size()
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return File{}, full(err)
	}
	a.about.Bytes, a.about.DurationMs = size, a.out.Length()
	err = s.disk.rename(name+addSuffix, name)
	kept = err == nil
	return a.about, err
}

// choose looks which tracks can be kept, and names the file.
func (a *adding) choose(id string) (name string, isWebM bool, err error) {
	isWebM, some := true, false
	var others []media.Codec
	for _, f := range a.reader.Formats() {
		a.places, a.last = append(a.places, -1), append(a.last, -1)
		if !f.Carried() {
			others = append(others, f.Codec)
			continue
		}
		some, isWebM = true, isWebM && webm.FitsWebM(f)
	}
	if !some {
		return "", false, fmt.Errorf("%w: of its tracks %v none can be carried without being made anew", media.ErrUnsupported, others)
	}
	if isWebM {
		return id + ".webm", true, nil
	}
	return id + ".mkv", false, nil
}

// copy writes all packets. A file that is cut off is kept as far as it goes.
func (a *adding) copy(title string) error {
	for first := true; ; {
		p, err := a.reader.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, media.ErrTruncated) && a.in.err == io.EOF:
			if a.out.Empty() && len(a.about.Tracks) == 0 {
				return fmt.Errorf("%w: it holds no key frame", media.ErrFormat)
			}
			return nil
		case err != nil:
			return a.in.explain(err)
		}
		if len(p.Data) == 0 || !a.reader.Formats()[p.Track].Carried() {
			continue
		}
		if first {
			a.zero, a.newest, first = p.Timestamp, p.Timestamp, false
		}
		if err := a.packet(p, title); err != nil {
			return err
		}
	}
}

// packet writes one. What comes before a track's first key frame is left out.
func (a *adding) packet(p media.Packet, title string) error {
	if p.Timestamp < a.newest-apartMost {
		return fmt.Errorf("%w: its tracks lie over %d ms apart in it: have ffmpeg write it anew (ffmpeg -i FILE -c copy NEW.mkv)", media.ErrUnsupported, apartMost/1000)
	}
	a.newest = max(a.newest, p.Timestamp)
	t := p.Track
	if a.places[t] < 0 {
		if !p.Key {
			return nil
		}
		f := a.reader.Formats()[t]
		place, err := a.out.Add(f, title, p.Frame)
		if err != nil {
			return err
		}
		a.places[t] = place
		id := map[media.Kind]string{media.Audio: "mic", media.Video: "camera"}[f.Kind]
		a.about.Tracks = append(a.about.Tracks, Track{Member: "file", Name: title, Track: id, Kind: string(f.Kind), Codec: string(f.Codec),
			AtMs: (p.Timestamp - a.zero) / 1000})
	}
	p.Timestamp = max(0, p.Timestamp-a.zero)
	if a.last[t] >= 0 {
		p.Timestamp = max(p.Timestamp, a.last[t]+1000) // a millisecond, as the file tells them apart
	}
	a.last[t], p.Track = p.Timestamp, a.places[t]
	if err := a.out.Write(p); err != nil {
		return err
	}
	return a.bounded()
}

// bounded checks the size, and the room on the disk.
func (a *adding) bounded() error {
	size := a.out.Size()
	if size > a.store.o.MaxFile {
		return ErrTooLarge
	}
	if a.asked > 0 && size < a.asked {
		return nil
	}
	a.asked = size + freeEvery
	free, err := a.store.disk.free()
	if err == nil && free < a.store.o.Reserve+freeEvery {
		return ErrNoRoom
	}
	return err
}

// full names the error of a full disk.
func full(err error) error {
	if whyOf(err) == WhyFull {
		return errors.Join(ErrNoRoom, err)
	}
	return err
}

// counted is what is added, as it comes. It ends when the Store does.
type counted struct {
	r     io.Reader
	store *Store
	n     int64
	err   error
}

func (c *counted) Read(p []byte) (int, error) {
	switch {
	case c.store.ending():
		c.err = ErrClosed
	case c.n > c.store.o.MaxFile:
		c.err = ErrTooLarge
	default:
		n, err := c.r.Read(p)
		c.n += int64(n)
		if err != nil {
			c.err = err
		}
		return n, err
	}
	return 0, c.err
}

// explain gives the error of what is read in place of what that made of the file.
func (c *counted) explain(err error) error {
	if c.err != nil && c.err != io.EOF {
		return c.err
	}
	return err
}

// firstLetters keeps at most n characters of a text.
func firstLetters(s string, n int) string {
	letters := []rune(s)
	return string(letters[:min(n, len(letters))])
}

// forgetAdditions removes what a process left that died while files were being added.
func (s *Store) forgetAdditions() error {
	files, err := s.disk.list()
	for _, f := range files {
		if m := addRule.FindString(f.Name()); m != "" {
			s.log.Info("a file that was being added is gone", "file", m)
			err = errors.Join(err, s.disk.remove(m))
		}
	}
	return err
}
