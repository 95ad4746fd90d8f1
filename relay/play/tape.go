package play

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"landline/media"
	"landline/media/webm"
	"landline/relay/record"
)

// How far a tape reads ahead: frames lie in a file nearly by time, but not quite.
const (
	aheadTime    = 1500 * time.Millisecond
	aheadBytes   = 4 << 20
	aheadPackets = 4096
)

// maxLength bounds what is believed of a length, in ms: a year.
const maxLength = 366 * 24 * 3600 * 1000

// packet is a frame of a recording.
type packet struct {
	media.Packet
	part int           // the file that it is in
	at   time.Duration // position in the recording; on a track it never goes back
}

// tape reads a recording, file after file, by time.
type tape struct {
	from   Catalogue
	info   record.Info
	starts []time.Duration // of the files, in the recording
	length time.Duration

	part    int
	content record.Content
	file    *webm.Seekable
	last    []time.Duration // at of the newest packet of each track
	queue   []packet
	bytes   int      // of the queue
	stills  []packet // last pictures of tracks that cannot be decoded yet from here on
	err     error    // what comes behind the queue
}

// openTape opens a recording at its beginning.
func openTape(from Catalogue, id string) (*tape, error) {
	info, err := from.Get(id)
	if err != nil {
		return nil, err
	}
	t := &tape{from: from, info: info, part: -1}
	for i, f := range info.Files {
		length := time.Duration(min(max(f.DurationMs, 0), maxLength)) * time.Millisecond
		if length == 0 { // what was written beside the files is lost
			if err := t.open(i); err != nil {
				return nil, err
			}
			length = min(t.file.Length(), maxLength*time.Millisecond)
		}
		t.starts = append(t.starts, t.length)
		t.length += length
	}
	if len(t.starts) == 0 {
		return nil, ErrNoFile
	}
	if err := t.open(0); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *tape) close() {
	if t.content != nil {
		_ = t.content.Close() // it was only read
		t.content = nil
	}
}

// open goes to the beginning of a file. When that fails the tape is at its end, with the error.
func (t *tape) open(part int) error {
	t.close()
	t.queue, t.bytes, t.stills = nil, 0, nil
	content, name, _, err := t.from.Media(t.info.ID, part)
	if err != nil {
		t.err = err
		return err
	}
	file, err := webm.NewSeekable(content, content.Size())
	if err != nil {
		t.err = errors.Join(fmt.Errorf("%s: %w", name, err), content.Close())
		return t.err
	}
	t.part, t.content, t.file = part, content, file
	t.rewound()
	return nil
}

func (t *tape) rewound() {
	t.last = make([]time.Duration, len(t.file.Formats()))
	t.queue, t.bytes, t.err, t.stills = nil, 0, nil, nil
}

// seek goes to the place at or before a position from which playing can start, and returns that.
func (t *tape) seek(to time.Duration) (landed time.Duration, err error) {
	to = min(max(to, 0), t.length)
	part, _ := slices.BinarySearch(t.starts, to+1)
	if part--; to == 0 {
		part = 0 // others that begin at 0 as well come behind it
	}
	if part != t.part || t.content == nil {
		if err := t.open(part); err != nil {
			return 0, err
		}
	}
	us, stills, err := t.file.SeekTo((to - t.starts[part]).Microseconds())
	t.rewound()
	for _, p := range stills {
		t.stills = append(t.stills, packet{Packet: p, part: part})
	}
	return t.starts[part] + time.Duration(us)*time.Microsecond, err
}

// firstFor is how far behind a place a track's first picture may be to be that of the place.
const firstFor = 500 * time.Millisecond

// pictures are those of all tracks at the place that was gone to, for while nothing is played.
func (t *tape) pictures() []packet {
	list := slices.Clone(t.stills)
	if _, err := t.head(); err != nil {
		return list // playing on tells
	}
	for _, p := range t.queue {
		known := slices.ContainsFunc(list, func(k packet) bool { return k.Track == p.Track })
		if !known && p.Key && t.file.Formats()[p.Track].Kind == media.Video && p.at-t.queue[0].at <= firstFor {
			list = append(list, p)
		}
	}
	return list
}

// head is the next packet. Its error is io.EOF behind the last file's last.
func (t *tape) head() (*packet, error) {
	for {
		t.fill()
		switch {
		case len(t.queue) > 0:
			return &t.queue[0], nil
		case t.err != io.EOF || t.part == len(t.starts)-1:
			return nil, t.err
		}
		if err := t.open(t.part + 1); err != nil {
			return nil, err
		}
	}
}

// pop takes the head away.
func (t *tape) pop() {
	t.bytes -= len(t.queue[0].Data)
	t.queue[0] = packet{}
	t.queue = t.queue[1:]
}

// fill reads until what comes next is known.
func (t *tape) fill() {
	for t.err == nil {
		if n := len(t.queue); n > 0 && (t.queue[n-1].at-t.queue[0].at >= aheadTime || t.bytes >= aheadBytes || n >= aheadPackets) {
			return
		}
		var p media.Packet
		if p, t.err = t.file.Next(); t.err != nil || len(p.Data) == 0 {
			continue
		}
		at := max(t.starts[t.part]+time.Duration(p.Timestamp)*time.Microsecond, t.last[p.Track])
		t.last[p.Track] = at
		place := len(t.queue)
		for place > 0 && t.queue[place-1].at > at {
			place--
		}
		t.queue = slices.Insert(t.queue, place, packet{Packet: p, part: t.part, at: at})
		t.bytes += len(p.Data)
	}
}

// of tells whose track it is in the file that is open.
func (t *tape) of(track int) record.Track {
	if tracks := t.info.Files[t.part].Tracks; len(tracks) == len(t.file.Formats()) {
		return tracks[track]
	}
	// What was written beside the file is lost.
	f := t.file.Formats()[track]
	return record.Track{Member: someone.Member, Name: someone.Name, Track: fmt.Sprint(f.Kind, track), Kind: string(f.Kind), Codec: string(f.Codec)}
}

// someone plays a file of which nobody knows who is in it.
var someone = record.Track{Member: "recording", Name: "Recording"}

// cast are the recorded members of all files.
func (t *tape) cast() (ids []string) {
	for _, f := range t.info.Files {
		for _, track := range append(f.Tracks[:len(f.Tracks):len(f.Tracks)], someone) {
			if track == someone && len(f.Tracks) > 0 {
				continue
			}
			if !slices.Contains(ids, track.Member) {
				ids = append(ids, track.Member)
			}
		}
	}
	return ids
}
