package media

// Assembler puts the chunks of one track together again. It keeps to what the sender promises in
// docs/protocol.md sections 5 and 7, and never holds more than one frame of MaxFrameSize.
type Assembler struct {
	open   bool // a frame was begun and not finished
	known  bool // group and next are valid
	broken bool // the rest of group cannot be decoded
	group  uint32
	next   uint16 // least frame expected next in group: those with a hole before them do not depend on what is missing
	head   ChunkHeader
	buf    []byte

	// Gaps counts pieces and beginnings that were missing without an Abandon: always 0 from a sound sender.
	Gaps uint64
	// Abandoned counts groups whose rest was given up.
	Abandoned uint64
	// Skipped counts groups of which nothing came at all.
	Skipped uint64
}

// Push takes the next chunk and returns the frame that it completes, if any. The frame's data
// belongs to the caller. A chunk that does not fit what came before is left out together with the
// rest of its group, and counted in Gaps.
func (a *Assembler) Push(c *Chunk) (h ChunkHeader, data []byte, ok bool) {
	if c.Offset == 0 {
		a.begin(c)
	} else if !a.open || c.Group != a.head.Group || c.Frame != a.head.Frame || int(c.Offset) != len(a.buf) {
		a.gap(c.Group)
	}
	if !a.open || a.broken {
		return ChunkHeader{}, nil, false
	}
	a.buf = append(a.buf, c.Payload...)
	if !c.Last {
		return ChunkHeader{}, nil, false
	}
	h, data = a.head, a.buf
	a.buf, a.open = nil, false
	a.next = h.Frame + 1
	return h, data, true
}

// begin starts a frame, checking that it follows the one before.
func (a *Assembler) begin(c *Chunk) {
	if a.open {
		a.gap(a.head.Group)
	}
	switch {
	case !a.known || c.Group > a.group:
		if a.known && c.Group > a.group+1 {
			a.Skipped += uint64(c.Group - a.group - 1)
		}
		a.known, a.broken, a.group, a.next = true, false, c.Group, 0
		if c.Frame != 0 || !c.Key {
			a.gap(c.Group)
			return
		}
	case c.Group < a.group || c.Frame < a.next:
		if !a.broken {
			a.gap(a.group)
		}
		return
	}
	a.open, a.head, a.buf = !a.broken, c.ChunkHeader, nil
}

func (a *Assembler) gap(group uint32) {
	if !a.broken || group != a.group {
		a.Gaps++
	}
	a.open, a.broken, a.buf = false, true, nil
}

// Abandon takes an Abandon: the rest of the group is not coming.
func (a *Assembler) Abandon(c Control) {
	if !a.known || c.Group < a.group {
		return
	}
	a.Abandoned++
	a.known, a.broken, a.group, a.open, a.buf = true, true, c.Group, false, nil
}

// CatchUp takes the begin of a catch-up burst: its group starts from frame 0 again.
func (a *Assembler) CatchUp(c Control) {
	if c.Code == 0 {
		return
	}
	a.open, a.buf, a.known = false, nil, false
}
