package webm

import "encoding/binary"

// maxCues bounds an index.
const maxCues = 1 << 15

// cue is a point from which playing can start: ms, and the offset of its Cluster in the file.
type cue struct {
	time, at int64
	track    byte
}

// index collects the cues of a file.
type index struct {
	cues    []cue
	every   int // of the clusters that could have a cue, one in every has one; 0 means 1
	skipped int
}

func (x *index) empty() bool { return len(x.cues) == 0 }

// add keeps a cue; when there are too many it drops every second one.
func (x *index) add(c cue) {
	if x.skipped++; x.skipped < x.every {
		return
	}
	x.skipped = 0
	if len(x.cues) == maxCues {
		x.every = 2 * max(1, x.every)
		for i := range maxCues / 2 {
			x.cues[i] = x.cues[2*i]
		}
		x.cues = x.cues[:maxCues/2]
	}
	x.cues = append(x.cues, c)
}

// element makes the Cues. segment is the offset of the Segment's data.
func (x *index) element(segment int64) []byte {
	var cues []byte
	for _, c := range x.cues {
		var at []byte
		at = appendUint(at, idCueTrack, uint64(c.track))
		at = appendUint(at, idCueClusterPos, uint64(c.at-segment))
		point := appendUint(nil, idCueTime, uint64(c.time))
		cues = appendBytes(cues, idCuePoint, appendBytes(point, idCueTrackPos, at))
	}
	return appendBytes(nil, idCues, cues)
}

// seekHead makes the table of contents of a file whose Cues are at an offset.
func (p positions) seekHead(cuesAt int64) []byte {
	var entries []byte
	for _, e := range []struct {
		id uint32
		at int64
	}{{idInfo, p.info}, {idTracks, p.tracks}, {idCues, cuesAt}} {
		seek := appendBytes(nil, idSeekID, binary.BigEndian.AppendUint32(nil, e.id))
		seek = appendUint8(seek, idSeekPosition, uint64(e.at-p.segment))
		entries = appendBytes(entries, idSeek, seek)
	}
	return appendBytes(nil, idSeekHead, entries)
}
