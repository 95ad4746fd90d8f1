package impair

import (
	"sync"
	"time"
)

// clock is the time of a path, which stands still while the path is stalled.
type clock struct {
	start time.Time

	mu    sync.Mutex
	lost  time.Duration // in stalls that are over
	from  time.Time     // when the present stall began; zero if there is none
	until time.Time     // when it ends; zero = when it is told
}

// now is the path's time, and whether it stands still.
func (c *clock) now() (_ time.Duration, still bool) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(now)
	if !c.from.IsZero() {
		return c.from.Sub(c.start) - c.lost, true
	}
	return now.Sub(c.start) - c.lost, false
}

// settle ends a stall whose time is over.
func (c *clock) settle(now time.Time) {
	if !c.from.IsZero() && !c.until.IsZero() && !now.Before(c.until) {
		c.lost += c.until.Sub(c.from)
		c.from, c.until = time.Time{}, time.Time{}
	}
}

// stall stops the clock for a time from now, at the least; d < 0 means until resume.
func (c *clock) stall(d time.Duration) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(now)
	began := c.from.IsZero()
	if began {
		c.from = now
	}
	switch {
	case d < 0:
		c.until = time.Time{}
	case began || !c.until.IsZero() && c.until.Before(now.Add(d)):
		c.until = now.Add(d)
	}
}

// resume ends a stall.
func (c *clock) resume() {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(now)
	if !c.from.IsZero() {
		c.until = now
		c.settle(now)
	}
}

// ends is how long the present stall goes on; never if no one has said. 0 without a stall.
func (c *clock) ends() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.from.IsZero():
		return 0
	case c.until.IsZero():
		return never
	}
	return max(time.Until(c.until), 0)
}
