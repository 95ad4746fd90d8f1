package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// progress is a line on the terminal that is written over again and again. On anything but a terminal there is none.
type progress struct {
	quit chan struct{}
	done sync.WaitGroup
}

// startProgress shows what line returns, twice a second, until stop.
func startProgress(con *console, line func() string) *progress {
	p := &progress{quit: make(chan struct{})}
	if !isTerminal(con.err) {
		return p
	}
	p.done.Go(func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		width := 0
		for {
			select {
			case <-p.quit:
				fmt.Fprintf(con.err, "\r%s\r", strings.Repeat(" ", width))
				return
			case <-tick.C:
				text := line()
				fmt.Fprintf(con.err, "\r%-*s", width, text)
				width = len([]rune(text))
			}
		}
	})
	return p
}

// stop takes the line away.
func (p *progress) stop() {
	close(p.quit)
	p.done.Wait()
}

// rateMeter turns a growing number of bytes into bits per second.
type rateMeter struct {
	bytes uint64
	at    time.Time
	rate  float64
}

func (m *rateMeter) update(bytes uint64) float64 {
	now := time.Now()
	if passed := now.Sub(m.at).Seconds(); !m.at.IsZero() && passed > 0 && bytes >= m.bytes {
		m.rate = float64(bytes-m.bytes) * 8 / passed
	}
	m.bytes, m.at = bytes, now
	return m.rate
}

// clockText shows a position as 1:02:03.
func clockText(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// bitsText shows a rate as 1.2 Mbit/s.
func bitsText(rate float64) string {
	if rate >= 1e6 {
		return fmt.Sprintf("%.1f Mbit/s", rate/1e6)
	}
	return fmt.Sprintf("%.0f kbit/s", rate/1e3)
}
