package record

import (
	"errors"
	"fmt"
	"path"

	"landline/media"
	"landline/media/webm"
)

// output is a file that is being written: of the room, or of one member.
type output struct {
	f      *timed
	g      *webm.Growing
	about  File
	member string // id; "" = the room
}

// output makes a file, under a name that it gets once it is complete.
func (r *Recorder) output(name string, isWebM bool) (*output, error) {
	o := &output{about: File{Name: name}}
	err := r.ask(func() error {
		f, err := r.store.disk.create(name + partSuffix)
		o.f = &timed{file: f, r: r}
		return err
	})
	if err != nil {
		return nil, err
	}
	if o.g, err = webm.NewGrowing(o.f, isWebM); err != nil {
		return nil, errors.Join(err, o.f.Close(), r.store.disk.remove(name+partSuffix))
	}
	return o, nil
}

// seat is where a track is in the file of its member.
type seat struct {
	file  *output
	place int
}

// seat gives a track its place in the file of its member, which is made for the first of them.
func (r *Recorder) seat(p *part, t *track, f media.Format, key media.Frame) error {
	var o *output
	for _, there := range p.files[1:] {
		if there.member == t.member {
			o = there
		}
	}
	if o == nil {
		var err error
		if o, err = r.memberOutput(p, t); err != nil {
			return err
		}
	}
	place, err := o.g.Add(f, t.title(), key)
	if err == nil {
		p.seats = append(p.seats, seat{o, place})
	}
	return err
}

// memberOutput begins the file of a track's member. The description names it at once: nothing else tells whose it is after a crash.
func (r *Recorder) memberOutput(p *part, t *track) (*output, error) {
	room := p.files[0].about.Name
	ending := path.Ext(room)
	o, err := r.output(fmt.Sprintf("%s.m%d%s", room[:len(room)-len(ending)], len(p.files), ending), p.isWebM)
	if err != nil {
		return nil, err
	}
	o.member = t.member
	p.files = append(p.files, o)
	r.beganMember(MemberFile{Name: o.about.Name, Beside: room, Member: t.member, MemberName: t.name})
	r.describe()
	return o, nil
}

// write puts a frame into the file of the room, and that of its member.
func (p *part) write(place int, f media.Frame) error {
	err := p.files[0].g.Write(media.Packet{Track: place, Frame: f})
	if err == nil && len(p.seats) > 0 {
		s := p.seats[place]
		err = s.file.g.Write(media.Packet{Track: s.place, Frame: f})
	}
	return err
}

// failed is the error of the disk that no file gets over.
func (p *part) failed() error {
	for _, o := range p.files {
		if o.f.err != nil {
			return o.f.err
		}
	}
	return nil
}

// closeOutput completes a file, which is saved then.
func (r *Recorder) closeOutput(o *output) {
	name := o.about.Name
	if err := o.g.Close(); err != nil {
		r.leave(o)
		r.store.log.Warn("a file of a recording cannot be completed yet", "recording", r.id, "file", name, "error", err)
		return
	}
	err := r.ask(func() error {
		if err := errors.Join(o.f.Sync(), o.f.Close()); err != nil {
			return err
		}
		return r.store.disk.rename(name+partSuffix, name)
	})
	if err != nil {
		r.open = append(r.open, o)
		r.store.log.Warn("a file of a recording cannot be saved yet", "recording", r.id, "file", name, "error", err)
		return
	}
	r.saved(o, o.f.size, o.g.Length())
}

// leave closes a file that cannot be completed now. What was written whole plays.
func (r *Recorder) leave(o *output) {
	_ = r.ask(func() error { return errors.Join(o.f.Truncate(o.g.Size()), o.f.Close()) })
	r.open = append(r.open, o)
}

// completeOpen completes the files that could not be before, and reports whether none is left.
func (r *Recorder) completeOpen() bool {
	for len(r.open) > 0 {
		o := r.open[0]
		var got webm.Recovered
		err := r.ask(func() (err error) {
			got, err = r.store.complete(o.about.Name + partSuffix)
			return err
		})
		if err != nil && !errors.Is(err, webm.ErrNothing) {
			r.store.log.Warn("a file of a recording cannot be completed yet", "recording", r.id, "file", o.about.Name, "error", err)
			return false
		}
		r.open = r.open[1:]
		if err == nil {
			r.saved(o, got.Size, got.LengthMs)
		}
	}
	return true
}

// saved notes a file that is complete and on the disk.
func (r *Recorder) saved(o *output, bytes, lengthMs int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.member != "" {
		r.info.addMember(o.about.Name, bytes, lengthMs)
		return
	}
	o.about.Bytes, o.about.DurationMs = bytes, lengthMs
	r.info.add(o.about)
}
