package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"runtime/debug"
	"slices"
	"time"

	"landline/media/webm"
	"landline/relay"
)

// Info describes a recording.
type Info struct {
	ID         string    `json:"id"`
	Room       string    `json:"room"`
	State      string    `json:"state"`
	Why        string    `json:"why,omitempty"`    // of one that waits or has failed
	By         string    `json:"by,omitempty"`     // member id of who began it; "" = the operator
	Name       string    `json:"byName,omitempty"` // and the name
	Title      string    `json:"title,omitempty"`  // of a file that was added; "" = it was recorded
	Of         string    `json:"member,omitempty"` // name of the only member who was recorded; "" = everybody
	Began      time.Time `json:"began"`
	Ended      time.Time `json:"ended,omitzero"`
	DurationMs int64     `json:"durationMs"` // of all files
	Bytes      int64     `json:"bytes"`
	Files      []File    `json:"files"` // those that are saved
	// Members are those of one member each that are saved, where such were ordered.
	Members   []MemberFile `json:"members,omitempty"`
	Gaps      []Gap        `json:"gaps,omitempty"`
	Dropped   uint64       `json:"dropped,omitempty"` // frames that were lost, since the disk was full or slow
	Recovered bool         `json:"recovered,omitempty"`
}

// The states of a recording.
const (
	StateRecording = "recording"
	StateWaiting   = "waiting" // for the disk
	StateEnding    = "ending"  // nothing more is recorded, the file is being completed
	StateSaved     = "saved"
	StateFailed    = "failed"
)

var stateNames = map[relay.RecordState]string{relay.Recorded: StateRecording, relay.RecordWait: StateWaiting, relay.RecordOver: StateEnding,
	relay.RecordSaved: StateSaved, relay.RecordFailed: StateFailed}

// StateName is the name of a state, as Info and the protocol have it.
func StateName(s relay.RecordState) string { return stateNames[s] }

// WhyNothing is the reason of a recording during which nothing was sent.
const WhyNothing = "nothing-came"

// MIME is the media type of a file of a recording, by its name.
func MIME(file string) string {
	if path.Ext(file) == ".mkv" {
		return "video/x-matroska"
	}
	return "video/webm"
}

// File is one file of a recording.
type File struct {
	Name       string  `json:"name"`
	AtMs       int64   `json:"atMs"` // when it was begun, from the recording's beginning
	Bytes      int64   `json:"bytes"`
	DurationMs int64   `json:"durationMs"`
	Tracks     []Track `json:"tracks,omitempty"`
}

// MemberFile is a file of what one member sent, beside one of the room: the same frames, at the same times.
type MemberFile struct {
	Name       string `json:"name"`
	Beside     string `json:"beside"`     // name of the room's file
	Member     string `json:"member"`     // id
	MemberName string `json:"memberName"` // display name
	Bytes      int64  `json:"bytes"`      // 0: it is not saved yet
	DurationMs int64  `json:"durationMs"` // from the beginning of the room's file
}

// Track is one track of a file, in the file's order.
type Track struct {
	Member string `json:"member"`
	Name   string `json:"name"`
	Track  string `json:"track"`
	Kind   string `json:"kind"`
	Codec  string `json:"codec"`
	AtMs   int64  `json:"atMs"` // from the file's beginning
}

// Gap is a time during which something was lost.
type Gap struct {
	AtMs  int64  `json:"atMs"` // from the recording's beginning
	ForMs int64  `json:"forMs,omitempty"`
	Why   string `json:"why"`
}

const maxGaps = 100

// gap notes that something is being lost.
func (r *Recorder) gap(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := time.Since(r.began).Milliseconds()
	if n := len(r.info.Gaps); n > 0 && r.info.Gaps[n-1].Why == why && at-r.info.Gaps[n-1].AtMs-r.info.Gaps[n-1].ForMs < 2000 {
		r.info.Gaps[n-1].ForMs = at - r.info.Gaps[n-1].AtMs
	} else if n < maxGaps {
		r.info.Gaps = append(r.info.Gaps, Gap{AtMs: at, Why: why})
	}
}

// gapOver notes how long the newest gap was.
func (r *Recorder) gapOver() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.info.Gaps); n > 0 {
		r.info.Gaps[n-1].ForMs = time.Since(r.began).Milliseconds() - r.info.Gaps[n-1].AtMs
	}
}

// beganMember notes a file of one member that is begun.
func (r *Recorder) beganMember(f MemberFile) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.info.Members = append(r.info.Members, f)
}

func (i *Info) add(f File) {
	i.Files = append(i.Files, f)
	i.Bytes += f.Bytes
	i.DurationMs += f.DurationMs
}

// addMember notes that a file of one member is saved.
func (i *Info) addMember(name string, bytes, lengthMs int64) {
	f := i.memberFile(name)
	f.Bytes, f.DurationMs = bytes, lengthMs
	if at := i.memberAt(name); at >= 0 {
		i.Members[at] = f
	} else {
		i.Members = append(i.Members, f)
	}
	i.Bytes += bytes
}

// memberFile is what is known of the file of a member: whose it is was noted when it was begun.
func (i *Info) memberFile(name string) MemberFile {
	if at := i.memberAt(name); at >= 0 {
		return i.Members[at]
	}
	n, _ := parseName(name)
	return MemberFile{Name: name, Beside: n.beside}
}

func (i *Info) memberAt(name string) int {
	return slices.IndexFunc(i.Members, func(f MemberFile) bool { return f.Name == name })
}

