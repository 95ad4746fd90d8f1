package main

import (
	"fmt"
	"strconv"
	"time"
)

// span is a length of time on the command line: "8s", "1m30s", or plain seconds as in "8" and "0.5".
type span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		seconds, err := strconv.ParseFloat(string(text), 64)
		if err != nil || !(seconds < 1e9) {
			return fmt.Errorf("%q is no length of time: want 8s, 1m30s, or seconds", text)
		}
		d = time.Duration(seconds * float64(time.Second))
	}
	if d < 0 {
		return fmt.Errorf("%q is negative", text)
	}
	*s = span(d)
	return nil
}

func (s span) duration() time.Duration { return time.Duration(s) }
