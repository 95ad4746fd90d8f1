package relay

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"landline/media"
)

// tester is what *testing.T, *testing.B and *rapid.T have in common here.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// tape records what publishers wrote, so that what receivers get can be held against it.
type tape struct {
	mu     sync.Mutex
	wrote  map[*byte]Message
	frames map[uint16]map[uint32][][]byte // alias, group: the frames written whole
	upper  map[uint16]map[uint32][]bool   // and whether they are of an upper temporal layer, which may be missing
}

func (p *tape) note(m Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrote[&m.Data[0]] = m
}

func (p *tape) whole(h *media.ChunkHeader, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frames[h.Alias] == nil {
		p.frames[h.Alias], p.upper[h.Alias] = map[uint32][][]byte{}, map[uint32][]bool{}
	}
	p.frames[h.Alias][h.Group] = append(p.frames[h.Alias][h.Group], data)
	p.upper[h.Alias][h.Group] = append(p.upper[h.Alias][h.Group], h.Temporal > 0)
}

// needed reports whether a frame of a group is missed, from one number on and before another; end < 0 means the group's end.
func (p *tape) needed(alias uint16, group uint32, from, end int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	upper := p.upper[alias][group]
	if end < 0 {
		end = len(upper)
	}
	return from < end && slices.Contains(upper[min(from, len(upper)):min(end, len(upper))], false)
}

func (p *tape) group(alias uint16, group uint32) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frames[alias][group]
}

// same reports whether m is the very message that was written, its transport form included.
func (p *tape) same(m Message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	w, ok := p.wrote[&m.Data[0]]
	return ok && len(w.Data) == len(m.Data) && len(w.Wire) == len(m.Wire) && (w.Wire == nil || &w.Wire[0] == &m.Wire[0])
}

// receiver is the far end of a session. It holds every track to the rules of docs/protocol.md sections 3, 5 and
// 7, and fails the test where one is broken.
type receiver struct {
	t      tester
	tape   *tape
	bytes  uint64 // payload bytes received
	tracks map[uint16]*inbound
	roster map[string]map[string]uint16 // member, track: alias
	states map[string]State
	events []*Event
}

// inbound is one track as it arrives.
type inbound struct {
	media.Assembler
	member, track string
	alias         uint16
	video         bool
	of            *rendition
	got           []got
	abandons      []media.Control
	bursts        []media.Control // begin markers

	begun     bool
	group     uint32
	whole     int // frames of group that came whole
	abandoned bool
	burst     bool
	announced int // frames that the burst still owes
}

// rendition is what all layers of one track share: one of them is received at a time.
type rendition struct {
	alias    uint16 // of the layer that came last; 0 = none yet
	aliases  []uint16
	switches int
	ended    bool
}

type got struct {
	group uint32
	frame uint16
	data  []byte
	burst bool
}

func (g got) String() string { return fmt.Sprintf("%d/%d", g.group, g.frame) }

func newReceiver(t tester, p *tape, others []MemberInfo) *receiver {
	r := &receiver{t: t, tape: p, tracks: map[uint16]*inbound{}, roster: map[string]map[string]uint16{}, states: map[string]State{}}
	for _, m := range others {
		r.joined(m.ID, m.State)
		for _, tr := range m.Tracks {
			r.added(m.ID, tr)
		}
	}
	return r
}

func (r *receiver) joined(id string, s State) {
	if r.roster[id] != nil {
		r.t.Fatalf("memberJoined %s, who is there", id)
	}
	r.roster[id], r.states[id] = map[string]uint16{}, s
}

func (r *receiver) added(member string, info TrackInfo) {
	if r.roster[member] == nil {
		r.t.Fatalf("trackAdded %s of %s, who is not there", info.ID, member)
	}
	if _, there := r.roster[member][info.ID]; there {
		r.t.Fatalf("trackAdded %s of %s, which is there", info.ID, member)
	}
	r.roster[member][info.ID] = info.Layers[0].Alias
	if r.tracks[info.Layers[0].Alias] != nil {
		return
	}
	of := &rendition{}
	for _, l := range info.Layers {
		of.aliases = append(of.aliases, l.Alias)
		r.tracks[l.Alias] = &inbound{member: member, track: info.ID, alias: l.Alias, video: info.Kind == media.Video, of: of}
	}
}

