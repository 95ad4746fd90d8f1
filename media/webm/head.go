package webm

import (
	"io"

	"landline/media"
)

// defaultScale is the TimestampScale in nanoseconds of a file that states none.
const defaultScale = 1_000_000

// maxReadVersion is the DocTypeReadVersion up to which RFC 9559 describes files.
const maxReadVersion = 4

// readEBML reads the EBML header and the Segment's header.
func (r *Reader) readEBML() error {
	const not = "not a WebM/Matroska file"
	b, err := r.src.r.Peek(4)
	switch {
	case err != nil && err != io.EOF:
		return r.src.broken(err, "EBML header")
	case len(b) == 0:
		return fail(media.ErrFormat, not, 0, "it is empty")
	case uintOf(b) != idEBML:
		return fail(media.ErrFormat, not, 0, "it starts with % x instead of an EBML header", b)
	}
	e, err := r.src.header("EBML header", unknownSize)
	if err != nil {
		return err
	}
	data, err := r.src.readMaster(e, maxEBML)
	if err != nil {
		return err
	}
	if err := checkEBML(data, e); err != nil {
		return err
	}
	for {
		e, err := r.src.header("the file", unknownSize)
		switch {
		case err == io.EOF:
			return fail(media.ErrTruncated, "the file", r.src.at, "the input ends before the Segment")
		case err != nil:
			return err
		case e.id == idSegment:
			r.segment = e
			return nil
		}
		if err := r.skipElement(e); err != nil {
			return err
		}
	}
}

// checkEBML refuses what is EBML but not Matroska, and versions of either that came after RFC 9559.
func checkEBML(data []byte, e element) error {
	docType, version, readVersion, maxID, maxSize := "", uint64(1), uint64(1), uint64(4), uint64(8)
	err := children(data, "EBML header", e.data, func(id uint32, data []byte, _ int64) error {
		switch id {
		case idDocType:
			docType = stringOf(data)
		case idEBMLReadVersion:
			version = uintOf(data)
		case idDocTypeReadVer:
			readVersion = uintOf(data)
		case idEBMLMaxIDLen:
			maxID = uintOf(data)
		case idEBMLMaxSizeLen:
			maxSize = uintOf(data)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case docType != "webm" && docType != "matroska":
		return fail(media.ErrFormat, "EBML header", e.at, "document type %q is neither webm nor matroska", docType)
	case version != 1 || readVersion > maxReadVersion:
		return fail(media.ErrUnsupported, "EBML header", e.at, "it needs EBML version %d and %s version %d", version, docType, readVersion)
	case maxID > 4 || maxSize > 8:
		return fail(media.ErrUnsupported, "EBML header", e.at, "element IDs of %d bytes, sizes of %d bytes", maxID, maxSize)
	}
	return nil
}

// readHead reads the Segment as far as the header of the first Cluster.
func (r *Reader) readHead() error {
	seen := false
	for {
		e, err := r.nextTop()
		switch {
		case err == io.EOF && seen:
			r.err = io.EOF
			return nil
		case err == io.EOF:
			return fail(media.ErrTruncated, "Segment", r.segment.at, "the input ends before Tracks")
		case err != nil && seen:
			r.err = err
			return nil
		case err != nil:
			return err
		}
		switch {
		case e.id == idInfo:
			err = r.readInfo(e)
		case e.id == idTracks && !seen:
			seen = true
			err = r.readTracks(e)
		case e.id == idCluster && !seen:
			err = fail(media.ErrFormat, "Cluster", e.at, "no Tracks before it")
		case e.id == idCluster:
			r.openCluster(e)
			return nil
		default:
			err = r.skipElement(e)
		}
		if err != nil {
			return err
		}
	}
}

func (r *Reader) readInfo(e element) error {
	data, err := r.src.readMaster(e, maxHeader)
	if err != nil {
		return err
	}
	return children(data, "Info", e.data, func(id uint32, data []byte, at int64) error {
		if id != idTimestampScale {
			return nil
		}
		if r.scale = uintOf(data); r.scale == 0 {
			return fail(media.ErrFormat, "TimestampScale", at, "it is 0")
		}
		return nil
	})
}
