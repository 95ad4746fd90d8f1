package webm

import (
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
	var tracks []byte
	for _, t := range w.tracks {
		tracks = appendBytes(tracks, idTrackEntry, t.entry())
	}
	b, pos := appendHead(w.webm, w.out.seek != nil, tracks)
	w.pos = pos
	return b
}

// appendHead makes a head. filled says that its places for sizes, duration and index are filled in at the end.
func appendHead(isWebM, filled bool, tracks []byte) ([]byte, positions) {
	docType := "matroska"
	if isWebM {
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
	pos := positions{segment: int64(len(b))}
	var info []byte
	if filled {
		b = appendVoid(b, seekHeadSize)
		info = appendVoid(info, durationSize)
	}
	pos.info = int64(len(b))
	info = appendUint(info, idTimestampScale, defaultScale)
	info = appendString(info, idMuxingApp, "landline")
	info = appendString(info, idWritingApp, "landline")
	b = appendBytes(b, idInfo, info)
	pos.duration = int64(len(b) - len(info))
	pos.tracks = int64(len(b))
	return appendBytes(b, idTracks, tracks), pos
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
	if !w.index.empty() {
		if err := w.out.write(w.index.element(w.pos.segment)); err != nil {
			return err
		}
		if err := w.out.patch(w.pos.segment, w.pos.seekHead(cuesAt)); err != nil {
			return err
		}
	}
	if err := w.out.patch(w.pos.duration, appendFloat(nil, idDuration, float64(w.end))); err != nil {
		return err
	}
	return w.out.patch(w.pos.segment-8, appendSize8(nil, uint64(w.out.at-w.pos.segment)))
}

// entry makes the data of a TrackEntry.
func (t *outTrack) entry() []byte {
	var b []byte
	b = appendUint(b, idTrackNumber, uint64(t.number))
	b = appendUint(b, idTrackUID, uint64(t.number))
	b = appendUint(b, idFlagLacing, 0)
	b = appendString(b, idLanguage, "und")
	if t.name != "" {
		b = appendString(b, idName, t.name)
	}
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
