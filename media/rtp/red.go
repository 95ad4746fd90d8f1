package rtp

// Red makes payloads that carry the packets of sound before them as well (RFC 2198), so that one that is lost comes with the next.
type Red struct{ before []redBlock }

type redBlock struct {
	stamp uint32
	data  []byte
}

// Bounds of what is carried again.
const (
	redDepth   = 2         // packets
	redOffset  = 1<<14 - 1 // ticks
	redLength  = 1<<10 - 1 // bytes of each
	redHead    = 4         // bytes in front of each
	redMore    = 0x80      // another head follows
	redPrimary = 1         // byte of the head of the packet itself
)

// Note keeps a packet for those that come, and Payload gives the payload of the next one: pt is its own payload type, stamp its timestamp.
func (r *Red) Note(stamp uint32, data []byte) {
	if len(r.before) == redDepth {
		r.before = append(r.before[:0], r.before[1:]...)
	}
	r.before = append(r.before, redBlock{stamp, data})
}

func (r *Red) Payload(pt uint8, stamp uint32, data []byte) []byte {
	size, from := redPrimary+len(data), len(r.before)
	for ; from > 0; from-- {
		b := r.before[from-1]
		with := size + redHead + len(b.data)
		if off := stamp - b.stamp; off == 0 || off > redOffset || len(b.data) == 0 || len(b.data) > redLength || with > MaxPayload {
			break
		}
		size = with
	}
	out := make([]byte, 0, size)
	for _, b := range r.before[from:] {
		bits := (stamp-b.stamp)<<10 | uint32(len(b.data))
		out = append(out, redMore|pt, byte(bits>>16), byte(bits>>8), byte(bits))
	}
	out = append(out, pt)
	for _, b := range r.before[from:] {
		out = append(out, b.data...)
	}
	return append(out, data...)
}
