package webm

import (
	"encoding/binary"

	"landline/media"
	"landline/media/av1"
)

// Lengths and offsets of what Close fills in. The Segment's data starts after its ID and 8 bytes of size.
const (
	seekEntrySize = 2 + 1 + 7 + 11 // Seek, SeekID of 4 bytes, SeekPosition of 8
	seekHeadSize  = 4 + 1 + 3*seekEntrySize
	durationSize  = 2 + 1 + 8
)

// positions are offsets in the file, known once the head is made.
type positions struct{ segment, info, tracks, duration int64 }

// head makes everything before the first Cluster.
func (w *Writer) head() []byte {
	docType := "matroska"
	if w.webm {
		docType = "webm"
	}
	var h []byte
	h = appendUint(h, idEBMLVersion, 1)
	h = appendUint(h, idEBMLReadVersion, 1)
	h = appendUint(h, idEBMLMaxIDLen, 4)
	h = appendUint(h, idEBMLMaxSizeLen, 8)
	h = appendString(h, idDocType, docType)
	h = appendUint(h, idDocTypeVersion, 4)
	h = appendUint(h, idDocTypeReadVer, 2)
	b := appendBytes(nil, idEBML, h)
	b = appendUnknown(b, idSegment)
	w.pos.segment = int64(len(b))
	if w.out.seek != nil {
		b = appendVoid(b, seekHeadSize)
	}
	w.pos.info = int64(len(b))
	var info []byte
	if w.out.seek != nil {
		info = appendVoid(info, durationSize)
	}
	info = appendUint(info, idTimestampScale, defaultScale)
	info = appendString(info, idMuxingApp, "landline")
	info = appendString(info, idWritingApp, "landline")
	b = appendBytes(b, idInfo, info)
	w.pos.duration = int64(len(b) - len(info))
	w.pos.tracks = int64(len(b))
	var tracks []byte
	for _, t := range w.tracks {
		tracks = appendBytes(tracks, idTrackEntry, t.entry())
	}
	return appendBytes(b, idTracks, tracks)
}

// finish ends the file: index at its end; sizes, duration and table of contents at its beginning.
func (w *Writer) finish() error {
	if !w.started {
		if err := w.start(); err != nil {
			return err
		}
	}
	if w.out.seek == nil {
		return nil
	}
	if err := w.endCluster(); err != nil {
		return err
	}
	w.cluster.open = false
	cuesAt := w.out.at
	if len(w.cues) > 0 {
		if err := w.out.write(w.cuesElement()); err != nil {
			return err
		}
		if err := w.out.patch(w.pos.segment, w.seekHead(cuesAt)); err != nil {
			return err
		}
	}
	if err := w.out.patch(w.pos.duration, appendFloat(nil, idDuration, float64(w.end))); err != nil {
		return err
	}
	return w.out.patch(w.pos.segment-8, appendSize8(nil, uint64(w.out.at-w.pos.segment)))
}

func (w *Writer) cuesElement() []byte {
	var cues []byte
	for _, c := range w.cues {
		var at []byte
		at = appendUint(at, idCueTrack, uint64(c.track))
		at = appendUint(at, idCueClusterPos, uint64(c.at-w.pos.segment))
		point := appendUint(nil, idCueTime, uint64(c.time))
		cues = appendBytes(cues, idCuePoint, appendBytes(point, idCueTrackPos, at))
	}
	return appendBytes(nil, idCues, cues)
}

func (w *Writer) seekHead(cuesAt int64) []byte {
	var entries []byte
	for _, e := range []struct {
		id uint32
		at int64
	}{{idInfo, w.pos.info}, {idTracks, w.pos.tracks}, {idCues, cuesAt}} {
		seek := appendBytes(nil, idSeekID, binary.BigEndian.AppendUint32(nil, e.id))
		seek = appendUint8(seek, idSeekPosition, uint64(e.at-w.pos.segment))
		entries = appendBytes(entries, idSeek, seek)
	}
	return appendBytes(nil, idSeekHead, entries)
}

// entry makes the data of a TrackEntry.
func (t *outTrack) entry() []byte {
	var b []byte
	b = appendUint(b, idTrackNumber, uint64(t.number))
	b = appendUint(b, idTrackUID, uint64(t.number))
	b = appendUint(b, idFlagLacing, 0)
	b = appendString(b, idLanguage, "und")
	b = appendString(b, idCodecID, t.codecID)
	if t.private != nil {
		b = appendBytes(b, idCodecPrivate, t.private)
	}
	if t.format.Kind == media.Video {
		b = appendUint(b, idTrackType, typeVideo)
		return appendBytes(b, idVideo, t.videoEntry())
	}
	const preRoll = 80_000_000 // ns, RFC 7845 section 4.6
	b = appendUint(b, idTrackType, typeAudio)
	b = appendUint(b, idCodecDelay, uint64(t.opus.PreSkip)*1_000_000_000/media.OpusRate)
	b = appendUint(b, idSeekPreRoll, preRoll)
	audio := appendFloat(nil, idSamplingFreq, media.OpusRate)
	audio = appendUint(audio, idChannels, uint64(t.opus.Channels))
	return appendBytes(b, idAudio, audio)
}

func (t *outTrack) videoEntry() []byte {
	var b []byte
	if t.format.Width > 0 && t.format.Height > 0 {
		b = appendUint(b, idPixelWidth, uint64(t.format.Width))
		b = appendUint(b, idPixelHeight, uint64(t.format.Height))
	}
	c := t.format.Colour
	if c == nil {
		return b
	}
	primaries, transfer, matrix := c.CodePoints()
	var colour []byte
	colour = appendUint(colour, idMatrix, uint64(matrix))
	colour = appendUint(colour, idTransfer, uint64(transfer))
	colour = appendUint(colour, idPrimaries, uint64(primaries))
	rng := uint64(1)
	if c.FullRange {
		rng = 2
	}
	return appendBytes(b, idColour, appendUint(colour, idRange, rng))
}

// av1Unit leaves temporal delimiters out; the first sequence header gives the CodecPrivate.
func (t *outTrack) av1Unit(f media.Frame) ([]byte, error) {
	unit, sequence, err := av1.TemporalUnit(f.Data)
	if err != nil || sequence == nil || t.private != nil {
		return unit, err
	}
	s, err := av1.ParseSequenceHeader(sequence)
	if err != nil {
		return nil, err
	}
	t.size(s.Width, s.Height)
	t.private, err = av1.Config(sequence)
	return unit, err
}
