package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"landline/signaling/server"
)

// traceEvery is how often the relay is asked what it knows of its links, and traceMost how long that is written down.
const (
	traceEvery = 100 * time.Millisecond
	traceMost  = 40 * time.Second
)

// trace is how the relay's view of a link follows the link: the control loop's record.
type trace struct {
	cases []*ageCase
	rows  strings.Builder
}

func newTrace(cases []*ageCase) *trace {
	t := &trace{}
	for _, c := range cases {
		if c.steps {
			t.cases = append(t.cases, c)
		}
	}
	fmt.Fprintln(&t.rows, "t_ms,link,link_bytes_per_s,estimate_bytes_per_s,queue_age_ms,queue_bytes,in_flight_bytes,held_in_path_bytes,closed_gates")
	return t
}

// sample asks the relay once. It is left out where the relay cannot be asked.
func (tr *trace) sample(l *lab, at time.Duration) {
	if len(tr.cases) == 0 || at > traceMost || l.token != "" {
		return
	}
	members, err := askRooms(l.url)
	if err != nil {
		return // a sample less
	}
	for _, c := range tr.cases {
		for _, m := range members {
			if m.Name != c.name {
				continue
			}
			rate := c.rate
			if s, ok := c.near(time.Now()); ok && s.holds(time.Now()) {
				rate = 0
			}
			_, held := c.road.Held()
			fmt.Fprintf(&tr.rows, "%d,%s,%d,%d,%.0f,%d,%d,%d,%d\n", at.Milliseconds(), c.name, rate, m.Link.Rate, m.Link.QueueAgeMs,
				m.Link.QueueBytes, m.Link.InFlight, held, m.Link.ClosedGates)
		}
	}
}

func (tr *trace) save(t *testing.T) {
	path := figuresPath("impair-steps.csv")
	if path == "" || len(tr.cases) == 0 {
		return
	}
	if err := os.WriteFile(path, []byte(tr.rows.String()), 0o644); err != nil {
		t.Error(err)
	}
}

func askRooms(url string) (list []server.MemberStatus, err error) {
	c := roomsCmd{connectFlags{URL: url}}
	reply, err := c.fetch(context.Background())
	if err != nil {
		return nil, err
	}
	for _, r := range reply.Rooms {
		list = append(list, r.Members...)
	}
	return list, nil
}
