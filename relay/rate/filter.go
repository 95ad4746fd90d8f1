package rate

import "time"

// marks are the ends of messages under way, oldest first. Small messages of one millisecond share a mark.
type marks struct {
	buf  []mark
	head int
}

type mark struct {
	begin, end uint64
	at         time.Duration
}

const (
	sameMark = time.Millisecond
	maxMarks = 1024
)

func (m *marks) empty() bool { return m.head == len(m.buf) }

func (m *marks) oldest() time.Duration { return m.buf[m.head].at }

func (m *marks) push(begin, end uint64, at time.Duration) {
	if n := len(m.buf); n > m.head {
		last := &m.buf[n-1]
		if at-last.at < sameMark && end-last.begin <= MinChunk || n-m.head >= maxMarks {
			last.end = end
			return
		}
	}
	if m.head > 16 && m.head*2 > len(m.buf) {
		m.buf, m.head = m.buf[:copy(m.buf, m.buf[m.head:])], 0
	}
	m.buf = append(m.buf, mark{begin, end, at})
}

// pop takes out the marks up to a position, and gives the newest of them, and how many they are.
func (m *marks) pop(to uint64) (newest mark, n int) {
	for m.head < len(m.buf) && m.buf[m.head].end <= to {
		newest = m.buf[m.head]
		n++
		m.head++
	}
	if m.head == len(m.buf) {
		m.head = 0
		if m.buf = m.buf[:0]; cap(m.buf) > 64 {
			m.buf = nil
		}
	}
	return newest, n
}

// highest keeps the highest rate of the last 2 s of a time that only passes while the sender is limited by the path.
type highest struct {
	slots [8]float64
	slot  int
	in    time.Duration // into the current slot
}

const slotTime = 250 * time.Millisecond

func (h *highest) pass(d time.Duration) {
	h.in += min(d, slotTime*time.Duration(len(h.slots)))
	for h.in >= slotTime {
		h.in -= slotTime
		h.slot = (h.slot + 1) % len(h.slots)
		h.slots[h.slot] = 0
	}
}

func (h *highest) add(rate float64) { h.slots[h.slot] = max(h.slots[h.slot], rate) }

func (h *highest) reset(rate float64) {
	h.slots = [8]float64{}
	h.slots[h.slot] = rate
}

func (h *highest) most() (most float64) {
	for _, r := range h.slots {
		most = max(most, r)
	}
	return most
}
