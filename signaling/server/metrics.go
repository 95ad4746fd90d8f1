package server

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// counters are what the server counts besides the relay.
type counters struct {
	sessions, resumes, panics, unknown, throttled atomic.Uint64
	writes, partial                               atomic.Uint64 // flushes, and those that a full socket cut short

	mu     sync.Mutex
	closes map[signaling.CloseCode]uint64
}

// closing counts an end and logs it.
func (s *Server) closing(ss *Session, why *signaling.Closed) {
	s.stats.mu.Lock()
	if s.stats.closes == nil {
		s.stats.closes = map[signaling.CloseCode]uint64{}
	}
	s.stats.closes[why.Code]++ // codes are few: ours, and 1002, 1006, 1009
	s.stats.mu.Unlock()
	level := slog.LevelInfo
	if again, _ := why.Code.Retry(); !again && why.Code != signaling.CloseNormal {
		level = slog.LevelWarn
	}
	s.log.Log(context.Background(), level, "session ended", "code", int(why.Code), "name", why.Code.Name(), "text", why.Text, "remote", ss.remote)
}

// collector gives the relay's and the server's counters to Prometheus.
type collector struct{ s *Server }

var (
	descRooms    = desc("rooms", "Rooms with members.")
	descMembers  = desc("members", "Members in rooms.", "state")
	descSessions = desc("sessions", "WebSocket sessions that are open.")
	descQueue    = desc("queue_bytes", "Bytes that wait in subscribers' queues.")
	descAge      = desc("queue_age_seconds", "Age of the oldest frame that waits for any member.")
	descFull     = desc("links_full", "Members whose link was seen full in the last 10 s.")
	descGates    = desc("gates_closed", "Video tracks that a member waits for the next key frame of.")
	descSent     = desc("layers_sent", "Tracks with several layers that members are sent, by why it is not a better layer.", "why")
	descUnwanted = desc("layers_unwanted", "Layers that their publishers were told nobody takes.")
	descThinned  = desc("tracks_thinned", "Video tracks of which a member is not sent the upper temporal layers.")
	descSwitched = desc("layer_switches_total", "Times that a member was sent another layer of a track.")
	descMuffled  = desc("speakers_muffled", "Speakers left out at a member to whom not all audio fits.")
	descOpened   = desc("sessions_total", "WebSocket sessions that were opened.")
	descResumes  = desc("resumes_total", "Sessions that resumed a membership.")
	descCloses   = desc("closes_total", "Sessions that ended, by close code.", "code", "name")
	descFrames   = desc("frames_in_total", "Frames received from publishers.")
	descIn       = desc("media_bytes_in_total", "Media bytes received from publishers, by path.", "path")
	descOut      = desc("media_bytes_out_total", "Media bytes sent to subscribers, by path.", "path")
	descDrops    = desc("frames_dropped_total", "Frames dropped on the way to subscribers, by reason.", "reason")
	descObjIn    = desc("object_bytes_in_total", "Bytes of objects received from senders.")
	descObjOut   = desc("object_bytes_out_total", "Bytes of objects sent to receivers.")
	descAsks     = desc("keyframe_requests_total", "Key-frame requests passed on to publishers.")
	descValues   = desc("data_values_in_total", "Values put on topics.")
	descBatches  = desc("data_batches_out_total", "Batches of topics sent to members.")
	descBehind   = desc("data_values_waiting", "Values of topics that members were not sent yet.")
	descPanics   = desc("panics_total", "Panics caught, each of which ended one session.")
	descUnknown  = desc("unknown_alias_total", "Chunks under unknown aliases.")
	descSlowed   = desc("throttled_total", "Times a session that sent too much was read more slowly.")
	descWrites   = desc("writes_total", "Batches written to sockets.")
	descPeers    = desc("webrtc_connections", "PeerConnections that are open.")
	descPeersAll = desc("webrtc_connections_total", "PeerConnections that were opened.")

	descPeersNever = desc("webrtc_never_connected_total", "PeerConnections that never connected.")

	descPartial = desc("writes_partial_total", "Batches that a full socket did not take at once.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("landline_"+name, help, labels, nil)
}

func (c collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c.s
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	rooms, members, queued := s.relay.Snapshot(), map[string]int{signaling.Online: 0, signaling.Reconnecting: 0}, 0
	full, gates, muffled, behind, age := 0, 0, 0, 0, time.Duration(0)
	thinned, unwanted, sent := 0, 0, map[string]int{signaling.WhyAsked: 0, signaling.WhyLink: 0, signaling.WhyPublisher: 0}
	for _, r := range rooms {
		for _, m := range r.Members {
			members[wireState(m.State)]++
			queued += m.Link.QueueBytes + m.Link.ObjectBytes
			behind += m.Link.DataBehind
			gates, muffled, age = gates+m.Link.ClosedGates, muffled+m.Link.Muffled, max(age, m.Link.QueueAge)
			if m.Link.Capacity > 0 {
				full++
			}
			thinned += m.Link.Thinned
			for _, f := range m.Link.Layers {
				sent[wireWhy(f.Why)]++
			}
			for _, t := range m.Tracks {
				unwanted += t.Unwanted
			}
		}
	}
	gauge(descRooms, len(rooms))
	for state, n := range members {
		gauge(descMembers, n, state)
	}
	gauge(descQueue, queued)
	gauge(descFull, full)
	gauge(descGates, gates)
	gauge(descMuffled, muffled)
	gauge(descThinned, thinned)
	gauge(descUnwanted, unwanted)
	for why, n := range sent {
		gauge(descSent, n, why)
	}
	gauge(descBehind, behind)
	ch <- prometheus.MustNewConstMetric(descAge, prometheus.GaugeValue, age.Seconds())
	gauge(descSessions, len(s.list()))
	t := s.relay.Totals()
	count(descFrames, t.FramesIn.Load())
	for p, name := range pathNames {
		count(descIn, t.Traffic.In(relay.Path(p)), name)
		count(descOut, t.Traffic.Out(relay.Path(p)), name)
	}
	count(descObjIn, t.ObjectBytesIn.Load())
	count(descObjOut, t.ObjectBytesOut.Load())
	count(descAsks, t.Asks.Load())
	count(descSwitched, t.Switches.Load())
	count(descValues, t.ValuesIn.Load())
	count(descBatches, t.BatchesOut.Load())
	drops := t.Drops()
	for r := 1; r < media.DropReasons; r++ {
		count(descDrops, drops[r], media.DropReason(r).String())
	}
	for _, v := range []struct {
		d *prometheus.Desc
		n *atomic.Uint64
	}{{descOpened, &s.stats.sessions}, {descResumes, &s.stats.resumes}, {descPanics, &s.stats.panics}, {descUnknown, &s.stats.unknown},
		{descSlowed, &s.stats.throttled}, {descWrites, &s.stats.writes}, {descPartial, &s.stats.partial}} {
		n := v.n.Load()
		if v.d == descPanics && s.cfg.WebRTC != nil {
			_, _, _, panics := s.cfg.WebRTC.Counts()
			n += panics
		}
		if v.d == descPanics && s.cfg.Recordings != nil {
			n += s.cfg.Recordings.Counts().Panics.Load()
		}
		count(v.d, n)
	}
	if s.cfg.Recordings != nil {
		s.collectRecordings(gauge, count)
	}
	if s.cfg.WebRTC != nil {
		open, opened, never, _ := s.cfg.WebRTC.Counts()
		gauge(descPeers, int(open))
		count(descPeersAll, opened)
		count(descPeersNever, never)
	}
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	for code, n := range s.stats.closes {
		count(descCloses, n, strconv.Itoa(int(code)), code.Name())
	}
}

func (s *Server) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collector{s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}
