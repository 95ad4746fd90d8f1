package rtc

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/pion/rtcp"

	"landline/media"
	"landline/media/rtp"
	"landline/relay"
	"landline/signaling"
)

// ingest is a WHIP session: a member that publishes what comes in.
type ingest struct {
	path   *path
	member *relay.Member
	pub    *relay.Publisher
	sub    *relay.Subscriber
	start  time.Time
	wallUs int64

	mu     sync.Mutex // of the Publisher and what is below
	wall   rtp.Wall
	tracks []*ingested
}

// ingested is one track of it.
type ingested struct {
	of     *ingest
	mid    string
	id     string
	codec  media.Codec
	format media.Format
	sync   rtp.Sync
	in     *inlet // nil until it is published
	failed bool
}

// clockZero is where the clock of a WHIP member begins, in µs.
const clockZero = 1_000_000

func (rs *resources) whip(res *resource, offer, name string) (answer string, err error) {
	if name == "" {
		name = "WHIP"
	}
	g := &ingest{start: time.Now(), wallUs: time.Now().UnixMicro()}
	pt, err := rs.port.open(offer, func(string) { rs.drop(res); g.leave() })
	if err != nil {
		return "", err
	}
	g.path = pt
	out, in, err := pt.lines()
	switch {
	case err == nil && len(carried(offer)) == 0:
		err = ErrNoCodec
	case err == nil && (len(in) == 0 || len(out) > 0):
		err = fmt.Errorf("%w: WHIP sends, and receives nothing", ErrBadSDP)
	}
	wake := make(chan struct{}, 1)
	if err == nil {
		err = g.join(rs.relay, res.room, name, func(bool) {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
	}
	if err == nil {
		answer, err = pt.answer()
	}
	if err != nil {
		pt.finish(signaling.RTCFailed)
		return "", err
	}
	rs.hold(res, pt)
	pt.goes(func() { g.listen(wake) })
	return answer, nil
}

func (g *ingest) join(r *relay.Relay, room, name string, notify func(bool)) error {
	m, err := r.Join(room, relay.Identity{ID: "w-" + secret(9), Name: name, Deaf: true, Path: relay.WebRTC}, nil, notify)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.member = m
	g.pub, g.sub = m.Handles()
	g.path.mu.Lock()
	g.path.arrived, g.path.reported = g.arrived, g.reported
	g.path.mu.Unlock()
	if g.path.ctx.Err() != nil {
		m.Leave("closed")
	}
	return nil
}

func (g *ingest) leave() {
	g.mu.Lock()
	m := g.member
	g.mu.Unlock()
	if m != nil {
		m.Leave("bye")
	}
}

// listen takes the events of the member: of all that is told only requests for key frames concern a publisher.
func (g *ingest) listen(wake <-chan struct{}) {
	for {
		out, more := g.sub.Pull(nil)
		for _, o := range out {
			if o.Event != nil && o.Event.Kind == relay.Feedback {
				g.key(o.Event.Track.ID)
			}
		}
		if more {
			continue
		}
		select {
		case <-wake:
		case <-g.path.ctx.Done():
			return
		}
	}
}

func (g *ingest) key(track string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.tracks {
		if t.id == track {
			g.path.pli(t.mid)
		}
	}
}

// arrived is called when the first packet of an m-line has come.
func (g *ingest) arrived(mid, mime string) {
	codec := codecOf(mime)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.tracks {
		if t.mid == mid {
			return
		}
	}
	t := &ingested{of: g, mid: mid, codec: codec, id: "video"}
	if codec == media.Opus {
		t.id = "audio"
	}
	n := 1
	for _, other := range g.tracks {
		if (other.codec == media.Opus) == (codec == media.Opus) {
			n++
		}
	}
	if n > 1 {
		t.id = fmt.Sprintf("%s-%d", t.id, n)
	}
	g.tracks = append(g.tracks, t)
	if err := g.path.in(mid).begin(g.path.options(mid, codec), t.frame); err != nil {
		g.path.log.Info("an m-line is not taken", "error", err)
	}
}

// reported takes a sender report.
func (g *ingest) reported(mid string, sr *rtcp.SenderReport) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.tracks {
		if t.mid == mid && t.in != nil {
			t.sync.Report(&g.wall, wallOf(sr.NTPTime), sr.RTPTime)
		}
	}
}

// wallOf is an NTP time in µs since 1970.
func wallOf(ntp uint64) int64 {
	const between = 2_208_988_800
	return (int64(ntp>>32)-between)*1_000_000 + int64(ntp&(1<<32-1))*1_000_000>>32
}

// frame takes a frame. The first that tells the format publishes the track.
func (t *ingested) frame(f rtp.Frame) {
	g := t.of
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.failed {
		return
	}
	if f.Key && (t.codec != media.Opus || t.in == nil) {
		if err := t.describe(f); err != nil {
			t.failed = true
			g.path.log.Warn("a track cannot be published", "track", t.id, "error", err)
			return
		}
	}
	if t.in == nil {
		return
	}
	var us int64
	if f.Data != nil {
		us = t.sync.At(f.Time)
	}
	t.in.write(f, us)
}

// describe publishes the track, or tells that its format has changed.
func (t *ingested) describe(f rtp.Frame) error {
	format, err := rtp.Describe(t.codec, f.Data)
	if err != nil || t.in != nil && reflect.DeepEqual(format, t.format) {
		return err
	}
	g := t.of
	t.format = format
	if t.in != nil {
		return g.member.Configure(t.id, format, nil)
	}
	us := clockZero + time.Since(g.start).Microseconds()
	t.sync = rtp.NewSync(t.codec, us, f.Time)
	source := signaling.SourceCamera
	if format.Kind == media.Audio {
		source = signaling.SourceMic
	}
	infos, err := g.member.Publish([]relay.Offer{{ID: t.id, Source: source, Format: format, KeyOnRequest: format.Kind == media.Video,
		Clock: relay.Clock{Us: clockZero, WallUs: g.wallUs}}})
	if err != nil {
		return err
	}
	t.in = &inlet{pub: g.pub, alias: infos[0].Layers[0].Alias, audio: format.Kind == media.Audio}
	return nil
}
