package media

// Split cuts a frame into chunk messages of at most size bytes of payload (rounded down to a multiple of
// OffsetUnit, at least OffsetUnit) and calls yield with each. h tells all of the header but Offset and
// Last. Headroom bytes are left free in front of every message, for a transport's own framing; yield
// gets the whole buffer and owns it.
func Split(h ChunkHeader, data []byte, size, headroom int, yield func(buf []byte)) {
	size = min(max(size/OffsetUnit*OffsetUnit, OffsetUnit), MaxChunkPayload)
	for off := 0; off < len(data); off += size {
		end := min(off+size, len(data))
		h.Offset, h.Last = uint32(off), end == len(data)
		buf := make([]byte, headroom, headroom+h.Size()+end-off)
		yield(append(h.Append(buf), data[off:end]...))
	}
}