// event takes a control message; it counts as a fixed number of bytes, which is returned.
func (r *receiver) event(e *Event) int {
	r.events = append(r.events, e)
	switch e.Kind {
	case MemberJoined:
		r.joined(e.Member, e.State)
	case MemberLeft:
		if r.roster[e.Member] == nil || len(r.roster[e.Member]) > 0 {
			r.t.Fatalf("memberLeft %s, known %v, tracks %v", e.Member, r.roster[e.Member] != nil, r.roster[e.Member])
		}
		delete(r.roster, e.Member)
		delete(r.states, e.Member)
	case MemberState:
		if r.roster[e.Member] == nil || r.states[e.Member] == e.State {
			r.t.Fatalf("memberState %s %d, who is %v", e.Member, e.State, r.states)
		}
		r.states[e.Member] = e.State
	case TrackAdded:
		r.added(e.Member, e.Track)
	case TrackRemoved:
		alias, there := r.roster[e.Member][e.Track.ID]
		if !there {
			r.t.Fatalf("trackRemoved %s of %s, which is not there", e.Track.ID, e.Member)
		}
		delete(r.roster[e.Member], e.Track.ID)
		for _, layer := range r.tracks[alias].of.aliases {
			delete(r.tracks, layer)
		}
	}
	return eventSize
}

const eventSize = 200

// message takes a binary message.
func (r *receiver) message(m Message) {
	r.t.Helper()
	r.bytes += uint64(len(m.Data))
	kind, err := media.KindOf(m.Data)
	if err != nil {
		r.t.Fatal(err)
	}
	if kind == media.KindChunk {
		r.chunk(m)
		return
	}
	c, err := media.ParseControl(m.Data)
	if err != nil {
		r.t.Fatal(err)
	}
	in := r.track(c.Alias)
	switch kind {
	case media.KindAbandon:
		in.abandons = append(in.abandons, c)
		if !in.begun || in.abandoned || c.Group != in.group || int(c.Frame) != in.whole {
			r.t.Fatalf("%s: %+v, where group %d (begun %v, abandoned %v) has come up to frame %d", in, c, in.group, in.begun, in.abandoned, in.whole)
		}
		in.abandoned = true
		in.Abandon(c)
	case media.KindCatchUp:
		if c.Code == 1 {
			r.takeOver(in)
		}
		in.marker(r.t, c)
		in.CatchUp(c)
	case media.KindEnd:
		if in.burst {
			r.t.Fatalf("%s: End inside a catch-up", in)
		}
		if in.of.alias != 0 && in.of.alias != in.alias {
			r.t.Fatalf("%s: End under alias %d, where %d came last", in, in.alias, in.of.alias)
		}
		in.complete(r)
		in.of.ended = true
	}
}

// takeOver makes a layer the one that is received: what came of another before must have come to its end.
func (r *receiver) takeOver(in *inbound) {
	r.t.Helper()
	if in.of.alias == in.alias {
		return
	}
	if before := r.tracks[in.of.alias]; before != nil {
		if before.complete(r); before.burst {
			r.t.Fatalf("%s: alias %d takes over in a catch-up of %d", in, in.alias, before.alias)
		}
		before.begun = false
		in.of.switches++
	}
	in.of.alias = in.alias
}

func (r *receiver) track(alias uint16) *inbound {
	r.t.Helper()
	in := r.tracks[alias]
	switch {
	case in == nil:
		r.t.Fatalf("a message under alias %d, which is not announced", alias)
	case in.of.ended:
		r.t.Fatalf("%s: a message after End", in)
	}
	return in
}

func (in *inbound) String() string { return in.member + "/" + in.track }

func (in *inbound) marker(t tester, c media.Control) {
	t.Helper()
	switch {
	case c.Code == 1 && in.burst:
		t.Fatalf("%s: catch-up inside a catch-up", in)
	case c.Code == 0 && (!in.burst || c.Group != in.group && in.begun):
		t.Fatalf("%s: catch-up of group %d ends, where one of group %d is open: %v", in, c.Group, in.group, in.burst)
	case c.Code == 0 && in.announced != 0 && !in.abandoned:
		t.Fatalf("%s: catch-up ends %d frames short", in, in.announced)
	case c.Code == 1 && in.begun && c.Group < in.group:
		t.Fatalf("%s: catch-up goes back from group %d to %d", in, in.group, c.Group)
	}
	in.burst = c.Code == 1
	if in.burst {
		in.bursts = append(in.bursts, c)
		in.announced, in.begun, in.abandoned = int(c.Frame), true, false
		in.group, in.whole = c.Group, 0
	}
}

