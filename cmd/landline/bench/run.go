package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"landline/signaling/token"
)

// run is one run of the bench.
type run struct {
	c       *Config
	relay   *relay
	plan    plan
	place   string // begins the names of its rooms
	aliases []alias

	sender  *process
	readers []*process
	floor   *process

	began     time.Time
	measuring time.Time // when the first pair began
	before    *figures  // before anybody joined
	report    *Report
	got       map[role]*tally // what receivers counted in measured slices
	joins     histogram
	first     histogram // frames
	late      histogram
	floorLate histogram
	floorRSS  float64   // what its viewers take, in bytes
	cpu       []float64 // of the receiving processes
}

// Run loads a relay and reports. It returns a report beside the error where there is something to show.
func Run(ctx context.Context, c *Config) (report *Report, err error) {
	if err := checkPlatform(c.descriptors()); err != nil {
		return nil, err
	}
	relay, err := newRelay(c)
	if err != nil {
		return nil, err
	}
	defer relay.http.CloseIdleConnections()
	r := &run{c: c, began: time.Now(), relay: relay, plan: c.plan(), place: fmt.Sprintf("bench-%08x-", rand.Uint32()), got: map[role]*tally{}, report: newReport(c)}
	if r.before, err = relay.figures(ctx); err != nil {
		return nil, err
	}
	if c.WebRTC && !r.before.webRTC {
		return nil, fmt.Errorf("the relay at %s has no WebRTC: start landline serve without --rtc=off, or measure the WebSocket (--transport ws)", relay.base)
	}
	defer func() {
		if ended := r.end(); err == nil {
			err = ended
		}
	}()
	if err = r.start(ctx); err == nil {
		err = r.measure(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return nil, errors.New("interrupted before there were figures")
	case err != nil:
		return nil, err
	}
	return r.report, r.conclude(ctx)
}

// descriptors is how many one process needs at most.
func (c *Config) descriptors() int {
	each := (c.receivers() + c.Processes - 1) / c.Processes
	if c.Floor {
		each = max(2*each, c.receivers())
	}
	if c.WebRTC {
		each *= 1 + addresses() // Pion's candidates
	}
	return max(each, c.Rooms*c.Publishers) + 32
}

// addresses is how many this machine has: a PeerConnection opens a socket on each.
func addresses() int {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return 1
	}
	return len(list)
}

func newReport(c *Config) *Report {
	return &Report{URL: c.URL, Transport: c.transport(), Rooms: c.Rooms, Publishers: c.Publishers, Subscribers: c.Subscribers, Slow: c.Slow, Frozen: c.Frozen,
		Churn: c.Churn, Rate: c.Rate, Size: c.Size, Chunk: c.Chunk, Audio: c.Audio,
		Latency: map[string]Times{}, Drops: map[string]uint64{}, Closes: map[string]uint64{}}
}

func (r *run) say(format string, args ...any) {
	if r.c.Progress != nil {
		r.c.Progress(fmt.Sprintf(format, args...))
	}
}

// start starts the processes and has everybody join: first those who publish, whose aliases the others must know;
// last those who will be frozen, since what they do not read of the others' joins would be held against them.
func (r *run) start(ctx context.Context) error {
	to, err := r.relay.address(ctx, r.c.Insecure)
	if err != nil {
		return err
	}
	r.report.TLS = to.TLS
	env := []string{"GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=1GiB"} // one thread, and nothing beside it
	if to.TLS {
		env = nil // goroutines that decrypt
	}
	if r.sender, err = start(WorkerCommand, env...); err != nil {
		return err
	}
	if r.c.WebRTC {
		env = nil // goroutines of Pion's
	}
	for range r.c.Processes {
		p, err := start(WorkerCommand, env...)
		if err != nil {
			return err
		}
		r.readers = append(r.readers, p)
	}
	publishers, err := r.members(publisher, r.c.Publishers)
	if err != nil {
		return err
	}
	r.say("%d publishers join", len(publishers))
	a, err := r.sender.ask(ctx, order{Join: &joinOrder{Relay: to, Plan: r.plan, Members: publishers}})
	if err != nil {
		return joinError(err)
	}
	r.aliases = a.Aliases
	if err := r.receive(ctx, to); err != nil {
		return err
	}
	if r.c.Floor {
		return r.startFloor(ctx)
	}
	return nil
}

