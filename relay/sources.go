package relay

// maxSources bounds the senders whose numbers are kept.
const maxSources = 4096

// sources keeps the newest number of each sender, over all its connections, so that what is sent again counts once. A
// sender without a name is not counted.
type sources struct {
	newest map[string]uint64
	order  []string
}

// known is how many of the numbers from n on a sender has used already.
func (s *sources) known(source string, n uint64) uint64 {
	newest := s.newest[source]
	if source == "" || newest < n {
		return 0
	}
	return newest - n + 1
}

// note keeps a sender's newest number.
func (s *sources) note(source string, n uint64) {
	if source == "" {
		return
	}
	if _, ok := s.newest[source]; !ok {
		if s.newest == nil {
			s.newest = map[string]uint64{}
		}
		if len(s.order) >= maxSources {
			delete(s.newest, s.order[0])
			s.order = s.order[1:]
		}
		s.order = append(s.order, source)
	}
	s.newest[source] = n
}
