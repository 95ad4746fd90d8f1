package bench

import (
	"errors"
	"fmt"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/token"
)

// Config says what to load a relay with. Numbers of members are those of each room.
type Config struct {
	URL      string // http, https, ws or wss
	Token    string // for /metrics and /api/rooms, and for joining where there are no Keys
	Keys     token.Keys
	Insecure bool // take any certificate

	Rooms, Publishers, Subscribers, Slow, Frozen, Churn int

	Rate  float64
	Size  int
	Chunk int
	Audio bool
	Clip  []ClipFrame

	Duration  time.Duration
	Floor     bool
	Idle      bool
	Processes int
	WebRTC    bool // those who receive do so over PeerConnections

	// Progress, if not nil, is called with what is being done.
	Progress func(string)
}

// Check tells what of the config makes no sense.
func (c *Config) Check() error {
	p := c.plan()
	members := c.Publishers + c.Subscribers + c.Slow + c.Frozen + c.Churn
	switch {
	case c.Rooms < 1:
		return errors.New("--rooms: at least one room is needed")
	case min(c.Publishers, c.Subscribers, c.Slow, c.Frozen, c.Churn) < 0:
		return errors.New("a number of members is negative")
	case c.Processes < 1 || c.Processes > 64:
		return fmt.Errorf("--processes: %d is not within 1 and 64", c.Processes)
	case c.Duration < time.Second/2:
		return fmt.Errorf("--duration: %v is too short to measure in", c.Duration)
	case members > signaling.MaxMembers:
		return fmt.Errorf("%d members in a room: a relay takes %d", members, signaling.MaxMembers)
	case c.Subscribers+c.Slow+c.Frozen+c.Churn == 0:
		return errors.New("--subscribers: nobody is there to receive")
	case c.Rooms > 1<<15:
		return fmt.Errorf("--rooms: %d are more than a relay takes", c.Rooms)
	case c.Idle:
		return c.checkIdle()
	case c.Publishers == 0:
		return errors.New("--publishers: nobody is there to send")
	case !c.Audio && !p.video():
		return errors.New("nothing is sent: give --rate, --clip or --audio")
	case c.Rate < 0 || c.Rate > 1000:
		return fmt.Errorf("--rate: %g is not within 0 and 1000", c.Rate)
	case c.Chunk < minFrame || c.Chunk > media.MaxChunkPayload:
		return fmt.Errorf("--chunk: %d is not within %d and %d", c.Chunk, minFrame, media.MaxChunkPayload)
	case c.Floor && c.Slow+c.Frozen+c.Churn > 0:
		return errors.New("--floor: a floor has none that are slow, frozen or come and go: leave out --slow, --frozen and --churn")
	case c.Floor && c.Subscribers == 0:
		return errors.New("--floor: nobody is there to receive")
	}
	if err := c.checkWebRTC(&p); err != nil {
		return err
	}
	return c.checkVideo(&p)
}

func (c *Config) checkIdle() error {
	if c.Slow+c.Frozen+c.Churn > 0 || c.Floor || c.WebRTC {
		return errors.New("--idle: nothing is sent, so --slow, --frozen, --churn, --floor and --transport webrtc have no meaning")
	}
	return nil
}

func (c *Config) checkWebRTC(p *plan) error {
	switch {
	case !c.WebRTC:
	case c.Slow+c.Frozen+c.Churn > 0:
		return errors.New("--transport webrtc: whether one is slow or frozen is a matter of the WebSocket, so --slow, --frozen and --churn have no meaning")
	case len(p.outlets())/c.Rooms > signaling.MaxLines:
		return fmt.Errorf("--transport webrtc: a PeerConnection carries %d tracks at most: take fewer --publishers", signaling.MaxLines)
	}
	return nil
}

// A relay reads no more of one session than 64 Mbit/s and 3,000 messages a second (docs/protocol.md section 13).
const (
	mostBytes    = 7.5e6
	mostMessages = 2900
)

func (c *Config) checkVideo(p *plan) error {
	if !p.video() {
		return nil
	}
	if len(c.Clip) == 0 && (c.Size < minFrame || c.Size > media.MaxFrameSize) {
		return fmt.Errorf("--size: %d is not within %d and %d", c.Size, minFrame, media.MaxFrameSize)
	}
	one := *p
	one.Publishers = 1
	bytes := one.bytesPerSecond()
	messages := bytes/float64(c.Chunk) + c.Rate + 50
	if bytes > mostBytes || messages > mostMessages {
		return fmt.Errorf("a publisher would send %.0f Mbit/s in %.0f messages a second: a relay reads no more of one than 64 Mbit/s in 3,000 messages; "+
			"use more --publishers with less each", bytes*8/1e6, messages)
	}
	return nil
}

func (c *Config) plan() plan {
	p := plan{Rooms: c.Rooms, Publishers: c.Publishers, Rate: c.Rate, Size: c.Size, Chunk: c.Chunk, Audio: c.Audio, Clip: c.Clip}
	if c.Idle {
		p = plan{Rooms: c.Rooms, Publishers: c.Publishers, Audio: true, Chunk: c.Chunk}
	}
	return p
}

// receivers is how many connections there are for receiving.
func (c *Config) receivers() int { return c.Rooms * (c.Subscribers + c.Slow + c.Frozen + c.Churn) }

// transport is the name of what carries media to those who receive.
func (c *Config) transport() string {
	if c.WebRTC {
		return "webrtc"
	}
	return "ws"
}