// receive has those join who receive. Media flows meanwhile, as in a call that one comes to late, so that there is a
// time to the first frame; not with a floor, where only what follows counts.
func (r *run) receive(ctx context.Context, to address) error {
	flows := !r.c.Floor && !r.c.Idle
	if flows {
		if err := r.sender.tell(order{Send: &sendOrder{From: now(), Length: int64(time.Hour)}}); err != nil {
			return err
		}
	}
	for _, group := range []struct {
		role role
		n    int
	}{{fast, r.c.Subscribers}, {slow, r.c.Slow}, {churn, r.c.Churn}, {frozen, r.c.Frozen}} {
		if err := r.join(ctx, to, group.role, group.n); err != nil {
			return err
		}
	}
	if !flows {
		return nil
	}
	if err := rest(ctx, firstFrames); err != nil {
		return err
	}
	_, err := r.sender.ask(ctx, order{Stop: true})
	return err
}

// firstFrames is how long media flows on after the last join.
const firstFrames = 300 * time.Millisecond

// join has members of one role join, spread over the processes.
func (r *run) join(ctx context.Context, to address, who role, perRoom int) error {
	if perRoom == 0 {
		return nil
	}
	members, err := r.members(who, perRoom)
	if err != nil {
		return err
	}
	r.say("%d %s members join", len(members), who)
	orders := make([]order, len(r.readers))
	for i := range orders {
		orders[i].Join = &joinOrder{Relay: to, Plan: r.plan, Aliases: r.aliases, SlowRate: r.plan.bytesPerSecond() / 2, WebRTC: r.c.WebRTC}
	}
	for i, m := range members {
		o := orders[i%len(orders)].Join
		o.Members = append(o.Members, m)
	}
	return joinError(r.all(ctx, r.readers, orders))
}

// all gives an order to each of several processes and waits for all answers.
func (r *run) all(ctx context.Context, to []*process, orders []order) error {
	for i, p := range to {
		if err := p.tell(orders[i]); err != nil {
			return err
		}
	}
	var failed error
	for _, p := range to {
		if _, err := p.hear(ctx); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// joinError says what to do about a join that failed.
func joinError(err error) error {
	if err == nil || err == context.Canceled {
		return err
	}
	return fmt.Errorf("a member of the bench could not join: %w", err)
}

// members makes a role's members, room by room. Where there are keys each gets a token of its own, because a second
// session of an identity would replace the first.
func (r *run) members(who role, perRoom int) (list []memberSpec, err error) {
	for room := range r.c.Rooms {
		place := fmt.Sprintf("%s%d", r.place, room)
		for i := range perRoom {
			m := memberSpec{Role: who, Room: room, Place: place, Name: fmt.Sprintf("%s-%d", who, i+1), Token: r.c.Token}
			if !r.c.Keys.Empty() {
				if m.Token, err = r.c.Keys.Mint(token.Claims{Room: place, Identity: m.Name, Name: m.Name,
					Grants: []token.Grant{token.Publish, token.Subscribe}, Expires: time.Now().Add(r.c.Duration*20 + time.Hour)}); err != nil {
					return nil, err
				}
			}
			list = append(list, m)
		}
	}
	return list, nil
}

// startFloor starts the floor and connects as many receivers to it as are in the rooms, in the same processes.
func (r *run) startFloor(ctx context.Context) (err error) {
	r.say("the floor's connections")
	env := []string{"GOMAXPROCS=1", "GOGC=off"}
	if r.c.WebRTC {
		env = nil // as the relay has it
	}
	if r.floor, err = start(FloorCommand, env...); err != nil {
		return err
	}
	a, err := r.floor.hear(ctx)
	if err != nil {
		return err
	}
	if err := r.floor.tell(order{Serve: &serveOrder{Plan: r.plan, Aliases: r.aliases, Conns: r.c.Rooms * r.c.Subscribers, WebRTC: r.c.WebRTC}}); err != nil {
		return err
	}
	orders := make([]order, len(r.readers))
	for i := range orders {
		orders[i].Floor = &floorOrder{Dial: a.Listen, WebRTC: r.c.WebRTC}
	}
	for i := range r.c.Rooms * r.c.Subscribers {
		o := orders[i%len(orders)].Floor
		o.Rooms = append(o.Rooms, i/r.c.Subscribers)
	}
	if err := r.all(ctx, r.readers, orders); err != nil {
		return err
	}
	if a, err = r.floor.hear(ctx); err == nil {
		r.floorRSS = a.RSS
	}
	return err
}

// end has everybody leave.
func (r *run) end() error {
	r.say("leaving")
	var all []*process
	for _, p := range append(r.readers, r.sender, r.floor) {
		if p != nil {
			all = append(all, p)
		}
	}
	ended := make(chan error)
	for _, p := range all {
		go func() { ended <- p.end() }()
	}
	var errs []error
	for range all {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
