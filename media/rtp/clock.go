package rtp

import "landline/media"

// Rate is the rate of a codec's RTP timestamps in Hz.
func Rate(c media.Codec) int64 {
	if c == media.Opus {
		return media.OpusRate
	}
	return 90_000
}

// Clock maps the 32-bit RTP timestamps of one stream to a 64-bit clock in µs, and back.
type Clock struct {
	rate int64
	us   int64  // of the pair from which all is reckoned
	rtp  uint32 // its other half
	last int64  // ticks since then of the newest timestamp that Micros was given
}

// NewClock makes a clock by a pair: at us µs the RTP timestamp is rtp.
func NewClock(c media.Codec, us int64, rtp uint32) Clock {
	return Clock{rate: Rate(c), us: us, rtp: rtp}
}

const second = 1_000_000

// RTP gives the timestamp of a time in µs.
func (c *Clock) RTP(us int64) uint32 {
	d := us - c.us
	whole, rest := d/second, d%second // so that nothing overflows
	return c.rtp + uint32(whole*c.rate+round(rest*c.rate, second))
}

// Micros gives the time of a timestamp: the one that is nearest to the newest that it was asked for.
func (c *Clock) Micros(rtp uint32) int64 {
	c.last += int64(int32(rtp - c.rtp - uint32(c.last)))
	whole, rest := c.last/c.rate, c.last%c.rate
	return c.us + whole*second + round(rest*second, c.rate)
}

// round divides to the nearest whole number.
func round(n, by int64) int64 {
	if n < 0 {
		return -((-n + by/2) / by)
	}
	return (n + by/2) / by
}
