package h264

// slice is the beginning of a slice header (section 7.3.3): what tells the slices of one picture from
// those of the next.
type slice struct {
	firstMB       uint32
	pps           uint32
	frameNum      uint32
	field, bottom bool
	idr           bool
	idrID         uint32
	reference     bool
	pocLsb        uint32
	deltaPOC      [2]int64
	whole         bool // the parameter sets were known: all fields are set
}

// pps is what a picture parameter set (section 7.3.2.2) says about slice headers.
type pps struct {
	id, sps         uint32
	fieldOrderInPPS bool
}

func parsePPS(nal []byte) (pps, bool) {
	b := newBitReader(nal, 16)
	p := pps{id: b.ue(), sps: b.ue()}
	b.Bits(1) // entropy_coding_mode_flag
	p.fieldOrderInPPS = b.Flag()
	return p, !b.Short && p.id <= 255 && p.sps <= 31
}

// parseSlice reads a slice header as far as the parameter sets at hand allow.
func parseSlice(nal []byte, active map[uint32]pps, known map[uint32]*sps) slice {
	const enough = 64
	b := newBitReader(nal, enough)
	h := slice{idr: nalType(nal) == nalIDR, reference: nal[0]&0x60 != 0}
	h.firstMB = b.ue()
	b.ue() // slice_type
	h.pps = b.ue()
	p, ok := active[h.pps]
	s := known[p.sps]
	if !ok || s == nil {
		return h
	}
	if s.separatePlanes {
		b.Bits(2)
	}
	h.frameNum = b.Bits(s.frameNumBits)
	if !s.frameMBsOnly {
		if h.field = b.Flag(); h.field {
			h.bottom = b.Flag()
		}
	}
	if h.idr {
		h.idrID = b.ue()
	}
	switch {
	case s.pocType == 0:
		h.pocLsb = b.Bits(s.pocLsbBits)
		if p.fieldOrderInPPS && !h.field {
			h.deltaPOC[0] = b.se()
		}
	case s.pocType == 1 && !s.deltaPOCAlwaysZero:
		h.deltaPOC[0] = b.se()
		if p.fieldOrderInPPS && !h.field {
			h.deltaPOC[1] = b.se()
		}
	}
	h.whole = !b.Short
	return h
}

// newPicture reports whether next belongs to another primary coded picture than h (section
// 7.4.1.2.4). Without the parameter sets it goes by the first macroblock alone, which is right
// unless slices come in arbitrary order.
func (h slice) newPicture(next slice) bool {
	if !h.whole || !next.whole {
		return next.firstMB == 0
	}
	h.firstMB, next.firstMB = 0, 0
	return h != next
}
