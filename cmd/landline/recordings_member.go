package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"landline/media"
	"landline/media/webm"
	"landline/relay/record"
)

// memberFile finds the file that the relay has of a member, by display name, beside one of the room. What several of that name said is in no file of its own.
func memberFile(info record.Info, beside, name string) (found record.MemberFile, ok bool) {
	for _, f := range info.Members {
		if f.Beside != beside || f.MemberName != name {
			continue
		}
		if ok {
			return found, false
		}
		found, ok = f, true
	}
	return found, ok
}

// saveMember writes to a file that is not there yet what one member said in a file of a recording: the same packets, at the same times.
func saveMember(name, member string, about record.File, from io.Reader) error {
	wanted := map[int]record.Track{}
	for i, t := range about.Tracks {
		if t.Name == member {
			wanted[i] = t
		}
	}
	if len(wanted) == 0 {
		return fmt.Errorf("nobody in %s is called %s", about.Name, member)
	}
	r, err := webm.NewReader(from)
	if err != nil {
		return err
	}
	if len(r.Formats()) != len(about.Tracks) {
		return fmt.Errorf("%s has %d tracks, and is said to have %d", about.Name, len(r.Formats()), len(about.Tracks))
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	err = copyTracks(f, r, wanted)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// copyTracks writes those tracks of a file, each from its first key frame on.
func copyTracks(f *os.File, r *webm.Reader, wanted map[int]record.Track) error {
	isWebM := true
	for i := range wanted {
		isWebM = isWebM && webm.FitsWebM(r.Formats()[i])
	}
	g, err := webm.NewGrowing(f, isWebM)
	if err != nil {
		return err
	}
	places := map[int]int{}
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return g.Close()
		}
		if err != nil {
			return err
		}
		t, ok := wanted[p.Track]
		place, begun := places[p.Track]
		if !ok || !begun && !p.Key {
			continue
		}
		if !begun {
			if place, err = g.Add(r.Formats()[p.Track], t.Name+" · "+t.Track, p.Frame); err != nil {
				return err
			}
			places[p.Track] = place
		}
		if err := g.Write(media.Packet{Track: place, Frame: p.Frame}); err != nil {
			return err
		}
	}
}
