package bench

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// warmUp is published before the first slice, and not counted.
	warmUp = 400 * time.Millisecond
	// lead is how long before its first frame a slice is ordered.
	lead = 20 * time.Millisecond
	// settle is how long after the last frame came the slice ends: the acks for it follow within 100 ms.
	settle = 150 * time.Millisecond
	// patience is how long frames are waited for that have not come.
	patience = 1500 * time.Millisecond
	// lookEvery is how often the relay is asked for its queues, where some are of interest. It costs the relay
	// something, so it is not done otherwise.
	lookEvery = 200 * time.Millisecond
)

// measure publishes and counts.
func (r *run) measure(ctx context.Context) error {
	if err := rest(ctx, settle); err != nil {
		return err
	}
	joined, err := r.take(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range joined {
		r.joins.merge(&t.Join)
	}
	if t := joined[fast]; t != nil {
		r.first.merge(&t.First)
	}
	if r.c.Idle {
		r.say("quiet for %v", r.c.Duration)
		return rest(ctx, r.c.Duration)
	}
	if err := r.warm(ctx); err != nil {
		return err
	}
	if r.c.Floor {
		return r.pairs(ctx)
	}
	looks := r.look(ctx)
	used, units, err := r.slice(ctx, r.c.Duration, "measuring")
	r.report.Queues = looks()
	if err != nil {
		return err
	}
	r.cost(used, units)
	return nil
}

// warm has both ways run for a moment, so that windows have grown and pages are mapped.
func (r *run) warm(ctx context.Context) error {
	r.say("warming up")
	if _, _, err := r.slice(ctx, warmUp, "warming up"); err != nil {
		return err
	}
	if r.c.Floor {
		if _, err := r.floorSlice(ctx, warmUp); err != nil {
			return err
		}
	}
	report := newReport(r.c)
	report.TLS = r.report.TLS
	r.report, r.got, r.late = report, map[role]*tally{}, histogram{}
	return nil
}

// pairs measures slices of the relay and of the floor in turns, one and then the other first, so that a machine that
// grows slower or faster wrongs neither.
func (r *run) pairs(ctx context.Context) error {
	length := r.c.Duration / minPairs
	r.measuring = time.Now()
	for i := 0; i < minPairs || i < maxPairs && r.noisy() && r.inTime(i); i++ {
		var p Pair
		var err error
		if i%2 == 1 {
			p.FloorUs, err = r.floorPart(ctx, length, i)
		}
		if err != nil {
			return err
		}
		used, units, err := r.slice(ctx, length, "the relay's "+turn(i))
		if err != nil {
			return err
		}
		if i%2 == 0 {
			p.FloorUs, err = r.floorPart(ctx, length, i)
		}
		if err != nil {
			return err
		}
		if units == 0 || p.FloorUs <= 0 {
			return fmt.Errorf("nothing came through in slice %d", i+1)
		}
		p.ServerUs = used * 1e6 / float64(units)
		p.Ratio = p.ServerUs / p.FloorUs
		r.report.CPUStep = 0.01 * 1e6 / float64(units)
		r.report.Pairs = append(r.report.Pairs, p)
	}
	return nil
}

// inTime reports whether one more pair would keep within a bound that can be counted on, joins included: four times what is
// measured of the relay.
func (r *run) inTime(pairs int) bool {
	each := time.Since(r.measuring) / time.Duration(pairs)
	return time.Since(r.began)+each < 4*r.c.Duration
}

func (r *run) noisy() bool {
	_, _, differ := floorRuns(column(r.report.Pairs, floorUs))
	return differ > noisy
}

func turn(i int) string {
	if i >= minPairs {
		return fmt.Sprintf("slice %d: it is noisy here", i+1)
	}
	return fmt.Sprintf("slice %d of %d", i+1, minPairs)
}

func (r *run) floorPart(ctx context.Context, length time.Duration, i int) (float64, error) {
	r.say("the floor's %s", turn(i))
	return r.floorSlice(ctx, length)
}

// slice publishes for a time. It returns what the relay used of the processor, in seconds, and how many frames, or packets over
// WebRTC, it delivered for that.
func (r *run) slice(ctx context.Context, length time.Duration, what string) (used float64, units uint64, err error) {
	r.say("%s", what)
	before, err := r.relay.figures(ctx)
	if err != nil {
		return 0, 0, err
	}
	a, err := r.sender.ask(ctx, order{Send: &sendOrder{From: now() + int64(lead), Length: int64(length)}})
	if err != nil {
		return 0, 0, err
	}
	expected := uint64(0)
	for room := range r.c.Rooms {
		n := a.Sent.Audio[room] + a.Sent.Video[room]
		r.report.Frames.Published += n
		expected += n * uint64(r.c.Subscribers)
	}
	r.report.Frames.Expected += expected
	r.report.KeyAsked += a.Sent.KeyAsked
	r.report.Seconds += length.Seconds()
	r.late.merge(&a.Sent.Late)
	if err := r.arrive(ctx, fast, expected); err != nil {
		return 0, 0, err
	}
	if err := rest(ctx, settle); err != nil {
		return 0, 0, err
	}
	after, err := r.relay.figures(ctx)
	if err != nil {
		return 0, 0, err
	}
	got, err := r.take(ctx, true)
	if err != nil {
		return 0, 0, err
	}
	for who, t := range got {
		if r.got[who] == nil {
			r.got[who] = newTally()
		}
		r.got[who].merge(t)
		units += r.units(t)
	}
	if err := r.proveWebRTC(before, after, got[fast]); err != nil {
		return 0, 0, err
	}
	for why, n := range after.drops {
		if n > before.drops[why] {
			r.report.Drops[why] += uint64(n - before.drops[why])
		}
	}
	r.report.Load.Server += after.cpu - before.cpu
	return after.cpu - before.cpu, units, nil
}

// arrive waits until members of a role have all that was sent, or no more is to be expected.
func (r *run) arrive(ctx context.Context, who role, expected uint64) error {
	for late := time.Now().Add(patience); expected > 0 && time.Now().Before(late); {
		got, err := r.take(ctx, false)
		if err != nil {
			return err
		}
		if t := got[who]; t != nil && t.frames() >= expected {
			return nil
		}
		if err := rest(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// floorSlice has the floor send for a time, and returns µs for each frame, or packet over WebRTC, and connection.
func (r *run) floorSlice(ctx context.Context, length time.Duration) (float64, error) {
	a, err := r.floor.ask(ctx, order{Send: &sendOrder{From: now() + int64(lead), Length: int64(length)}})
	if err != nil {
		return 0, err
	}
	writes := uint64(0)
	for room := range r.c.Rooms {
		writes += (a.Sent.Audio[room] + a.Sent.Video[room]) * uint64(r.c.Subscribers)
	}
	if err := r.arrive(ctx, onFloor, writes); err != nil {
		return 0, err
	}
	got, err := r.take(ctx, true)
	if err != nil {
		return 0, err
	}
	t := got[onFloor]
	if t == nil || t.frames() < r.fewest(writes) {
		return 0, fmt.Errorf("the floor wrote %d frames and its receivers have not got them all: the machine is too busy to measure on", writes)
	}
	if r.got[onFloor] == nil {
		r.got[onFloor] = newTally()
	}
	r.got[onFloor].merge(t)
	r.floorLate.merge(&a.Sent.Late)
	if r.c.WebRTC {
		writes = a.Sent.Packets
	}
	return a.Sent.CPU / float64(max(writes, 1)), nil
}

// take collects what all receivers have counted: everything, after which they begin anew, or the numbers of frames.
func (r *run) take(ctx context.Context, all bool) (map[role]*tally, error) {
	for _, p := range r.readers {
		if err := p.tell(order{Take: &takeOrder{Reset: all, Brief: !all}}); err != nil {
			return nil, err
		}
	}
	sum := map[role]*tally{}
	for i, p := range r.readers {
		a, err := p.hear(ctx)
		if err != nil {
			return nil, err
		}
		for who, t := range a.Tallies {
			if sum[who] == nil {
				sum[who] = newTally()
			}
			sum[who].merge(t)
		}
		if all {
			r.used(i, a.CPU)
		}
	}
	return sum, nil
}

// look asks the relay for its queues until it is told to stop.
func (r *run) look(ctx context.Context) (stop func() map[string]Queue) {
	if r.c.Slow+r.c.Frozen == 0 {
		return func() map[string]Queue { return nil }
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan map[string]Queue)
	go func() {
		worst := map[string]Queue{}
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				done <- worst
				return
			case <-tick.C:
				r.lookOnce(ctx, worst)
			}
		}
	}()
	return func() map[string]Queue {
		cancel()
		return <-done
	}
}

func (r *run) lookOnce(ctx context.Context, worst map[string]Queue) {
	reply, err := r.relay.rooms(ctx)
	if err != nil {
		return // the next look will do
	}
	sum := map[string]map[string]uint64{}
	for _, room := range reply.Rooms {
		if !strings.HasPrefix(room.Room, r.place) {
			continue
		}
		for _, m := range room.Members {
			who, _, _ := strings.Cut(m.Name, "-")
			if who == string(publisher) {
				continue
			}
			q := worst[who]
			q.Bytes, q.AgeMs = max(q.Bytes, m.Link.QueueBytes), max(q.AgeMs, m.Link.QueueAgeMs)
			worst[who] = q
			if sum[who] == nil {
				sum[who] = map[string]uint64{}
			}
			for why, n := range m.Link.Drops {
				sum[who][why] += n
			}
		}
	}
	for who, q := range worst {
		q.Looks++
		q.Drops = sum[who]
		worst[who] = q
	}
}
