package bench

// role is how a member behaves.
type role string

const (
	publisher role = "publisher"
	fast      role = "fast"   // reads and acknowledges as it should
	slow      role = "slow"   // does so at half of what is sent, from a small receive buffer
	frozen    role = "frozen" // once it has joined, neither reads nor acknowledges
	churn     role = "churn"  // leaves and joins again about once a second
	onFloor   role = "floor"  // is no member, but a connection to the floor
)

// order is one line on a worker's stdin. Exactly one field is set. Each order is answered by one line.
type order struct {
	Join  *joinOrder  `json:",omitempty"`
	Floor *floorOrder `json:",omitempty"`
	Serve *serveOrder `json:",omitempty"`
	Send  *sendOrder  `json:",omitempty"`
	Stop  bool        `json:",omitempty"` // ends Send early; it has no answer of its own
	Take  *takeOrder  `json:",omitempty"`
	Leave bool        `json:",omitempty"`
}

// joinOrder has members join; it is answered when all have.
type joinOrder struct {
	Relay   address
	Plan    plan
	Aliases []alias // those of the publishers, which join before those who receive
	Members []memberSpec
	// SlowRate is what slow members read, in bytes a second.
	SlowRate float64
	WebRTC   bool // those who receive do so over PeerConnections
}

// address is where a relay is, as workers need it.
type address struct {
	Dial, Host, Path string
	TLS, Insecure    bool
}

// memberSpec is a member to be.
type memberSpec struct {
	Role  role
	Room  int
	Place string // the room's name
	Name  string
	Token string `json:",omitempty"`
}

// alias is one track of the rooms.
type alias struct {
	Alias uint16
	Room  int
	Track int // which of the room's
	Audio bool
}

// floorOrder connects receivers to the floor, as many for each room as said.
type floorOrder struct {
	Dial   string
	Rooms  []int
	WebRTC bool
}

// serveOrder is the floor's own: it accepts as many connections, to send them what the plan says.
type serveOrder struct {
	Plan    plan
	Aliases []alias
	Conns   int
	WebRTC  bool
}

// sendOrder publishes a slice, from a moment on the clock of all processes; it is answered after the last frame.
type sendOrder struct {
	From, Length int64 // ns
}

// takeOrder asks for what was counted.
type takeOrder struct {
	Reset bool
	// Brief leaves out all but the numbers of frames, which is cheap enough to ask in the middle of things.
	Brief bool
}

// answer is one line on a worker's stdout.
type answer struct {
	Error   string          `json:",omitempty"`
	Aliases []alias         `json:",omitempty"`
	Listen  string          `json:",omitempty"` // of the floor
	Sent    *sentCount      `json:",omitempty"`
	Tallies map[role]*tally `json:",omitempty"`
	CPU     float64         `json:",omitempty"` // seconds that the process has used
	RSS     float64         `json:",omitempty"` // bytes of the floor that are resident
}

// sentCount is what was sent in one slice.
type sentCount struct {
	Audio, Video []uint64  // frames by room
	Late         histogram // how long after its moment each frame was sent
	KeyAsked     uint64    // key-frame requests since the last slice
	CPU          float64   // µs that the slice cost the floor; 0 of publishers
	Packets      uint64    // RTP packets that the floor sent, to all together
	Unwritten    uint64    // floor: writes that the socket did not take whole
}

// tally is what members of one role have counted.
type tally struct {
	Audio, Video kindTally
	Drops        map[string]uint64 `json:",omitempty"` // as the relay told the members
	Join, First  histogram         // from the first packet to joined, to the first frame
	Joins        uint64
	Closes       map[string]uint64 `json:",omitempty"` // sessions that ended without being asked to, by reason
}

// kindTally counts frames of audio or of video.
type kindTally struct {
	Frames   uint64 // that came whole in their turn
	CaughtUp uint64 // that came in a catch-up burst
	Broken   uint64 // chunks that do not fit what came before: always 0 from a sound relay
	Bytes    uint64
	Packets  uint64 // of RTP that came
	Lost     uint64 // that were sent, by their numbers, and did not come
	Latency  histogram
}

func newTally() *tally { return &tally{Drops: map[string]uint64{}, Closes: map[string]uint64{}} }

func (t *tally) kind(audio bool) *kindTally {
	if audio {
		return &t.Audio
	}
	return &t.Video
}

func (t *tally) merge(o *tally) {
	t.Audio.merge(&o.Audio)
	t.Video.merge(&o.Video)
	t.Join.merge(&o.Join)
	t.First.merge(&o.First)
	t.Joins += o.Joins
	for why, n := range o.Drops {
		t.Drops[why] += n
	}
	for why, n := range o.Closes {
		t.Closes[why] += n
	}
}

func (k *kindTally) merge(o *kindTally) {
	k.Frames += o.Frames
	k.CaughtUp += o.CaughtUp
	k.Broken += o.Broken
	k.Bytes += o.Bytes
	k.Packets += o.Packets
	k.Lost += o.Lost
	k.Latency.merge(&o.Latency)
}

// frames is all that came, of both kinds.
func (t *tally) frames() uint64 {
	return t.Audio.Frames + t.Audio.CaughtUp + t.Video.Frames + t.Video.CaughtUp
}

// packets is all RTP that was sent to members, also what did not come.
func (t *tally) packets() uint64 {
	return t.Audio.Packets + t.Audio.Lost + t.Video.Packets + t.Video.Lost
}
