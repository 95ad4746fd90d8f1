package rate

import (
	"math"
	"time"
)

// steer sets the window after an ack of so many new bytes.
func (c *Controller) steer(newly int, limited bool, now time.Duration) {
	if limited && c.delay >= lowDelay {
		c.full, c.filled = now, true
	}
	if c.delay > c.tooHigh() {
		c.high++
	} else {
		c.high = 0
	}
	switch {
	case (c.high > 1 || c.delay > farDelay && c.high > 0) && (c.mode != drain || c.acked >= c.round):
		c.cut(now)
	case c.mode == probe:
		c.steerProbe(now)
	case c.mode == drain:
		if c.delay <= standing {
			c.settle(now)
		}
	case c.mode == startup:
		if c.delay > lowDelay && c.now > 0 {
			c.settle(now)
		} else if limited {
			c.grow(newly, now)
		} else {
			c.window = max(c.window, c.target(now))
		}
	default:
		c.steerSteady(newly, limited, now)
	}
}

// tooHigh is the delay that is too much: where two of the smallest chunks take longer, that.
func (c *Controller) tooHigh() time.Duration {
	if !c.filled || c.now == 0 {
		return highDelay
	}
	return max(highDelay, time.Duration(MinWindow/c.now*1e6)*time.Microsecond)
}

// cut takes the window down to what was delivered just now, and a little less, so that the queue on the path empties.
func (c *Controller) cut(now time.Duration) {
	c.full, c.filled = now, true
	if c.trains != nil {
		c.trains.shown = 0
	}
	if c.now > 0 {
		c.rates.reset(c.now)
		c.window = clamp(cutTo * c.now * seconds(c.rtt+c.between(now)))
	} else {
		c.window = max(c.window/2, MinWindow)
	}
	c.mode, c.round, c.high = drain, c.sent, 0
}

// settle makes the window what the path takes.
func (c *Controller) settle(now time.Duration) {
	c.mode, c.lowSince = steady, 0
	c.window = min(c.window, c.target(now))
}

// target is what the path takes in a round trip and between two acks, in whole chunks, and the queue that is to stand on it.
func (c *Controller) target(now time.Duration) int {
	rate := c.rates.most()
	takes := rate * seconds(c.rtt+c.between(now))
	return clamp(max(math.Ceil(takes/MinChunk)*MinChunk, takes+rate*seconds(standing)))
}

// grow widens the window by what was acknowledged, so that it doubles in a round trip. A link that was full once, and has
// its target already, is asked for more with care: by a quarter.
func (c *Controller) grow(newly int, now time.Duration) {
	switch {
	case c.filled && c.window >= c.target(now):
		newly /= 4
	case !c.filled && c.delay < nearMinimum: // a beginning on a path that shows no queue at all: who joins waits for a picture
		newly *= 2
	}
	c.window = min(c.window+newly, MaxWindow)
}

// steerSteady follows the rate. Where the delay stays low for a round trip though something waits, the path takes more
// than was thought: the window doubles again.
func (c *Controller) steerSteady(newly int, limited bool, now time.Duration) {
	target := c.target(now)
	if !limited {
		// Where there is little to send the rate is low, and the window is to let a key frame through.
		c.window = max(min(c.window, max(4*target, FirstWindow)), target)
		return
	}
	if c.delay >= lowDelay {
		c.lowSince = 0
		c.window = min(target, c.window+newly/4)
		return
	}
	c.window = max(c.window, min(target, c.window+newly/2)) // in steps: a jump would stand in a queue
	switch {
	case c.lowSince == 0:
		c.lowSince = now
	case now-c.lowSince >= c.rtt+c.between(now):
		c.mode = startup
		c.grow(newly, now)
	}
}

// steerProbe waits until what was under way has come, and takes what comes next as the new minimum.
func (c *Controller) steerProbe(now time.Duration) {
	if !c.armed && c.InFlight() <= c.window {
		c.armed, c.round, c.newMin, c.newRTT = true, c.sent, time.Duration(math.MaxInt64), time.Hour
	} else if c.armed && c.acked > c.round || now > c.until {
		c.rebase(c.newMin, c.newRTT, now)
		c.mode = startup // from here it doubles: a whole window at once would stand in a queue
		c.window = max(c.window, MinWindow)
	}
}

func clamp(bytes float64) int {
	return int(min(max(bytes, MinWindow), MaxWindow))
}
