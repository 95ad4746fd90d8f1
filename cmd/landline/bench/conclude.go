package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// cost tells what a delivered frame, or a packet over WebRTC, costs the relay.
func (r *run) cost(used float64, units uint64) {
	if units == 0 {
		return
	}
	us := used * 1e6 / float64(units)
	r.report.ServerUs = &us
	r.report.CPUStep = 0.01 * 1e6 / float64(units)
}

// used keeps what a receiving process has used since it was last asked.
func (r *run) used(i int, cpu float64) {
	for len(r.cpu) <= i {
		r.cpu = append(r.cpu, 0)
	}
	r.report.Load.Receivers += cpu - r.cpu[i]
	r.cpu[i] = cpu
}

// conclude makes figures of what was counted. Its error is a result that is none.
func (r *run) conclude(ctx context.Context) error {
	rep := r.report
	rep.Late = timesOf(&r.late)
	rep.Load.Cores = runtime.NumCPU()
	r.roles(rep)
	rep.Join = timesOf(&r.joins)
	if r.first.n > 0 {
		first := timesOf(&r.first)
		rep.First = &first
	}
	if err := r.memory(ctx); err != nil {
		return err
	}
	r.warn()
	if !r.c.Floor {
		return nil
	}
	return r.verdict()
}

// roles tells of the members, role by role.
func (r *run) roles(rep *Report) {
	for who, t := range r.got {
		for why, n := range t.Closes {
			rep.Closes[string(who)+": "+why] += n
		}
		all := histogram{}
		all.merge(&t.Audio.Latency)
		all.merge(&t.Video.Latency)
		switch who {
		case fast:
			rep.Latency["all"] = timesOf(&all)
			if r.plan.Audio {
				rep.Latency["audio"] = timesOf(&t.Audio.Latency)
			}
			if r.plan.video() {
				rep.Latency["video"] = timesOf(&t.Video.Latency)
			}
			f := &rep.Frames
			f.Delivered, f.CaughtUp = t.Audio.Frames+t.Video.Frames, t.Audio.CaughtUp+t.Video.CaughtUp
			f.Broken, f.Bytes = t.Audio.Broken+t.Video.Broken, t.Audio.Bytes+t.Video.Bytes
			if got := t.frames(); f.Expected > got {
				f.Gaps = f.Expected - got
			}
		case onFloor:
			sees, late := timesOf(&all), timesOf(&r.floorLate)
			rep.FloorSees, rep.FloorLate = &sees, &late
		default:
			if rep.Others == nil {
				rep.Others = map[string]Member{}
			}
			rep.Others[string(who)] = Member{Delivered: t.Audio.Frames + t.Video.Frames, CaughtUp: t.Audio.CaughtUp + t.Video.CaughtUp,
				Joins: t.Joins, Latency: timesOf(&all), Drops: t.Drops, Audio: t.Audio.Frames, Video: t.Video.Frames}
			if who == churn {
				r.joins.merge(&t.Join)
				r.first.merge(&t.First)
			}
		}
	}
}

// memory compares the relay's with that before anybody joined.
func (r *run) memory(ctx context.Context) error {
	f, err := r.relay.figures(ctx)
	if err != nil {
		return err
	}
	n := r.c.receivers() + r.c.Rooms*r.c.Publishers
	r.report.Memory = &Memory{Before: r.before.rss, With: f.rss, Members: n, PerMember: (f.rss - r.before.rss) / float64(n)}
	if viewers := float64(r.c.Rooms * r.c.Subscribers); r.c.WebRTC && viewers > 0 {
		r.report.Memory.PerViewer = (f.rss - r.before.rss) / viewers
		r.report.Memory.FloorPerViewer = r.floorRSS / viewers
	}
	if f.panics > r.before.panics {
		r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("the relay has caught %.0f panics: see its log", f.panics-r.before.panics))
	}
	return nil
}

// warn names what makes the figures doubtful.
func (r *run) warn() {
	rep := r.report
	add := func(format string, args ...any) { rep.Warnings = append(rep.Warnings, fmt.Sprintf(format, args...)) }
	if rep.Late.P99 > 5 {
		add("1 %% of the frames were sent over %.1f ms late: the machine is too busy, and latencies are not the relay's alone", rep.Late.P99)
	}
	if busy := rep.Load.Receivers + rep.Load.Server; rep.Seconds > 0 && !r.c.Floor && busy > 0.85*float64(rep.Load.Cores)*rep.Seconds {
		add("relay and receivers together use nearly all of the machine's processors")
	}
	if us := rep.ServerUs; us != nil && rep.CPUStep > *us/10 {
		add("the relay tells its processor time in steps of 10 ms, which is %.1f µs a %s here: measure for longer, or with more members", rep.CPUStep, rep.Unit())
	}
	if late := rep.FloorLate; late != nil && late.P50 > 5 {
		add("the floor itself could not keep its schedule (half of its frames were over %.0f ms late): with fewer members the comparison says more", late.P50)
	}
	if differ := spread(column(rep.Pairs, ratio)); differ > doubtful {
		add("the ratios of the pairs differ by %.0f %%", differ*100)
	}
	if f := rep.Frames; r.c.Floor && float64(f.Delivered) < 0.99*float64(f.Expected) {
		add("%d frames did not arrive in their turn, so the relay did less than the floor", f.Expected-f.Delivered)
	}
	if p := rep.Packets; p != nil && p.Lost > 0 {
		add("%d of %d packets were lost on the way: receivers did not keep up", p.Lost, p.Forwarded)
	}
	if rep.Frames.Broken > 0 {
		add("%d chunks did not fit together", rep.Frames.Broken)
	}
}

// doubtful is by how much the ratios may differ without a note.
const doubtful = 0.3

// ErrTooNoisy says that the machine is too noisy to tell a ratio.
var ErrTooNoisy = errors.New("too noisy")

// verdict compares the relay with the floor.
func (r *run) verdict() error {
	rep := r.report
	floorTLS := false // the floor writes plain TCP, whatever the relay does: what TLS costs is part of the ratio
	rep.FloorTLS = &floorTLS
	server, floor, times := median(column(rep.Pairs, serverUs)), median(column(rep.Pairs, floorUs)), median(column(rep.Pairs, ratio))
	rep.ServerUs, rep.FloorUs = &server, &floor
	floors := column(rep.Pairs, floorUs)
	odd, even, differ := floorRuns(floors)
	rep.FloorRuns, rep.FloorDiffer, rep.FloorSpread = []float64{odd, even}, differ, spread(floors)
	if differ > noisy {
		rep.TooNoisy = true
		return fmt.Errorf("%w: two floor runs of %d slices in turns differ by %.0f %%, over %.0f %%, so no ratio is told; try again when the machine does nothing else",
			ErrTooNoisy, len(rep.Pairs), differ*100, noisy*100)
	}
	rep.Ratio = &times
	return nil
}
