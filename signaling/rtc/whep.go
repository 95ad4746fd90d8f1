package rtc

import (
	"fmt"
	"regexp"
	"sync"

	"landline/relay"
	"landline/signaling"
)

var rtpmap = regexp.MustCompile(`(?m)^a=rtpmap:\d+ ([A-Za-z0-9-]+)/`)

// carried lists the codecs of an SDP that are carried.
func carried(sdp string) (list relay.Carries) {
	for _, m := range rtpmap.FindAllStringSubmatch(sdp, -1) {
		for _, kind := range []string{"audio/", "video/"} {
			if c := codecOf(kind + m[1]); c != "" {
				list = append(list, c)
			}
		}
	}
	return list
}

// whep makes a session that watches: a hidden member.
func (rs *resources) whep(res *resource, offer, member string) (answer string, err error) {
	var m *relay.Member
	v := &viewer{}
	pt, err := rs.port.open(offer, func(string) { rs.drop(res); v.leave() })
	if err != nil {
		return "", err
	}
	s := newSender()
	codecs := carried(offer)
	out, in, err := pt.lines()
	switch {
	case err == nil && len(codecs) == 0:
		err = ErrNoCodec
	case err == nil && (len(out) == 0 || len(in) > 0):
		err = fmt.Errorf("%w: WHEP receives, and sends nothing", ErrBadSDP)
	}
	if err == nil {
		id := "w-" + secret(9)
		m, err = rs.relay.Join(res.room, relay.Identity{ID: id, Name: "WHEP", Hidden: true, NoReplay: true, Path: relay.WebRTC}, codecs, s.notify)
	}
	if m != nil {
		v.joins(m)
	}
	if err == nil {
		answer, err = pt.answer()
	}
	if err != nil {
		pt.finish(signaling.RTCFailed)
		return "", err
	}
	rs.hold(res, pt)
	s.lines = out
	rs.watch(pt, s, m, member)
	return answer, nil
}

// viewer is the member of a WHEP session, which leaves with it, whichever of the two is there first.
type viewer struct {
	mu     sync.Mutex
	member *relay.Member
	over   bool
}

func (v *viewer) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over = true; v.member != nil {
		v.member.Leave("bye")
	}
}

// joins notes the member, unless the session is over already.
func (v *viewer) joins(m *relay.Member) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.member = m; v.over {
		m.Leave("bye")
	}
}

// watch subscribes to a member, or all, and begins to send.
func (rs *resources) watch(pt *path, s *sender, m *relay.Member, member string) {
	_, s.sub = m.Handles()
	s.hold = m.Pause
	pt.mu.Lock()
	pt.keyAsked = func(l *line) {
		if member, track, ok := l.on(); ok {
			_ = m.KeyFrame(member, track) // it may be over
		}
	}
	pt.mu.Unlock()
	_, others := m.Roster()
	for _, other := range others {
		for _, t := range other.Tracks {
			s.know(other.ID, t)
		}
	}
	want := relay.Want{Priority: defaultPriority}
	if m.Subscribe(relay.Selector{Member: member}, want) != nil {
		_ = m.Subscribe(relay.Selector{Name: member}, want) // it may come yet
	}
	pt.sends(s)
}

const defaultPriority = 4