// Info describes the recording as it is now.
func (r *Recorder) Info() Info {
	i := r.all()
	i.Members = slices.DeleteFunc(i.Members, func(f MemberFile) bool { return f.Bytes == 0 })
	return i
}

// all is Info with the files of members that are not saved yet.
func (r *Recorder) all() Info {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.info
	i.Files, i.Members, i.Gaps = slices.Clone(i.Files), slices.Clone(i.Members), slices.Clone(i.Gaps)
	return i
}

// describe writes what is known of the recording beside its files.
func (r *Recorder) describe() {
	info := r.all()
	if err := r.ask(func() error { return r.store.describe(info) }); err != nil {
		r.store.log.Warn("a recording cannot be described", "recording", r.id, "error", err)
	}
}

const (
	partSuffix = ".part"
	infoSuffix = ".json"
	newSuffix  = ".new"
	maxInfo    = 1 << 20 // bytes
)

func (s *Store) describe(i Info) error {
	b, err := json.MarshalIndent(i, "", " ")
	if err != nil {
		return err
	}
	name := i.ID + infoSuffix
	_ = s.disk.remove(name + newSuffix) // of a start that was cut off
	f, err := s.disk.create(name + newSuffix)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, s.disk.remove(name+newSuffix))
	}
	return s.disk.rename(name+newSuffix, name)
}

// readInfo reads what was written beside a recording; what cannot be read is made up of its name.
func (s *Store) readInfo(id string) Info {
	made := Info{ID: id, State: StateRecording}
	if m := idRule.FindStringSubmatch(id); m != nil {
		made.Began, _ = time.Parse("20060102-150405", m[1])
		made.Room = m[2]
	}
	f, err := s.disk.open(id + infoSuffix)
	if err != nil {
		return made
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, maxInfo))
	i := Info{}
	if err != nil || json.Unmarshal(b, &i) != nil || i.ID != id {
		return made
	}
	i.Room = made.Room // what the name says decides who may see it
	return i
}

const idForm = `([0-9]{8}-[0-9]{6})-([A-Za-z0-9][A-Za-z0-9_.~-]{0,63})-[0-9a-f]{8}`

var (
	idRule   = regexp.MustCompile(`^` + idForm + `$`)
	addRule  = regexp.MustCompile(`^` + idForm + `\.(?:webm|mkv)\.adding$`)
	fileRule = regexp.MustCompile(`^((` + idForm + `)(?:\.[0-9]{1,4})?)(\.m[0-9]{1,4})?(\.(?:webm|mkv))(\.part)?$`)
)

// named is what the name of a file tells.
type named struct {
	id     string
	beside string // of one of a member: name of the room's file
	part   bool   // it is not complete
}

func parseName(name string) (n named, ok bool) {
	m := fileRule.FindStringSubmatch(name)
	if m == nil {
		return n, false
	}
	n = named{id: m[2], part: m[7] != ""}
	if m[5] != "" {
		n.beside = m[1] + m[6]
	}
	return n, true
}

// leftovers lists the files that were being written when a process died.
func (s *Store) leftovers() (names []string, err error) {
	files, err := s.disk.list()
	for _, f := range files {
		if n, ok := parseName(f.Name()); ok && n.part {
			names = append(names, f.Name())
		}
	}
	return names, err
}

// recoverAll completes what a process left that died.
func (s *Store) recoverAll(names []string) {
	for _, name := range names {
		if s.ending() {
			return
		}
		s.recoverOne(name)
	}
}

// recoverOne completes a file. What is in it came from members: should it make a reader panic, that concerns this file alone.
func (s *Store) recoverOne(name string) {
	defer func() {
		if p := recover(); p != nil {
			s.counts.Panics.Add(1)
			s.log.Error("panic in completing a recording", "file", name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	n, _ := parseName(name)
	id := n.id
	got, err := s.complete(name)
	switch {
	case errors.Is(err, webm.ErrNothing):
		s.log.Info("a recording that holds nothing is gone", "file", name)
		if files, err := s.byID(); err == nil && len(files[id]) == 0 {
			_ = s.disk.remove(id + infoSuffix) // where there is none, all is well
		}
		return
	case err != nil:
		s.log.Warn("a recording cannot be completed", "file", name, "error", err)
		return
	}
	s.counts.Recovered.Add(1)
	i := s.readInfo(id)
	i.State, i.Why, i.Recovered = StateSaved, "", true
	if name = name[:len(name)-len(partSuffix)]; n.beside != "" {
		i.addMember(name, got.Size, got.LengthMs)
	} else {
		i.add(File{Name: name, Bytes: got.Size, DurationMs: got.LengthMs})
	}
	if err := s.describe(i); err != nil {
		s.log.Warn("a recording cannot be described", "recording", id, "error", err)
	}
	s.log.Info("a recording that was cut off is completed", "recording", id, "durationMs", got.LengthMs, "cutBytes", got.Cut)
}

func (s *Store) ending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// complete completes a file that was left, and gives it its name. One that holds nothing is removed: webm.ErrNothing.
func (s *Store) complete(name string) (webm.Recovered, error) {
	f, err := s.disk.open(name)
	if err != nil {
		return webm.Recovered{}, err
	}
	var info fs.FileInfo
	var got webm.Recovered
	if info, err = f.Stat(); err == nil {
		if got, err = webm.Recover(f, info.Size()); err == nil {
			err = f.Sync()
		}
	}
	err = errors.Join(err, f.Close())
	if errors.Is(err, webm.ErrNothing) {
		return got, errors.Join(err, s.disk.remove(name))
	}
	if err != nil {
		return got, err
	}
	return got, s.disk.rename(name, name[:len(name)-len(partSuffix)])
}
