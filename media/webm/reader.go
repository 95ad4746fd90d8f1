package webm

import (
	"fmt"
	"io"

	"landline/media"
)

// Caps on what a file may ask to be held.
const (
	maxHeader = 1 << 20  // bytes of Tracks, of Info
	maxEBML   = 16 << 10 // bytes of the EBML header
	maxTracks = 64
)

// Reader gives the packets of a WebM or Matroska file, in file order. Every track whose payload the relay
// may carry comes in the relay's form: H.264 in Annex B with inline parameter sets, AV1 without temporal
// delimiters and with a sequence header in every key frame. Subtitles and other kinds of track are left out.
//
// Format.Reorders of H.264 is set if the SPS does not rule it out and the timestamps of the first 32 frames,
// as far as they lie within the first 3 s, 8 MiB and 1024 packets of the file, go backwards.
type Reader struct {
	src     *source
	segment element
	cluster element
	// inCluster is set between a Cluster's header and its end.
	inCluster bool
	// clusterTime is the Cluster's Timestamp in ticks of scale nanoseconds; timed says that it came.
	clusterTime uint64
	timed       bool
	scale       uint64

	tracks  map[uint64]*track // by TrackNumber
	formats []media.Format

	queue []media.Packet // read and not yet returned, from head on
	head  int
	err   error // what comes after the queue
}

// NewReader reads as far as the first Cluster, and on until it knows every format. It returns an error
// that wraps media.ErrFormat when r holds something else than WebM or Matroska.
func NewReader(r io.Reader) (*Reader, error) {
	rd := &Reader{src: newSource(r), scale: defaultScale, tracks: map[uint64]*track{}}
	if err := rd.readEBML(); err != nil {
		return nil, fmt.Errorf("webm: %w", err)
	}
	if err := rd.readHead(); err != nil {
		return nil, fmt.Errorf("webm: %w", err)
	}
	rd.complete()
	return rd, nil
}

// Formats describes the tracks; Packet.Track is an index into it.
func (r *Reader) Formats() []media.Format { return r.formats }

// Next returns the next packet of any track.
func (r *Reader) Next() (media.Packet, error) {
	for r.head == len(r.queue) {
		if r.err != nil {
			return media.Packet{}, r.err
		}
		r.queue, r.head = r.queue[:0], 0
		r.advance()
	}
	p := r.queue[r.head]
	r.queue[r.head] = media.Packet{}
	r.head++
	return p, nil
}

// advance reads one element, which may append to the queue, and keeps the error that ends the file.
func (r *Reader) advance() {
	var err error
	if r.inCluster {
		err = r.clusterChild()
	} else {
		err = r.segmentChild()
	}
	if err == io.EOF {
		r.err = err
	} else if err != nil {
		r.err = fmt.Errorf("webm: %w", err)
	}
}

// segmentChild reads one child of the Segment as far as the next Cluster's header.
func (r *Reader) segmentChild() error {
	e, err := r.nextTop()
	if err != nil {
		return err
	}
	if e.id == idCluster {
		r.openCluster(e)
		return nil
	}
	return r.skipElement(e)
}

// nextTop reads the header of the next child of the Segment. It returns io.EOF at the Segment's end; what
// follows the Segment is not read.
func (r *Reader) nextTop() (element, error) {
	end := r.segment.end()
	if end != unknownSize && r.src.at == end {
		return element{}, io.EOF
	}
	e, err := r.src.header("Segment", end)
	if err == io.EOF && end != unknownSize {
		return element{}, fail(media.ErrTruncated, "Segment", r.segment.at, "the input ends at byte %d, the Segment at %d", r.src.at, end)
	}
	if err == nil && end == unknownSize && (e.id == idEBML || e.id == idSegment) {
		return element{}, io.EOF // another file follows
	}
	return e, err
}

func (r *Reader) openCluster(e element) {
	r.cluster, r.inCluster, r.timed = e, true, false
}

// skipElement passes over an element whose header was read.
func (r *Reader) skipElement(e element) error {
	if e.size == unknownSize {
		return fail(media.ErrFormat, name(e.id), e.at, "its size is unknown, which only a Segment or a Cluster may be")
	}
	return r.src.skip(e.size, name(e.id))
}

// clusterChild reads one child of the open Cluster, or finds the Cluster's end.
func (r *Reader) clusterChild() error {
	end := r.cluster.end()
	if end == r.src.at {
		r.inCluster = false
		return nil
	}
	if end == unknownSize {
		e, err := r.src.peekHeader("Cluster")
		if err == nil && topLevel(e.id) || err == io.EOF || r.src.at == r.segment.end() {
			r.inCluster = false
			return nil
		}
		end = r.segment.end()
	}
	e, err := r.src.header("Cluster", end)
	if err == io.EOF {
		return fail(media.ErrTruncated, "Cluster", r.cluster.at, "the input ends at byte %d, the Cluster at %d", r.src.at, end)
	}
	if err != nil {
		return err
	}
	switch e.id {
	case idTimestamp:
		data, err := r.src.readMaster(e, 8)
		r.clusterTime, r.timed = uintOf(data), true
		return err
	case idSimpleBlock:
		b, err := r.readBlock(e)
		if err != nil || b.track == nil {
			return err
		}
		return r.emit(b)
	case idBlockGroup:
		return r.blockGroup(e)
	}
	return r.skipElement(e)
}