func (r *receiver) chunk(m Message) {
	r.t.Helper()
	c, err := media.ParseChunk(m.Data)
	if err != nil {
		r.t.Fatal(err)
	}
	in := r.track(c.Alias)
	if !r.tape.same(m) && m.Wire != nil { // a piece of a chunk is looked at when its frame is whole
		r.t.Fatalf("%s: group %d frame %d offset %d is not the message that was written", in, c.Group, c.Frame, c.Offset)
	}
	if in.of.alias != in.alias && !(c.Offset == 0 && c.Frame == 0 && c.Key) {
		r.t.Fatalf("%s: group %d frame %d offset %d under alias %d, where %d is received", in, c.Group, c.Frame, c.Offset, in.alias, in.of.alias)
	}
	if c.Offset == 0 {
		if c.Frame == 0 {
			r.takeOver(in)
		}
		in.frame(r, &c)
	}
	h, data, ok := in.Push(&c)
	if in.Gaps != 0 {
		r.t.Fatalf("%s: a gap at group %d frame %d offset %d", in, c.Group, c.Frame, c.Offset)
	}
	if !ok {
		return
	}
	if r.tape.frames != nil && in.video && r.tape.needed(c.Alias, h.Group, in.whole, int(h.Frame)) {
		r.t.Fatalf("%s: group %d frame %d, where %d is missing", in, h.Group, h.Frame, in.whole)
	}
	in.whole = int(h.Frame) + 1
	in.got = append(in.got, got{h.Group, h.Frame, data, in.burst})
	if r.tape.frames == nil {
		return // the test knows of no frames
	}
	if w := r.tape.group(c.Alias, h.Group); int(h.Frame) >= len(w) || !bytes.Equal(w[h.Frame], data) {
		r.t.Fatalf("%s: group %d frame %d differs from what was written", in, h.Group, h.Frame)
	}
}

// frame looks at the first chunk of a frame.
func (in *inbound) frame(r *receiver, c *media.Chunk) {
	r.t.Helper()
	if in.burst {
		if in.announced = max(0, in.announced-1); c.Group != in.group { // more may have come behind the burst meanwhile
			r.t.Fatalf("%s: group %d frame %d inside a catch-up of %d", in, c.Group, c.Frame, in.group)
		}
	}
	if in.begun && c.Group == in.group && in.abandoned {
		r.t.Fatalf("%s: group %d frame %d after its Abandon", in, c.Group, c.Frame)
	}
	if !in.begun || c.Group != in.group {
		in.complete(r)
		in.begun, in.abandoned, in.group, in.whole = true, false, c.Group, 0
	}
}

// complete holds that a video group that is over came whole, or was abandoned in so many words.
func (in *inbound) complete(r *receiver) {
	r.t.Helper()
	if r.tape.frames != nil && in.begun && in.video && !in.abandoned && r.tape.needed(in.alias, in.group, in.whole, -1) {
		r.t.Fatalf("%s: group %d stopped at frame %d of %d without an Abandon", in, in.group, in.whole, len(r.tape.group(in.alias, in.group)))
	}
}

// of returns a track by name, as far as it is still announced.
func (r *receiver) of(member, track string) *inbound {
	r.t.Helper()
	in := r.tracks[r.roster[member][track]]
	if in == nil {
		r.t.Fatalf("no track %s of %s", track, member)
	}
	return in
}

// names lists the kinds of the events that came, for comparison of their order.
func (r *receiver) kinds() (k []EventKind) {
	for _, e := range r.events {
		k = append(k, e.Kind)
	}
	return k
}

func (r *receiver) last(kind EventKind) (last *Event) {
	for _, e := range r.events {
		if e.Kind == kind {
			last = e
		}
	}
	return last
}

func (r *receiver) count(kind EventKind) (n int) {
	for _, e := range r.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}
