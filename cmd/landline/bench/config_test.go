package bench

import (
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	good := Config{URL: "http://127.0.0.1:8080", Rooms: 1, Publishers: 1, Subscribers: 10, Rate: 30, Size: 6000, Chunk: 16384,
		Duration: 10 * time.Second, Processes: 1}
	for _, c := range []struct {
		change func(*Config)
		reason string // "": none
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Rate, c.Audio, c.Publishers, c.Subscribers = 0, true, 10, 100 }, ""},
		{func(c *Config) { c.Subscribers, c.Slow = 0, 1 }, ""},
		{func(c *Config) { c.Idle, c.Publishers, c.Rate = true, 0, 0 }, ""},
		{func(c *Config) { c.Rooms = 0 }, "--rooms"},
		{func(c *Config) { c.Slow = -1 }, "negative"},
		{func(c *Config) { c.Subscribers = 2000 }, "2001 members in a room"},
		{func(c *Config) { c.Subscribers = 0 }, "--subscribers"},
		{func(c *Config) { c.Publishers = 0 }, "--publishers"},
		{func(c *Config) { c.Rate = 0 }, "--audio"},
		{func(c *Config) { c.Rate = -1 }, "--rate"},
		{func(c *Config) { c.Size = 8 }, "--size"},
		{func(c *Config) { c.Size = 400_000 }, "96 Mbit/s"},
		{func(c *Config) { c.Chunk, c.Size = 32, 6000 }, "messages a second"},
		{func(c *Config) { c.Chunk = 20_000 }, "--chunk"},
		{func(c *Config) { c.Duration = 0 }, "--duration"},
		{func(c *Config) { c.Processes = 0 }, "--processes"},
		{func(c *Config) { c.Floor, c.Frozen = true, 1 }, "--floor"},
		{func(c *Config) { c.Idle, c.Floor = true, true }, "--idle"},
		{func(c *Config) { c.WebRTC, c.Audio, c.Floor = true, true, true }, ""},
		{func(c *Config) { c.WebRTC, c.Publishers = true, 32 }, ""},
		{func(c *Config) { c.WebRTC, c.Publishers, c.Audio = true, 17, true }, "32 tracks"},
		{func(c *Config) { c.WebRTC, c.Slow = true, 1 }, "--transport webrtc"},
		{func(c *Config) { c.WebRTC, c.Churn = true, 1 }, "--transport webrtc"},
		{func(c *Config) { c.WebRTC, c.Idle = true, true }, "--transport webrtc"},
	} {
		cfg := good
		c.change(&cfg)
		err := cfg.Check()
		if (err == nil) != (c.reason == "") || err != nil && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%+v: %v, want %q", cfg, err, c.reason)
		}
	}
}
