package bench

import (
	"encoding/json"
	"math/bits"
	"time"
)

// histogram counts times in µs: exactly up to 128 µs, beyond that to within 1/64. The largest is kept exactly.
type histogram struct {
	counts [2 * steps * octaves]uint32
	n      uint64
	most   int64 // µs
}

const (
	steps   = 64 // per doubling
	octaves = 20
)

// slot is where a number of µs is counted.
func slot(us int64) int {
	if us < 2*steps {
		return int(max(us, 0))
	}
	up := bits.Len64(uint64(us)) - 7 // how often it is halved to come below 2*steps
	return min(up*steps+int(us>>up), len(histogram{}.counts)-1)
}

// floorOf is the least number of µs that is counted in a slot.
func floorOf(slot int) int64 {
	if slot < 2*steps {
		return int64(slot)
	}
	up := slot/steps - 1
	return int64(slot-up*steps) << up
}

// add counts a time in ns. Times below 0 do not come about on one machine, and count as 0.
func (h *histogram) add(ns int64) {
	us := ns / 1000
	h.counts[slot(us)]++
	h.n++
	h.most = max(h.most, us)
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.most = max(h.most, o.most)
}

// quantile is the least time that a share q of all does not exceed: the nearest rank.
func (h *histogram) quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := max(uint64(q*float64(h.n)+0.999999), 1)
	var seen uint64
	for i, n := range h.counts {
		if seen += uint64(n); seen >= rank {
			return time.Duration(min(floorOf(i), h.most)) * time.Microsecond
		}
	}
	return time.Duration(h.most) * time.Microsecond
}

// packed is how a histogram goes from process to process: slots that are not empty, each with its count.
type packed struct {
	Slots [][2]uint32
	Most  int64
}

// MarshalJSON implements json.Marshaler.
func (h *histogram) MarshalJSON() ([]byte, error) {
	p := packed{Most: h.most, Slots: [][2]uint32{}}
	for i, n := range h.counts {
		if n > 0 {
			p.Slots = append(p.Slots, [2]uint32{uint32(i), n})
		}
	}
	return json.Marshal(p)
}

// UnmarshalJSON implements json.Unmarshaler.
func (h *histogram) UnmarshalJSON(b []byte) error {
	var p packed
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*h = histogram{most: p.Most}
	for _, s := range p.Slots {
		if int(s[0]) < len(h.counts) {
			h.counts[s[0]] += s[1]
			h.n += uint64(s[1])
		}
	}
	return nil
}
