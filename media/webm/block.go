package webm

import (
	"encoding/binary"
	"math"
	"math/bits"

	"landline/media"
)

// Flags of a Block and a SimpleBlock (RFC 9559 section 10.1, 10.2).
const (
	flagKey    = 0x80
	lacingMask = 0x06
	lacingXiph = 0x02
	lacingFix  = 0x04
	lacingEBML = 0x06
)

// block is what a SimpleBlock or a BlockGroup holds.
type block struct {
	element
	track    *track // nil: the block is of no track that is read
	time     int64  // µs
	duration int64  // µs, of all frames together; 0 if not stated
	key      bool
	lacing   byte
	data     []byte // after the header, with the track's prefix before it when there is no lacing
}

// readBlock reads a SimpleBlock or Block.
func (r *Reader) readBlock(e element) (block, error) {
	b := block{element: e}
	if e.size == unknownSize || e.size < 4 {
		return b, fail(media.ErrFormat, name(e.id), e.at, "%d bytes are too short for a block", e.size)
	}
	if !r.timed {
		return b, fail(media.ErrFormat, name(e.id), e.at, "it comes before the Timestamp of its Cluster")
	}
	head, err := r.src.peek(int(min(e.size, 11)), name(e.id))
	if err != nil {
		return b, err
	}
	number, n := vint(head)
	if n > 8 || len(head) < n+3 {
		return b, fail(media.ErrFormat, name(e.id), e.at, "no valid track number")
	}
	offset := int16(binary.BigEndian.Uint16(head[n:]))
	flags := head[n+2]
	payload := e.size - int64(n+3)
	t := r.tracks[number]
	if t == nil {
		return b, r.src.skip(e.size, name(e.id))
	}
	if payload+int64(len(t.prefix)) > media.MaxFrameSize {
		return b, fail(media.ErrTooLarge, name(e.id), e.at, "a frame of %d bytes, at most %d are carried", payload, media.MaxFrameSize)
	}
	if b.time, err = r.time(int64(offset), e); err != nil {
		return b, err
	}
	b.track, b.key, b.lacing = t, flags&flagKey != 0, flags&lacingMask
	if err := r.src.skip(int64(n+3), name(e.id)); err != nil {
		return b, err
	}
	prefix := t.prefix
	if b.lacing != 0 {
		prefix = nil
	}
	b.data, err = r.src.read(int(payload), prefix, name(e.id))
	return b, err
}

// time gives the time in µs of a block that lies offset ticks after its Cluster.
func (r *Reader) time(offset int64, e element) (int64, error) {
	if r.clusterTime > math.MaxInt64/2 {
		return 0, fail(media.ErrFormat, name(e.id), e.at, "impossible Cluster Timestamp %d", r.clusterTime)
	}
	ticks := int64(r.clusterTime) + offset
	if ticks < 0 {
		us, err := r.micros(uint64(-ticks), e)
		return -us, err
	}
	return r.micros(uint64(ticks), e)
}

// micros turns ticks into µs.
func (r *Reader) micros(ticks uint64, e element) (int64, error) {
	hi, lo := bits.Mul64(ticks, r.scale)
	if hi >= 500 {
		return 0, fail(media.ErrFormat, name(e.id), e.at, "a time of %d ticks of %d ns cannot be", ticks, r.scale)
	}
	us, _ := bits.Div64(hi, lo, 1000)
	return int64(us), nil
}

// blockGroup reads a BlockGroup; its block counts only when the whole group has arrived.
func (r *Reader) blockGroup(g element) error {
	if g.size == unknownSize {
		return r.skipElement(g)
	}
	var b block
	found, reference, duration := false, false, uint64(0)
	for r.src.at < g.end() {
		e, err := r.src.header("BlockGroup", g.end())
		if err != nil {
			return r.src.broken(err, "BlockGroup")
		}
		switch {
		case e.id == idBlock && found:
			return fail(media.ErrFormat, "BlockGroup", g.at, "it holds two Blocks")
		case e.id == idBlock:
			found = true
			b, err = r.readBlock(e)
		case e.id == idBlockDuration:
			var data []byte
			data, err = r.src.readMaster(e, 8)
			duration = uintOf(data)
		default:
			reference = reference || e.id == idReferenceBlock
			err = r.skipElement(e)
		}
		if err != nil {
			return err
		}
	}
	if b.track == nil {
		return nil
	}
	b.key = !reference
	var err error
	if b.duration, err = r.micros(duration, g); err != nil {
		return err
	}
	return r.emit(b)
}

// emit appends the frames of a block to the queue.
func (r *Reader) emit(b block) error {
	if b.lacing == 0 {
		return r.emitFrame(b.track, b.data, b.time, b.duration, b)
	}
	var sizes [256]int
	n, data, err := laces(b.data, b.lacing, &sizes)
	if err != nil {
		return fail(media.ErrFormat, name(b.id), b.at, "%v", err)
	}
	at := b.time
	for _, size := range sizes[:n] {
		frame := data[:size:size]
		data = data[size:]
		if len(b.track.prefix) > 0 {
			frame = append(b.track.prefix[:len(b.track.prefix):len(b.track.prefix)], frame...)
		}
		duration := b.track.duration(frame, b.duration/int64(n))
		if err := r.emitFrame(b.track, frame, at, duration, b); err != nil {
			return err
		}
		at += duration
	}
	return nil
}

// emitFrame appends one frame in the relay's form; empty frames are left out.
func (r *Reader) emitFrame(t *track, data []byte, at, duration int64, b block) error {
	if len(data) == 0 {
		return nil
	}
	key := b.key || t.format.Kind == media.Audio
	duration = t.duration(data, duration)
	if t.convert != nil {
		var err error
		if data, err = t.convert(data, key); err != nil {
			return inside(err, name(b.id), b.at)
		}
		if len(data) == 0 {
			return nil // delimiters alone
		}
		if len(data) > media.MaxFrameSize {
			return fail(media.ErrTooLarge, name(b.id), b.at, "a frame of %d bytes, at most %d are carried", len(data), media.MaxFrameSize)
		}
	}
	r.queue = append(r.queue, media.Packet{Track: t.index, Frame: media.Frame{Timestamp: at, Duration: duration, Key: key, Data: data}})
	return nil
}
