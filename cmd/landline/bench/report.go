package bench

import "time"

// Report is what a run has shown. Fields that the run could not show are absent.
type Report struct {
	URL         string  `json:"url"`
	Transport   string  `json:"transport"` // what carries media to those who receive: ws or webrtc
	Rooms       int     `json:"rooms"`
	Publishers  int     `json:"publishers"`
	Subscribers int     `json:"subscribers"`
	Slow        int     `json:"slow"`
	Frozen      int     `json:"frozen"`
	Churn       int     `json:"churn"`
	Rate        float64 `json:"rate"`
	Size        int     `json:"size"`
	Chunk       int     `json:"chunk"`
	Audio       bool    `json:"audio"`
	TLS         bool    `json:"tls"`
	Seconds     float64 `json:"seconds"` // measured, not counting the floor

	Frames  Frames           `json:"frames"`            // of fast members
	Packets *Packets         `json:"packets,omitempty"` // over WebRTC
	Latency map[string]Times `json:"latency"`           // of fast members: all, audio, video
	// Late is how long after its moment each frame was sent: where this is large, the run is of no use.
	Late        Times             `json:"send_late"`
	Others      map[string]Member `json:"others,omitempty"` // slow, frozen, churn
	Join        Times             `json:"join"`
	First       *Times            `json:"first_frame,omitempty"` // of members that join while media flows
	Drops       map[string]uint64 `json:"drops"`                 // by the relay, of everybody
	Closes      map[string]uint64 `json:"closes"`                // sessions that nobody asked to end
	Queues      map[string]Queue  `json:"queues,omitempty"`
	KeyAsked    uint64            `json:"keyframes_asked"`
	Load        Load              `json:"bench_cpu"`
	ServerUs    *float64          `json:"server_us,omitempty"`
	CPUStep     float64           `json:"server_us_step,omitempty"` // what one step of the relay's own figure is
	Memory      *Memory           `json:"memory,omitempty"`
	FloorUs     *float64          `json:"floor_us,omitempty"`
	Ratio       *float64          `json:"floor_ratio,omitempty"`
	Pairs       []Pair            `json:"pairs,omitempty"`
	FloorRuns   []float64         `json:"floor_runs,omitempty"`   // µs: of the odd slices, of the even ones
	FloorDiffer float64           `json:"floor_differ,omitempty"` // by how much these differ
	FloorSpread float64           `json:"floor_spread,omitempty"` // by how much all slices differ
	TooNoisy    bool              `json:"too_noisy,omitempty"`
	FloorTLS    *bool             `json:"floor_tls,omitempty"`
	FloorSees   *Times            `json:"floor_latency,omitempty"`
	FloorLate   *Times            `json:"floor_send_late,omitempty"`
	Warnings    []string          `json:"warnings,omitempty"`
}

// Unit is what the relay's cost is told for: a frame, or a packet of RTP.
func (r *Report) Unit() string {
	if r.Packets != nil {
		return "packet"
	}
	return "frame"
}

// Frames counts frames of fast members.
type Frames struct {
	Published uint64 `json:"published"`
	Expected  uint64 `json:"expected"`
	Delivered uint64 `json:"delivered"`
	CaughtUp  uint64 `json:"caught_up"` // delivered late, in a catch-up burst
	Gaps      uint64 `json:"gaps"`      // expected, and neither
	Broken    uint64 `json:"broken"`    // chunks that did not fit together
	Bytes     uint64 `json:"bytes"`
}

// Packets counts RTP packets to those who receive. With them, what is told for each frame is told for each packet.
type Packets struct {
	Forwarded uint64 `json:"forwarded"`
	Lost      uint64 `json:"lost"` // of these, on the way
	// BytesOut is by how much the relay's landline_media_bytes_out_total grew, by path: the proof of which way media went.
	BytesOut map[string]float64 `json:"relay_bytes_out"`
}

// Times is a distribution, in milliseconds.
type Times struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
	N   uint64  `json:"n"`
}

// Member is what members of a role got that are not fast.
type Member struct {
	Delivered uint64            `json:"delivered"`
	CaughtUp  uint64            `json:"caught_up"`
	Joins     uint64            `json:"joins"`
	Latency   Times             `json:"latency"`
	Drops     map[string]uint64 `json:"drops"` // as the relay told them
	Audio     uint64            `json:"audio"`
	Video     uint64            `json:"video"`
}

// Queue is the most that waited in the relay for one member of a role.
type Queue struct {
	Bytes int               `json:"max_bytes"`
	AgeMs float64           `json:"max_age_ms"`
	Looks int               `json:"looks"` // how often the relay was asked
	Drops map[string]uint64 `json:"drops"`
}

// Load is what the bench itself used of the processor, in seconds: where both together are near what the machine
// has, figures of latency are those of the bench.
type Load struct {
	Receivers float64 `json:"receivers_s"`
	Server    float64 `json:"server_s"`
	Cores     int     `json:"cores"`
}

// Memory is the relay's resident memory in bytes.
type Memory struct {
	Before    float64 `json:"before"`
	With      float64 `json:"with_members"`
	Members   int     `json:"members"`
	PerMember float64 `json:"per_member"`
	// PerViewer and FloorPerViewer are what one who receives over WebRTC takes, of the relay and of the floor.
	PerViewer      float64 `json:"per_viewer,omitempty"`
	FloorPerViewer float64 `json:"floor_per_viewer,omitempty"`
}

func timesOf(h *histogram) Times {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return Times{P50: ms(h.quantile(0.5)), P95: ms(h.quantile(0.95)), P99: ms(h.quantile(0.99)), Max: float64(h.most) / 1000, N: h.n}
}
