package record

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Errors of the catalogue.
var (
	ErrNotFound = errors.New("there is no such recording")
	ErrLive     = errors.New("the recording goes on")
)

// RoomOf is the room of a recording, by its id; "" for what is no id.
func RoomOf(id string) string {
	if m := idRule.FindStringSubmatch(id); m != nil {
		return m[2]
	}
	return ""
}

// FileOf reports whether a name is that of a file of a recording.
func FileOf(id, name string) bool {
	n, ok := parseName(name)
	return ok && n.id == id
}

// List describes all recordings of a room, or all there are for "", the newest first.
func (s *Store) List(room string) ([]Info, error) {
	files, err := s.byID()
	if err != nil {
		return nil, err
	}
	list := []Info{}
	for id, found := range files {
		if room != "" && RoomOf(id) != room {
			continue
		}
		if i, err := s.info(id, found); err == nil {
			list = append(list, i)
		}
	}
	for _, r := range s.recorders() {
		if _, there := files[r.id]; !there && (room == "" || r.order.Room == room) {
			list = append(list, r.Info())
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Or(b.Began.Compare(a.Began), strings.Compare(b.ID, a.ID)) })
	return list, nil
}

// Get describes a recording.
func (s *Store) Get(id string) (Info, error) {
	if r := s.Live(id); r != nil {
		return r.Info(), nil
	}
	files, err := s.byID()
	if err != nil {
		return Info{}, err
	}
	if found, ok := files[id]; ok {
		return s.info(id, found)
	}
	return Info{}, ErrNotFound
}

// Live is the Recorder of an id; nil if its files are complete.
func (s *Store) Live(id string) *Recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[id]
}

// byID lists the media files of each recording, by name.
func (s *Store) byID() (map[string][]fs.FileInfo, error) {
	list, err := s.disk.list()
	if err != nil {
		return nil, err
	}
	files := map[string][]fs.FileInfo{}
	for _, f := range list {
		if n, ok := parseName(f.Name()); ok {
			files[n.id] = append(files[n.id], f)
		}
	}
	return files, nil
}

// info is what was written beside the files, as far as it agrees with them.
func (s *Store) info(id string, found []fs.FileInfo) (Info, error) {
	if r := s.Live(id); r != nil {
		return r.Info(), nil
	}
	i := s.readInfo(id)
	known := i
	i.Files, i.Members, i.Bytes, i.DurationMs = []File{}, nil, 0, 0
	for _, f := range found {
		n, _ := parseName(f.Name())
		switch {
		case n.part:
		case n.beside != "":
			about := known.memberFile(f.Name())
			about.Bytes = f.Size()
			i.Members, i.Bytes = append(i.Members, about), i.Bytes+about.Bytes
		default:
			i.add(known.file(f))
		}
	}
	slices.SortFunc(i.Members, func(a, b MemberFile) int {
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), strings.Compare(a.Name, b.Name))
	})
	slices.SortFunc(i.Files, func(a, b File) int { return cmp.Or(cmp.Compare(a.AtMs, b.AtMs), strings.Compare(a.Name, b.Name)) })
	switch {
	case len(i.Files) == 0:
		i.State = StateFailed
	case i.State != StateFailed:
		i.State = StateSaved
	}
	return i, nil
}

// file is what is known of a file that is there.
func (i *Info) file(f fs.FileInfo) File {
	about := File{Name: f.Name()}
	if at := slices.IndexFunc(i.Files, func(k File) bool { return k.Name == f.Name() }); at >= 0 {
		about = i.Files[at]
	}
	about.Bytes = f.Size()
	return about
}

// Content is a file of a recording.
type Content interface {
	io.ReadSeekCloser
	io.ReaderAt
	Size() int64
}

// Media opens a file of a recording, the first for 0. The caller closes it.
func (s *Store) Media(id string, part int) (content Content, name string, changed time.Time, err error) {
	return s.media(id, func(i *Info) string {
		if part < 0 || part >= len(i.Files) {
			return ""
		}
		return i.Files[part].Name
	})
}

// MemberMedia opens the file of a member, by id, beside one of the room.
func (s *Store) MemberMedia(id string, part int, member string) (content Content, name string, changed time.Time, err error) {
	return s.media(id, func(i *Info) string {
		at := slices.IndexFunc(i.Members, func(f MemberFile) bool {
			return part >= 0 && part < len(i.Files) && f.Beside == i.Files[part].Name && f.Member == member
		})
		if at < 0 {
			return ""
		}
		return i.Members[at].Name
	})
}

func (s *Store) media(id string, choose func(*Info) string) (content Content, name string, changed time.Time, err error) {
	i, err := s.Get(id)
	if err != nil {
		return nil, "", time.Time{}, err
	}
	if name = choose(&i); name == "" {
		return nil, "", time.Time{}, ErrNotFound
	}
	f, err := s.disk.open(name)
	if err != nil {
		return nil, "", time.Time{}, ErrNotFound
	}
	info, err := f.Stat()
	if err != nil {
		return nil, "", time.Time{}, errors.Join(err, f.Close())
	}
	return &reading{io.NewSectionReader(f, 0, info.Size()), f}, name, info.ModTime(), nil
}

type reading struct {
	*io.SectionReader
	f file
}

func (r *reading) Close() error { return r.f.Close() }

// Delete removes a recording. One that goes on is to be stopped before: ErrLive.
func (s *Store) Delete(id string) error {
	if s.Live(id) != nil {
		return ErrLive
	}
	files, err := s.byID()
	if err != nil {
		return err
	}
	found, ok := files[id]
	if !ok {
		return ErrNotFound
	}
	for _, f := range found {
		err = errors.Join(err, s.disk.remove(f.Name()))
	}
	_ = s.disk.remove(id + infoSuffix) // there may be none
	return err
}
