package main

import (
	"bytes"
	"fmt"
	"testing"
)

func TestLogGoesAboveTheProgressLine(t *testing.T) {
	var out bytes.Buffer
	s := &screen{w: &out}
	s.show("0:01")
	fmt.Fprintln(s, "connection lost")
	s.show("0:02 more")
	s.show("")
	want := "0:01" + "\r    \rconnection lost\n0:01" + "\r    \r0:02 more" + "\r         \r"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestTextsOfTheProgressLine(t *testing.T) {
	for got, want := range map[string]string{
		clockText(-1): "0:00", clockText(83e9): "1:23", clockText(3_723e9): "1:02:03",
		bitsText(999): "1 kbit/s", bitsText(64_000): "64 kbit/s", bitsText(1_250_000): "1.2 Mbit/s",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
